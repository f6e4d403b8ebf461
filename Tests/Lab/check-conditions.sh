#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check-conditions.sh APICV conditions FOLDER: compares what apictrace said of a host without KVM, and of KVM's modules
# without type information, with what it promises. Prints one line a disagreement; status 0 if there is none.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

folder=${3:?usage: check-conditions.sh APICV conditions FOLDER}
wrong=0

# expect FILE STATUS WORDS: the exit status, and one line (of doctor: any) that holds the words.
expect() {
    local status lines
    status=$(cat "$folder/$1.status" 2>/dev/null || echo none)
    if [[ $status != "$2" ]]; then
        printf '%s: status %s, expected %s: %s\n' "$1" "$status" "$2" "$(head -c 300 "$folder/$1.err" 2>/dev/null)"
        wrong=1
    fi
    if ! grep -qF -- "$3" "$folder/$1.out" "$folder/$1.err"; then
        printf '%s: does not say "%s": %s\n' "$1" "$3" "$(head -c 300 "$folder/$1.err")"
        wrong=1
    fi
    lines=$(wc -l <"$folder/$1.err")
    if ((lines > 1)); then
        printf '%s: %s lines of complaint, expected one\n' "$1" "$lines"
        wrong=1
    fi
}

no_kvm="KVM isn't loaded, or its modules have no type information"
expect absent.doctor 4 "kvm"
expect absent.livebackendbpf 4 "$no_kvm"
expect absent.live 4 "$no_kvm"
expect nobtf.doctor 4 "BTF"
expect nobtf.livebackendbpf 4 "$no_kvm"
# ftrace needs no types: nothing runs, so nothing can be said.
expect nobtf.live 2 "reading the same tracepoints with ftrace"
exit "$wrong"

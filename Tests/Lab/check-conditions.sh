#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check-conditions.sh KERNEL APICV conditions FOLDER: compares what apictrace said of a host without KVM, and of KVM's modules
# without type information, with what it promises. Prints one line a disagreement; status 0 if there is none.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

folder=${4:?usage: check-conditions.sh KERNEL APICV conditions FOLDER}
wrong=0

# expect FILE STATUS LINES WORDS: the exit status, how many lines of complaint, and words that a line of the output or of
# the complaint holds.
expect() {
    local status lines
    status=$(cat "$folder/$1.status" 2>/dev/null || echo none)
    lines=$(wc -l <"$folder/$1.err")
    if [[ $status != "$2" ]]; then
        printf '%s: status %s, expected %s\n' "$1" "$status" "$2"
        wrong=1
    fi
    if [[ $lines != "$3" ]]; then
        printf '%s: %s lines of complaint, expected %s: %s\n' "$1" "$lines" "$3" "$(head -c 300 "$folder/$1.err")"
        wrong=1
    fi
    if ! grep -qF -- "$4" "$folder/$1.out" "$folder/$1.err"; then
        printf '%s: does not say "%s"\n' "$1" "$4"
        wrong=1
    fi
}

no_kvm="apictrace: KVM isn't loaded, or its modules have no type information; load kvm_intel or kvm_amd"
expect absent.doctor 4 0 "FAILED  kvm           not loaded"
expect absent.doctor 4 0 "-> run: modprobe kvm_intel, or modprobe kvm_amd"
expect absent.doctor 4 0 "apictrace live can't work here yet."
expect absent.livebackendbpf 4 1 "$no_kvm"
expect absent.live 4 1 "$no_kvm"
# ftrace needs no types: nothing runs, so nothing can be said.
expect nobtf.doctor 0 0 "note    btf           vmlinux, but nothing of kvm"
expect nobtf.doctor 0 0 "-> apictrace live uses ftrace here"
expect nobtf.livebackendbpf 4 1 "$no_kvm"
expect nobtf.live 2 1 "reading the same tracepoints with ftrace"
expect nobtf.live 2 1 "live (ftrace), 0 events"
# KVM's vendor module is loaded after apictrace has started: it is told of a VM as it always is.
"$LAB/check-cell.sh" "$1" "$2" passthrough "$folder/late" | sed 's/^/late: /' || wrong=1
exit "$wrong"

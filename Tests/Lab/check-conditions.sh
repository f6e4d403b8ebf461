#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check-conditions.sh KERNEL APICV conditions FOLDER: compares what apictrace said of a host without KVM, of KVM's modules
# without type information, and to a user who isn't root, with what it promises. Prints one line a disagreement; status 0 if there is none.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

folder=${4:?usage: check-conditions.sh KERNEL APICV conditions FOLDER}
wrong=0

disagree() {
    printf '%s\n' "$*"
    wrong=1
}

# ends FILE STATUS LINES: the exit status, and how many lines of complaint.
ends() {
    local status lines
    status=$(cat "$folder/$1.status" 2>/dev/null || echo none)
    lines=$(wc -l 2>/dev/null <"$folder/$1.err" || echo no)
    [[ $status == "$2" ]] || disagree "$1: status $status, expected $2"
    [[ $lines == "$3" ]] || disagree "$1: $lines lines of complaint, expected $3: $(head -c 300 "$folder/$1.err")"
}

# says FILE WORDS: a line of the output or of the complaint holds them.
says() { grep -qsF -- "$2" "$folder/$1.out" "$folder/$1.err" || disagree "$1: does not say \"$2\""; }

no_kvm="apictrace: KVM isn't loaded, or its modules have no type information; load kvm_intel or kvm_amd"
ends absent.doctor 4 0
says absent.doctor "FAILED  kvm           not loaded"
says absent.doctor "-> run: modprobe kvm_intel, or modprobe kvm_amd"
says absent.doctor "apictrace live can't work here yet."
ends absent.livebackendbpf 4 1
says absent.livebackendbpf "$no_kvm"
ends absent.live 4 1
says absent.live "$no_kvm"
# ftrace needs no types: nothing runs, so nothing can be said.
ends nobtf.doctor 0 0
says nobtf.doctor "note    btf           vmlinux, but nothing of kvm"
says nobtf.doctor "-> apictrace live uses ftrace here"
ends nobtf.livebackendbpf 4 1
says nobtf.livebackendbpf "$no_kvm"
ends nobtf.live 2 1
says nobtf.live "reading the same tracepoints with ftrace"
says nobtf.live "live (ftrace), 0 events"
# A user other than root, with the least capabilities: nothing runs meanwhile, so nothing can be said.
ends granted.none 2 0
for spared in dac_read_search sys_admin; do
    ends granted.$spared 4 1
    says granted.$spared "not permitted to trace"
done
# KVM's vendor module is loaded after apictrace has started: that is told, and what comes is traced as always.
grep -qsF "neither kvm_intel nor kvm_amd is loaded yet" "$folder/late/live.err" || disagree "late: live says nothing"
"$LAB/check-cell.sh" "$1" "$2" passthrough "$folder/late" | sed 's/^/late: /' || wrong=1
exit "$wrong"

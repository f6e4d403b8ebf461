#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check-cell.sh KERNEL APICV SCENARIO FOLDER: compares one cell's outputs with the table `expected` and with the guest's
# account. Prints one line a disagreement; status 0 if there is none. APICTRACE_BIN analyses the recordings, if set.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kernel=${1:?usage: check-cell.sh KERNEL APICV SCENARIO FOLDER}
apicv=${2:?} scenario=${3:?} cell=${4:?}
need jq trace-cmd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wrong=0
disagree() {
    printf '%s %s: %s\n' "$apicv" "$scenario" "$*"
    wrong=1
}

# equal WHAT EXPECTED ACTUAL
equal() { [[ $2 == "$3" ]] || disagree "$1: $3, expected $2"; }

# between WHAT LEAST MOST ACTUAL
between() { (($2 <= $4 && $4 <= $3)) || disagree "$1: $4, the guest says $2 to $3"; }

query() { jq -L "$LAB" -r "include \"account\"; $2" "$1"; }
account() { query "$cell/guest.json" "$1"; }

check_account() {
    local timeouts
    timeouts=$(account timeouts)
    case $undelivered in
    none) ((timeouts == 0)) || disagree "$timeouts interrupts were not delivered" ;;
    *) ((timeouts > 0)) || disagree "all interrupts were delivered, unlike what is expected ($undelivered)" ;;
    esac
}

# check_count EVENT COUNT: hits of an event, whoever counted them.
check_count() {
    local register
    case $1 in
    kvm_apic_ipi) register=0x300 ;;
    kvm_eoi) register=0xb0 ;;
    kvm_nested_vmenter)
        equal "$1" "$(account 'total(.vmruns)')" "$2"
        return
        ;;
    esac
    between "$1" "$(account "seen(\"writes\"; \"$register\"; $l1_least)")" \
        "$(account "seen(\"writes\"; \"$register\"; $l1_most)")" "$2"
}
readonly COUNTED=(kvm_apic_ipi kvm_eoi kvm_nested_vmenter)

check_recording() {
    local event
    trace-cmd report "$cell/trace.dat" >"$work/text" 2>/dev/null || true
    if grep -q 'EVENTS DROPPED' "$work/text"; then
        disagree "trace-cmd dropped events: what is left can't be compared"
        return
    fi
    for event in "${COUNTED[@]}"; do
        check_count "$event" "$(grep -c " $event: " "$work/text" || true)"
    done
}

# check_report FILE GRADE: a report of apictrace.
check_report() {
    local event kind most
    equal "${1##*/}: verdict" "$2" "$(query "$1" .verdict)"
    if [[ $(query "$1" lossy) == true ]]; then
        disagree "${1##*/}: events were lost: what is left can't be compared"
        return
    fi
    for event in "${COUNTED[@]}"; do
        check_count "$event" "$(query "$1" ".source.events.byName.$event // 0")"
    done
    for kind in reads writes; do
        equal "${1##*/}: L2's direct $kind" "$(account "accesses(\"$kind\"; \"l2Direct\")")" \
            "$(query "$1" "reported(\"l2Direct\"; \"$kind\")")"
        equal "${1##*/}: L2's hooked $kind" "$(account "accesses(\"$kind\"; \"l2Hooked\")")" \
            "$(query "$1" "reported(\"l2Hooked\"; \"$kind\")")"
        most=$(account "accesses(\"$kind\"; \"l1\")")
        between "${1##*/}: L1's $kind" "$($l1_least && echo "$most" || echo 0)" \
            "$($l1_most && echo "$most" || echo 0)" "$(query "$1" "reported(\"l1\"; \"$kind\")")"
    done
}

# masks_of COLUMN: of the table of kernels.
masks_of() { table "$LAB/kernels" | awk -v name="$kernel" -v column="$1" '$1 == name { print $column }'; }

# What the probes read of KVM's structures: levels, inhibit masks, whether APICv is active, IRR, ISR, TPR and PPR.
check_reads() {
    local masks line
    { trace-cmd report "$cell/live.dat" 2>/dev/null || true; } |
        awk -v apicv="$apicv" -f "$LAB/reads.awk" | sort >"$work/reads"
    account reads | sort >"$work/known"
    case $apicv,$scenario in
    off,*) masks=$(masks_of 3) ;;
    on,inhibits) masks=$(masks_of 4) ;;
    on,*) masks=0x0 ;;
    esac
    account '.vms[].pid' | sed "s/\$/ inhibits ${masks//,/ }/" | sort -o "$work/known" - "$work/known"
    while read -r line; do
        disagree "live.dat: KVM's structures: $line"
    done < <(grep '^wrong' "$work/reads" || true; comm -23 "$work/known" "$work/reads" | sed 's/^/the guest says: /')
}

line=$(table "$LAB/expected" | awk -v apicv="$apicv" -v scenario="$scenario" '$1 == apicv && $2 == scenario')
[[ -n $line ]] || fail "no line for '$apicv $scenario' in Tests/Lab/expected"
read -r _ _ l1_accesses undelivered live_grade recorded_grade <<<"$line"
l1_least=false l1_most=false
case $l1_accesses in
all) l1_least=true l1_most=true ;;
some) l1_most=true ;;
esac

if [[ $(cat "$cell/guest.status" 2>/dev/null) != 0 ]]; then
    disagree "the guest: $(cat "$cell/guest.err" "$cell/live.err" 2>/dev/null)"
    exit 1
fi
check_account
# It is in the guest unless it was to be left out.
if [[ -z ${LAB_NO_TRACE_CMD:-} ]]; then
    if [[ -s $cell/trace.dat ]]; then check_recording; else disagree "trace-cmd left no recording"; fi
fi
if [[ -n ${APICTRACE_BIN:-} && -s $cell/trace.dat ]]; then
    "$APICTRACE_BIN" analyze --json "$cell/trace.dat" >"$work/recorded" || true
    check_report "$work/recorded" "$recorded_grade"
fi
if [[ -n ${APICTRACE_BIN:-} && ! -s $cell/live.dat ]]; then
    disagree "apictrace live left no recording: $(cat "$cell/live.err" 2>/dev/null)"
elif [[ -n ${APICTRACE_BIN:-} ]]; then
    # What live itself recorded is to be graded as it was live.
    "$APICTRACE_BIN" analyze --json "$cell/live.dat" >"$work/live.dat" || true
    check_report "$work/live.dat" "$live_grade"
    check_reads
    # Every grade of the table is one that leaves the status at 0.
    equal "apictrace live: status" 0 "$(cat "$cell/live.status" 2>/dev/null)"
    jq -c 'select(.type == "report")' "$cell/live.json" >"$work/live" || true
    if [[ -s $work/live ]]; then
        check_report "$work/live" "$live_grade"
    else
        disagree "apictrace live gave no report: $(<"$cell/live.err")"
    fi
fi
exit "$wrong"

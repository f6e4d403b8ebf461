#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check-cell.sh APICV SCENARIO FOLDER: compares one cell's outputs with the table `expected` and with each other. Prints one line a
# disagreement; status 0 if there is none.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

apicv=${1:?usage: check-cell.sh APICV SCENARIO FOLDER}
scenario=${2:?} cell=${3:?}
need jq

wrong=0
disagree() {
    printf '%s %s: %s\n' "$apicv" "$scenario" "$*"
    wrong=1
}

read -r accesses undelivered live_grade recorded_grade < <(table "$LAB/expected" |
    awk -v apicv="$apicv" -v scenario="$scenario" '$1 == apicv && $2 == scenario { print $3, $4, $5, $6 }') ||
    fail "no line for '$apicv $scenario' in Tests/Lab/expected"
: "$live_grade" "$recorded_grade"

if [[ $(<"$cell/guest.status") != 0 ]]; then
    disagree "the guest's account: $(<"$cell/guest.err")"
    exit 1
fi
account() { jq -L "$LAB" -r "include \"account\"; $1" "$cell/guest.json"; }

timeouts=$(account timeouts)
case $undelivered in
none) ((timeouts == 0)) || disagree "$timeouts interrupts were not delivered" ;;
*) ((timeouts > 0)) || disagree "every interrupt was delivered, though some should not have been ($undelivered)" ;;
esac

# compare EVENT LEAST MOST COUNT
compare() {
    (($2 <= $4 && $4 <= $3)) || disagree "$1: $4 recorded, the guest says $2${3:+ to $3}"
}

# The recording's counts against the guest's, where nothing was dropped.
if [[ -s $cell/trace.dat ]] && command -v trace-cmd >/dev/null; then
    text=$(mktemp)
    trap 'rm -f "$text"' EXIT
    trace-cmd report "$cell/trace.dat" >"$text" 2>/dev/null
    count() { grep -c " $1: " "$text" || true; }
    if grep -q 'EVENTS DROPPED' "$text"; then
        say "$apicv $scenario: events were dropped, counts not compared"
    else
        least=$accesses
        [[ $accesses != some ]] || least=l2
        compare kvm_apic_ipi "$(account "seen(\"writes\"; \"0x300\"; \"$least\")")" \
            "$(account "seen(\"writes\"; \"0x300\"; \"$accesses\")")" "$(count kvm_apic_ipi)"
        compare kvm_eoi "$(account "seen(\"writes\"; \"0xb0\"; \"$least\")")" \
            "$(account "seen(\"writes\"; \"0xb0\"; \"$accesses\")")" "$(count kvm_eoi)"
        vmruns=$(account 'total(.vmruns)')
        compare kvm_nested_vmenter "$vmruns" "$vmruns" "$(count kvm_nested_vmenter)"
    fi
fi

exit "$wrong"

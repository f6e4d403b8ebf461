#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# reproduce.sh: "does my kernel have it?" Runs the scenarios natively, each under `apictrace live`, and prints what
# the guest lost and what apictrace said. Needs root, an Intel or AMD processor with its KVM module, and nesting.
# From the environment: SCENARIO="ack-l1-eoi-l2 ..." (default all), APICTRACE_BIN (default: apictrace in PATH;
# without one the guests run untraced), REPRODUCE_OUT (outputs; default a temporary folder that is named at the
# end).
# Status: 0 all scenarios ran; 1 one did not; 77 this host can't, with what to do.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need gcc make jq

# Ways out, the most likely first; each says what to do.
[[ -e /dev/kvm ]] ||
    skip "no /dev/kvm: run 'modprobe kvm_intel' or 'modprobe kvm_amd' (and enable virtualization in the firmware)"
[[ -r /dev/kvm && -w /dev/kvm ]] || skip "no access to /dev/kvm: run as root"
parameters=
for vendor in kvm_intel kvm_amd; do
    [[ ! -d /sys/module/$vendor ]] || parameters=/sys/module/$vendor/parameters
done
[[ -n $parameters ]] ||
    skip "neither kvm_intel nor kvm_amd is loaded: run this on an Intel or AMD host's bare metal, or use 'make lab'"
vendor=${parameters%/parameters}
vendor=${vendor##*/}
case $(cat "$parameters/nested" 2>/dev/null) in
1 | Y) ;;
*) skip "nesting is off: stop all VMs, then 'modprobe -r $vendor && modprobe $vendor nested=1'" ;;
esac

# parameter NAME: its value, or "none" where this kernel has no such parameter.
parameter() { cat "$parameters/$1" 2>/dev/null || echo none; }
case $vendor in
kvm_intel) apicv="enable_apicv=$(parameter enable_apicv)" ;;
kvm_amd) apicv="avic=$(parameter avic)" ;;
esac

out=${REPRODUCE_OUT:-$(mktemp -d)}
build=$out/guest
mkdir -p "$out"
make -s -C "$LAB/guest" OUT="$build"
export PATH=$build:$PATH
apictrace=${APICTRACE_BIN:-$(command -v apictrace || true)}
[[ -n $apictrace ]] || say "reproduce: no apictrace found: the guests run untraced (set APICTRACE_BIN)"

# trace SCENARIO FOLDER
trace() {
    if [[ -n $apictrace ]]; then
        "$apictrace" live --json --lapic --record "$2/live.dat" -- "$LAB/run-guest" "$1" "$2" >"$2/live.json" 2>"$2/live.err" || true
    else
        "$LAB/run-guest" "$1" "$2"
    fi
}

# lost FOLDER: the vectors whose interrupt somebody waited for in vain, with their numbers.
lost() {
    jq -r '[.vms[].vcpus[].timeouts | to_entries[]] | group_by(.key)
        | map("\(.[0].key) (\(map(.value) | add)x)") | join(" ") | if . == "" then "nothing" else . end' "$1/guest.json"
}

# stuck FOLDER: what is still in service at the end, without which the guest would have gone on.
stuck() {
    jq -r '[.vms[].vcpus[].final.isr[]] | unique | join(" ") | if . == "" then "nothing" else . end' "$1/guest.json"
}

# verdict FOLDER: what apictrace said.
verdict() {
    if [[ -z $apictrace ]]; then
        echo "(untraced)"
    elif [[ ! -s $1/live.json ]]; then
        head -n 1 "$1/live.err"
    else
        jq -rs 'map(select(.type == "report")) | last
            | if . == null then "(no report)"
              else [.verdict] + ([.findings[].rule] | unique) | join(" ") end' "$1/live.json"
    fi
}

printf '%s, %s, %s, nested=%s\n\n' "$(uname -r)" "$vendor" "$apicv" "$(parameter nested)"
printf '%-16s %-28s %-16s %s\n' scenario "guest lost" "left in service" "apictrace says"
failed=0
scenarios=${SCENARIO:-$(lab-vmm --list)}
for scenario in ${scenarios//,/ }; do
    folder=$out/$scenario
    mkdir -p "$folder"
    trace "$scenario" "$folder"
    case $(cat "$folder/guest.status" 2>/dev/null || echo none) in
    0) printf '%-16s %-28s %-16s %s\n' "$scenario" "$(lost "$folder")" "$(stuck "$folder")" "$(verdict "$folder")" ;;
    "$EXIT_SKIPPED") skip "$(sed 's/.*skipped: //' "$folder/guest.err")" ;;
    *)
        failed=1
        printf '%-16s did not run: %s\n' "$scenario" "$(cat "$folder"/*.err)"
        ;;
    esac
done
cat <<END

BLOCKIRQ makes the scenario 'inhibits' lose on purpose. What counts is a loss in ack-l1-eoi-l2, hooked or passthrough
with APICv on.
Outputs: $out
END
exit "$failed"

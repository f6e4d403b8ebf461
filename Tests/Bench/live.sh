#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# live.sh [ROUNDS [IPIS]]: what tracing costs a guest that does nothing but use its APIC, under apictrace live and under
# perf stat on the same events, in turns. Prints each one's median time, its ratio to the untraced run and the rate of
# hits; for apictrace the records that were dropped. Needs root, /dev/kvm and a release build (make release).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-5} ipis=${2:-100000}
apictrace=.build/release/apictrace guest=.build/release/apictrace-guest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# timed FILE: the command that runs the guest and adds its nanoseconds to a file.
timed() {
    # shellcheck disable=SC2016 # the inner shell expands them
    printf 's=$(date +%%s%%N); %s %s 0 >/dev/null; e=$(date +%%s%%N); echo $((e - s)) >>%s' "$guest" "$ipis" "$1"
}

median() { sort -n "$1" | sed -n "$(((rounds + 1) / 2))p"; }

"$apictrace" live --json --quiet -- sh -c "$(timed "$work/warm")" >"$work/report" || true
events=$(tail -1 "$work/report" | jq -r '.source.eventsSelected[] |
    if startswith("kvm_mmu_") or contains("mmio_") and (startswith("kvm_") | not) then "kvmmmu:" + . else "kvm:" + . end' |
    paste -sd,)
hits=$(tail -1 "$work/report" | jq .source.events.total)
dropped=0
for ((round = 0; round < rounds; round++)); do
    sh -c "$(timed "$work/untraced")"
    "$apictrace" live --json --quiet -- sh -c "$(timed "$work/apictrace")" >"$work/report" || true
    dropped=$((dropped + $(tail -1 "$work/report" | jq '.loss.overrun // 0')))
    if command -v perf >/dev/null; then
        perf stat -a -e "$events" -o /dev/null -- sh -c "$(timed "$work/perf")"
    fi
done

base=$(median "$work/untraced")
printf '%-10s %9s %8s %12s\n' tracer 'median ms' ratio hits/s
for tracer in untraced apictrace perf; do
    [[ -e $work/$tracer ]] || continue
    time=$(median "$work/$tracer")
    printf '%-10s %9d %8s %12d\n' "$tracer" $((time / 1000000)) \
        "$(awk "BEGIN { printf \"%.2f\", $time / $base }")" $((hits * 1000000000 / time))
done
printf 'apictrace dropped %d records in %d rounds of %d hits\n' "$dropped" "$rounds" "$hits"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails where the analysis takes 3 % more instructions an event, or its start does, than Tests/Bench/instructions says.
#   Tests/Bench/gate.sh [--update]
# Instructions, and not time: they are the same on a busy machine. They depend on the compiler, so that another version of Swift
# than the file's is not judged. --update writes the file anew, for a commit that says why.
set -euo pipefail
cd "$(dirname "$0")/../.."

expected=Tests/Bench/instructions
tolerance=3
swift=$("${SWIFT:-swift}" --version 2>/dev/null | grep -om1 'Swift version [0-9.]*')
measured=$(Tests/Bench/run.sh --callgrind)
each=$(sed -n 's/^\([0-9.]*\) instructions an event.*/\1/p' <<<"$measured")
start=$(sed -n 's/^passthrough.dat *\([0-9]*\) instructions/\1/p' <<<"$measured")
if [ -z "$each" ] || [ -z "$start" ]; then
    echo "gate: callgrind gave no numbers: $measured" >&2
    exit 1
fi

if [ "${1:-}" = --update ]; then
    sed -i "s/^compiler .*/compiler $swift/; s/^event .*/event $each/; s/^start .*/start $start/" "$expected"
    exit
fi
if [ "$(sed -n 's/^compiler //p' "$expected")" != "$swift" ]; then
    echo "gate: $each instructions an event, $start at the start; not judged, for $expected is of another compiler than $swift"
    exit
fi

failed=0
judge() {
    local what=$1 now=$2 before
    before=$(sed -n "s/^$what //p" "$expected")
    awk -v what="$what" -v now="$now" -v before="$before" -v most="$tolerance" 'BEGIN {
        change = (now / before - 1) * 100
        printf "gate: %s %s instructions, %s expected: %+.1f %%\n", what, now, before, change
        exit change > most }' || failed=1
}
judge event "$each"
judge start "$start"
if [ $failed = 1 ]; then
    echo "gate: more than $tolerance % above. If that is what the change is worth: Tests/Bench/gate.sh --update" >&2
    exit 1
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows how time and memory grow with the events and with the VMs: recordings of 10^5 to 10^8 events, of 1, 10 and 100 VMs that
# run at once, a CPU each. The largest take 4.7 GB of scratch space.
#   Tests/Bench/growth.sh
# SCRATCH (a folder in TMPDIR, removed afterwards) is where they go, RUNS (3) how often each is read, MOST (100000000) the most events.
set -euo pipefail
cd "$(dirname "$0")/../.."

apictrace=${APICTRACE:-.build/release/apictrace}
recording=Tests/TraceCoreTests/Fixtures/bitvisor/6.1.192-asshipped-smp2/trace.dat
# Of that recording's data.
bytes_each=47
scratch=${SCRATCH:-$(mktemp -d)}
[ -n "${SCRATCH:-}" ] || trap 'rm -rf "$scratch"' EXIT
cc=$(command -v clang || command -v cc)
"$cc" -O2 -o "$scratch/tile" Tests/Bench/tile.c
"$cc" -O2 -o "$scratch/measure" Tests/Bench/measure.c
trace-cmd convert -i "$recording" -o "$scratch/lap.dat" --file-version 6 >/dev/null 2>&1

events() { { "$apictrace" analyze --json --pretty "$1" || true; } | sed -n 's/^ *"total" : \([0-9]*\).*/\1/p' | sort -n | tail -n 1; }

printf '%5s %12s %12s %10s %9s\n' VMs events 'user+sys ms' ns/event 'peak MB'
for vms in 1 10 100; do
    for count in 100000 1000000 10000000 100000000; do
        [ "$count" -le "${MOST:-100000000}" ] || continue
        "$scratch/tile" "$scratch/lap.dat" "$scratch/large.dat" $((count * bytes_each / 1000000 + 1)) $vms
        counted=$(events "$scratch/large.dat")
        read -r cpu _ peak < <("$scratch/measure" "${RUNS:-3}" "$apictrace" analyze --quiet "$scratch/large.dat")
        awk -v vms=$vms -v n="$counted" -v cpu="$cpu" -v peak="$peak" \
            'BEGIN { printf "%5d %12d %12.1f %10.1f %9.1f\n", vms, n, cpu, cpu * 1e6 / n, peak / 1024 }'
        rm "$scratch/large.dat"
    done
done

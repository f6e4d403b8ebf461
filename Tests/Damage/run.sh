#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cuts each recording among the tests at every section's edge and at 1,000 random offsets and flips bits 1,000 times, at
# release speed, a process a core. A recording that isn't through after some seconds keeps its edges and a part of the rest,
# which its line tells.
#   EACH=1000 SECONDS_EACH=60 Tests/Damage/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

each=${EACH:-1000}
seconds=${SECONDS_EACH:-60}
fixtures=Tests/TraceCoreTests/Fixtures

"${SWIFT:-swift}" build -q -c release --product apictrace-damage

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The recordings are version 7 and compressed; their twins are what the other containers are damaged by.
if command -v trace-cmd >/dev/null; then
    recording=$fixtures/amd/6.12-force_avic/instances.dat
    trace-cmd convert -i $recording -o "$scratch/version-6.dat" --file-version 6 >/dev/null
    trace-cmd convert -i $recording -o "$scratch/uncompressed.dat" --file-version 7 --compression none >/dev/null
fi

# The largest first, so that no core is left with one of them at the end.
find $fixtures "$scratch" -name '*.dat' -printf '%s %p\n' | sort -rn | cut -d ' ' -f 2- |
    xargs -d '\n' -n 1 -P "$(nproc)" .build/release/apictrace-damage --each "$each" --seconds "$seconds"

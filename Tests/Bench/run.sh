#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures the release build against cat, trace-cmd and libtracecmd on large files made of recorded pages, in one go.
#   Tests/Bench/run.sh [--callgrind]
# MEGABYTES (1024) is the size of the files, SCRATCH (a folder in TMPDIR, removed afterwards) where they go, RUNS (5) how
# often each command is run. --callgrind counts instructions instead: no noise, so that two builds can be compared.
set -euo pipefail
cd "$(dirname "$0")/../.."

apictrace=${APICTRACE:-.build/release/apictrace}
megabytes=${MEGABYTES:-1024}
runs=${RUNS:-5}
recording=Tests/TraceCoreTests/Fixtures/bitvisor/6.1.192-asshipped-smp2/trace.dat
small=Tests/TraceCoreTests/Fixtures/intel/6.1.192/passthrough.dat
cc=$(command -v clang || command -v cc)

if ! command -v trace-cmd >/dev/null; then
    echo "bench: trace-cmd is missing; it unpacks the recording that the large files are made of" >&2
    exit 1
fi
if [ -z "${SCRATCH:-}" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
else
    scratch=$SCRATCH
    mkdir -p "$scratch"
fi

"$cc" -O2 -o "$scratch/tile" Tests/Bench/tile.c
"$cc" -O2 -o "$scratch/measure" Tests/Bench/measure.c
"$cc" -O2 -o "$scratch/perfdata" Tests/Bench/perfdata.c -lzstd
"$cc" -O2 -o "$scratch/text" Tests/Bench/text.c
# Without the headers the program is not built, and its lines are left out.
read -ra libraries < <(pkg-config --cflags --libs libtracecmd 2>/dev/null) || true
"$cc" -O2 -o "$scratch/iterate" Tests/Bench/iterate.c "${libraries[@]}" 2>/dev/null || true

convert() { trace-cmd convert -i "$1" -o "$2" "${@:3}" >/dev/null 2>&1; }
lap=$scratch/lap.dat
convert "$recording" "$lap" --file-version 6
# The id of an event that the analysis has no use for.
irrelevant=$(LC_ALL=C grep -a -m 1 -A 1 'name: kvm_set_irq$' "$lap" | sed -n 's/^ID: //p')

# Every count is apictrace's own; the tests hold it to trace-cmd's.
events() { { "$apictrace" analyze --json --pretty "$1" || true; } | sed -n 's/^ *"total" : \([0-9]*\).*/\1/p' | sort -n | tail -n 1; }
median() { "$scratch/measure" "$runs" "$@"; }
size() { stat -c %s "$1"; }

if [ "${1:-}" = --callgrind ]; then
    objcopy --strip-debug "$apictrace" "$scratch/apictrace"
    counted=$(events "$lap")
    for file in "$lap" "$small"; do
        valgrind --tool=callgrind --callgrind-out-file="$scratch/callgrind.out" \
            "$scratch/apictrace" analyze --quiet "$file" >/dev/null 2>"$scratch/callgrind.log" || true
        instructions=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$scratch/callgrind.log")
        if [ "$file" = "$lap" ]; then large=$instructions; fi
        printf '%-28s %15d instructions\n' "$(basename "$file")" "$instructions"
    done
    awk -v all="$large" -v start="$instructions" -v n="$counted" \
        'BEGIN { printf "%.1f instructions an event, without the start\n", (all - start) / n }'
    exit
fi

# name, file, bytes and events it stands for, then the command
row() {
    local name=$1 bytes=$2 counted=$3 cpu wall peak
    if ! read -r cpu wall peak < <(median "${@:4}"); then
        echo "  $name: failed" >&2
        exit 1
    fi
    awk -v name="$name" -v cpu="$cpu" -v wall="$wall" -v peak="$peak" -v bytes="$bytes" -v n="$counted" 'BEGIN {
        printf "  %-36s %9.1f ms  %8.1f ns/event  %7.2f GB/s  %7.1f MB  (wall %.1f ms)\n",
            name, cpu, cpu * 1e6 / n, bytes / cpu / 1e6, peak / 1024, wall }' >&2
    echo "$cpu"
}

ratio() { awk -v what="$1" -v ours="$2" -v theirs="$3" 'BEGIN { printf "  %s: %.1f\n", what, theirs / ours }'; }

compare() {
    local title=$1 file=$2 bytes counted ours cat bare
    bytes=$(size "$file")
    counted=$(events "$file")
    printf '%s: %d MB, %d events\n' "$title" $((bytes >> 20)) "$counted"
    cat "$file" >/dev/null
    cat=$(row "cat" "$bytes" "$counted" cat "$file")
    ours=$(row "apictrace analyze --quiet" "$bytes" "$counted" "$apictrace" analyze --quiet "$file")
    awk -v ours="$ours" -v cat="$cat" -v n="$counted" 'BEGIN {
        printf "  above cat: %.1f ns/event; %.1f times cat; %.1f M events/s\n",
            (ours - cat) * 1e6 / n, ours / cat, n / ours / 1e3 }'
    row "apictrace analyze --quiet --threads 2" "$bytes" "$counted" \
        "$apictrace" analyze --quiet --threads 2 "$file" >/dev/null
    if [ -x "$scratch/iterate" ] && [ -n "${3:-}" ]; then
        bare=$(runs=$3 row "libtracecmd, bare iteration" "$bytes" "$counted" "$scratch/iterate" "$file")
        ratio "libtracecmd / apictrace" "$ours" "$bare"
    fi
    if [ -n "${4:-}" ]; then
        # On the recording itself, once: a gigabyte would take a minute. It costs the same for each event.
        local lapped text
        lapped=$(events "$lap")
        text=$(runs=1 row "trace-cmd report (of $(($(size "$lap") >> 20)) MB)" "$(size "$lap")" "$lapped" trace-cmd report "$lap")
        ratio "trace-cmd report / apictrace, an event" \
            "$(awk -v t="$ours" -v n="$counted" 'BEGIN { print t / n }')" \
            "$(awk -v t="$text" -v n="$lapped" 'BEGIN { print t / n }')"
    fi
}

# A text of half the size, which the events are printed in: it is read on one core, in memory that doesn't grow with it.
compare_text() {
    local title=$1 file=$2 bytes counted lines ours peak
    "$scratch/text" "$file" "$scratch/large.txt" $((megabytes / 2))
    bytes=$(size "$scratch/large.txt")
    counted=$(events "$scratch/large.txt")
    printf '%s: %d MB, %d events\n' "$title" $((bytes >> 20)) "$counted"
    cat "$scratch/large.txt" >/dev/null
    lines=$(row "wc -l" "$bytes" "$counted" wc -l "$scratch/large.txt")
    ours=$(row "apictrace analyze --quiet" "$bytes" "$counted" "$apictrace" analyze --quiet "$scratch/large.txt")
    awk -v ours="$ours" -v lines="$lines" -v bytes="$bytes" \
        'BEGIN { printf "  %.0f MB/s a core (wanted: 300); wc -l: %.0f MB/s\n", bytes / ours / 1e3, bytes / lines / 1e3 }'
    read -r _ _ peak < <(runs=1 median "$apictrace" analyze --quiet "$scratch/large.txt")
    rm "$scratch/large.txt"
    if [ "$peak" -gt 65536 ]; then
        echo "bench: $peak KB for a text, more than 64 MB" >&2
        exit 1
    fi
}

echo "user+sys and wall: medians of $runs runs; peak: resident set"
"$scratch/tile" "$lap" "$scratch/one.dat" "$megabytes" 1
compare "uncompressed, 1 CPU" "$scratch/one.dat" "$runs" report
# The same events as perf writes them: each takes four times the room.
"$scratch/perfdata" "$scratch/one.dat" "$scratch/one.data"
compare "perf.data, 1 CPU" "$scratch/one.data"
rm "$scratch/one.data"
"$scratch/perfdata" "$scratch/one.dat" "$scratch/zstd.data" zstd
compare "perf.data, zstd, 1 CPU" "$scratch/zstd.data"
rm "$scratch/zstd.data"
"$scratch/perfdata" "$lap" "$scratch/lap.data"
if command -v perf >/dev/null; then
    # On the recording itself, once, as trace-cmd's report.
    lapped=$(events "$lap")
    text=$(runs=1 row "perf script (of $(($(size "$scratch/lap.data") >> 20)) MB)" "$(size "$scratch/lap.data")" "$lapped" \
        perf script -i "$scratch/lap.data")
    ours=$(row "apictrace analyze --quiet, of the same" "$(size "$scratch/lap.data")" "$lapped" \
        "$apictrace" analyze --quiet "$scratch/lap.data")
    ratio "perf script / apictrace" "$ours" "$text"
    perf script -i "$scratch/lap.data" >"$scratch/lap.txt" 2>/dev/null
    compare_text "text of perf script" "$scratch/lap.txt"
fi
trace-cmd report "$lap" >"$scratch/lap.txt" 2>/dev/null
compare_text "text of trace-cmd report" "$scratch/lap.txt"
convert "$scratch/one.dat" "$scratch/zstd.dat" --file-version 7 --compression zstd
rm "$scratch/one.dat"
compare "zstd, 1 CPU" "$scratch/zstd.dat"
rm "$scratch/zstd.dat"
if [ -x "$scratch/iterate" ]; then
    # On the recording itself, once: for a gigabyte version 3.1 took seventeen minutes.
    convert "$lap" "$scratch/zstd.dat" --file-version 7 --compression zstd
    runs=1 row "libtracecmd, bare iteration (of $(($(size "$scratch/zstd.dat") >> 20)) MB)" "$(size "$scratch/zstd.dat")" \
        "$(events "$lap")" "$scratch/iterate" "$scratch/zstd.dat" >/dev/null
    rm "$scratch/zstd.dat"
fi
"$scratch/tile" "$lap" "$scratch/many.dat" "$megabytes" 64
compare "uncompressed, 64 CPUs, a VM on each" "$scratch/many.dat"
"$scratch/perfdata" "$scratch/many.dat" "$scratch/many.data"
compare "perf.data, 64 CPUs" "$scratch/many.data"
rm "$scratch/many.data"
convert "$scratch/many.dat" "$scratch/zstd.dat" --file-version 7 --compression zstd
rm "$scratch/many.dat"
compare "zstd, 64 CPUs" "$scratch/zstd.dat"
rm "$scratch/zstd.dat"
"$scratch/tile" "$lap" "$scratch/other.dat" "$megabytes" 1 "$irrelevant" 50
compare "one page in 50 relevant" "$scratch/other.dat"
rm "$scratch/other.dat"
row "apictrace events (of $(($(size "$lap") >> 20)) MB)" "$(size "$lap")" "$(events "$lap")" "$apictrace" events "$lap" >/dev/null
row "apictrace events --json (of the same)" "$(size "$lap")" "$(events "$lap")" "$apictrace" events --json "$lap" >/dev/null
runs=$((runs * 4 + 1))
row "start to end, a file of $(($(size "$small") >> 10)) KB" "$(size "$small")" "$(events "$small")" \
    "$apictrace" analyze --quiet "$small" >/dev/null

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each parser (or those that are named) for some seconds, from seeds that the recordings among the tests make, and
# prints how often each ran. Inputs worth keeping stay in .build-fuzz/corpus; a crash or a slow input stops the run.
#   SECONDS_EACH=60 Tests/Fuzz/run.sh [parser...]
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${SECONDS_EACH:-60}
swift=${SWIFT:-swift}
work=.build-fuzz
# What an input takes may be more than the tool's 64 MB only by what libFuzzer and its corpus take.
limits=(-rss_limit_mb=512 -malloc_limit_mb=64 -timeout=5 "-max_total_time=$seconds" -print_final_stats=1)
# Swift's own backtrace would take the signal from libFuzzer, which then keeps no input.
export SWIFT_BACKTRACE=enable=no

# Debug keeps the internals visible, -O makes up for it in speed; overflow and bounds checks stay.
APICTRACE_FUZZ=1 "$swift" build -q --sanitize=fuzzer -Xswiftc -O --scratch-path $work

rm -rf $work/seeds
mapfile -t recordings < <(find Tests/TraceCoreTests/Fixtures -name '*.dat' -o -name '*.txt.zst')
$work/debug/apictrace-fuzz --seeds $work/seeds "${recordings[@]}"

read -ra parsers <<<"${*:-$($work/debug/apictrace-fuzz --list)}"
all=0
for parser in "${parsers[@]}"; do
    mkdir -p $work/corpus/"$parser" $work/found
    options=("${limits[@]}" -max_len=4200)
    case $parser in
    file | container | chunks) options=("${limits[@]}" -max_len=32768) ;;
    text | lines) options=("${limits[@]}" -max_len=2048 -dict=Tests/Fuzz/text.dict) ;;
    kallsyms) options+=(-dict=Tests/Fuzz/kallsyms.dict) ;;
    esac
    log=$work/$parser.log
    if ! APICTRACE_FUZZ=$parser $work/debug/apictrace-fuzz "${options[@]}" -artifact_prefix="$work/found/$parser-" \
        $work/corpus/"$parser" $work/seeds/"$parser" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "$parser: stopped; the input is in $work/found, the log in $log" >&2
        exit 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$log")
    printf '%-10s %12d runs  %4d MB peak  slowest %d s\n' "$parser" "$runs" "$peak" "$slowest"
    all=$((all + runs))
done
printf '%-10s %12d runs\n' all "$all"

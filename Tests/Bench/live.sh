#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# live.sh [ROUNDS [IPIS]]: what live tracing costs, beside perf stat, bpftrace and trace-cmd on the same events. The
# tracers take turns within each round, so that what else the machine does falls on all of them; printed are medians
# and the median of each round's ratio to that round's untraced run. A tracer that can't run here has a row that says so.
#
# Needs root, /dev/kvm, jq, and a release build (make release). Uses what there is of: perf, bpftrace, trace-cmd;
# bpftool for nanoseconds a hit; clang and libbpf's headers for the flood; qemu-system-x86_64 for the other storm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-5} ipis=${2:-100000}
apictrace=.build/release/apictrace guest=.build/release/apictrace-guest
tracefs=/sys/kernel/tracing instance=apictrace-bench
statistics=/proc/sys/kernel/bpf_stats_enabled
work=$(mktemp -d)
had_statistics=$(<"$statistics")

clean_up() {
    echo "$had_statistics" >"$statistics"
    if [[ -d $tracefs/instances/$instance ]]; then rmdir "$tracefs/instances/$instance" || true; fi
    rm -rf "$work"
}
trap clean_up EXIT

has() { command -v "$1" >/dev/null; }
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'; }
# ratios NUMERATORS DENOMINATORS: line by line, the rounds.
ratios() { paste "$1" "$2" | awk '{ printf "%.3f\n", $1 / $2 }'; }
# on_cpu PID: nanoseconds that its threads have run.
on_cpu() { cat /proc/"$1"/task/*/schedstat 2>/dev/null | awk '{ sum += $1 } END { printf "%d\n", sum }'; }
report() { tail -1 "$work/report"; }

# The guest under a tracer, which is the parent: its time, and the CPU that the tracer's process took meanwhile.
cat >"$work/child" <<CHILD
#!/bin/bash
$(declare -f on_cpu)
ran=\$(on_cpu \$PPID) start=\$(date +%s%N)
"$PWD/$guest" $ipis 0 >/dev/null
end=\$(date +%s%N)
echo \$((end - start)) >>"$work/\$1"
echo \$((\$(on_cpu \$PPID) - ran)) >>"$work/\$1.cpu"
CHILD
cat >"$work/hits" <<HITS
#!/bin/bash
"$PWD/$guest" $ipis 0 >/dev/null
bpftool prog show --json | jq -r '.[] | select((.run_cnt // 0) >= 1000 and (.name | test("^(kvm_|mark_mmio|handle_mmio)"))) |
    "\(.name) \(.run_cnt) \(.run_time_ns / .run_cnt)"' >>"$work/nanoseconds"
HITS
# shellcheck disable=SC2016 # the script's own $1
printf '#!/bin/bash\ndate +%%s%%N >"$1"\n' >"$work/now"
chmod +x "$work/child" "$work/hits" "$work/now"

live() { "$apictrace" live "$@" >"$work/report" 2>"$work/errors" || [[ $? -le 2 ]]; }

# --- A storm of probed events: our own guest ---

live --json --quiet -- "$work/child" warm
events=$(report | jq -r '.source.eventsSelected[] |
    if startswith("kvm_mmu_") or contains("mmio_") and (startswith("kvm_") | not) then "kvmmmu:" + . else "kvm:" + . end')
perf_events=$(paste -sd, <<<"$events")
hits=$(report | jq .source.events.total)
# What our probes count and never send is no less a hit for the others.
# shellcheck disable=SC2001 # a line each
bpftrace_program="$(sed 's/^/tracepoint:/' <<<"$events" | paste -sd,) { @[probe] = count(); }"

# why FILE: its first line, of a tracer that could not run.
why() { grep -m1 . "$1" | cut -c1-60 || echo "no reason given"; }

declare -A refusal
# shellcheck disable=SC2086 # words
trace_cmd_events() { printf -- '-e %s ' $events; }
if has trace-cmd; then
    # shellcheck disable=SC2046 # words
    if ! trace-cmd record -q -B "$instance" -o "$work/trace.dat" $(trace_cmd_events) true >/dev/null 2>"$work/errors"; then
        refusal[trace-cmd]="trace-cmd record: $(paste -sd' ' "$work/errors" | tr -s ' ' | cut -c1-60)"
    fi
    rm -f "$work/trace.dat"
    if [[ -d $tracefs/instances/$instance ]]; then rmdir "$tracefs/instances/$instance"; fi
else
    refusal[trace-cmd]="not installed"
fi
has perf || refusal[perf]="not installed"
has bpftrace || refusal[bpftrace]="not installed"

for ((round = 0; round < rounds; round++)); do
    "$work/child" untraced
    live --json --quiet -- "$work/child" apictrace
    report | jq '.loss.overrun // 0' >>"$work/apictrace.drops"
    if [[ -z ${refusal[perf]:-} ]]; then
        perf stat -a -e "$perf_events" -o /dev/null -- "$work/child" perf
        echo 0 >>"$work/perf.drops"
    fi
    if [[ -z ${refusal[bpftrace]:-} ]]; then
        if bpftrace -q -e "$bpftrace_program" -c "/bin/bash $work/child bpftrace" >/dev/null 2>"$work/errors"; then
            echo 0 >>"$work/bpftrace.drops"
        else
            refusal[bpftrace]=$(why "$work/errors")
        fi
    fi
    if [[ -z ${refusal[trace-cmd]:-} ]]; then
        # shellcheck disable=SC2046 # words
        trace-cmd record -q -B "$instance" -o "$work/trace.dat" $(trace_cmd_events) "$work/child" trace-cmd >/dev/null 2>&1
        echo - >>"$work/trace-cmd.drops"
        rm -f "$work/trace.dat"
    fi
    # What trace-cmd does, in an instance of our own.
    live --json --quiet --backend ftrace -- "$work/child" ftrace
    report | jq '.loss.overrun // 0' >>"$work/ftrace.drops"
done

echo "storm of probed events: a guest of ours, $ipis IPIs to itself, $hits hits, $rounds rounds"
printf '%-12s %9s %8s %10s %8s %8s\n' tracer 'median ms' ratio hits/s 'CPU ms' drops
for tracer in untraced apictrace perf bpftrace trace-cmd ftrace; do
    if [[ -n ${refusal[$tracer]:-} ]]; then
        printf '%-12s %s\n' "$tracer" "can't run here: ${refusal[$tracer]}"
        continue
    fi
    ratios "$work/$tracer" "$work/untraced" >"$work/$tracer.ratio"
    time=$(median "$work/$tracer")
    cpu=- drops=-
    if [[ $tracer != untraced ]]; then
        drops=$(awk '{ sum += $1 } END { print sum + 0 }' "$work/$tracer.drops")
        cpu=$(awk -v ns="$(median "$work/$tracer.cpu")" 'BEGIN { printf "%.1f", ns / 1e6 }')
    fi
    printf '%-12s %9d %8s %10d %8s %8s\n' "$tracer" $((time / 1000000)) "$(median "$work/$tracer.ratio")" \
        $((hits * 1000000000 / time)) "$cpu" "$drops"
done
if [[ -e $work/perf.ratio ]]; then
    ratios "$work/perf" "$work/apictrace" >"$work/progress"
    echo "progress under apictrace, that under perf stat being 1: $(median "$work/progress") (bar: 1)"
fi

# --- Nanoseconds a hit ---

if has bpftool; then
    echo 1 >"$statistics"
    for ((round = 0; round < rounds; round++)); do live --json --quiet -- "$work/hits"; done
    echo "$had_statistics" >"$statistics"
    echo "BPF statistics, median ns a hit (bar: 100 counted, 200 sent)"
    while read -r name; do
        awk -v name="$name" '$1 == name { print $3 }' "$work/nanoseconds" >"$work/program"
        # The only one here that sends nothing.
        [[ $name == kvm_apic ]] && what=counted || what=sent
        printf '  %-26s %-8s %6.0f\n' "$name" "$what" "$(median "$work/program")"
    done < <(cut -d' ' -f1 "$work/nanoseconds" | sort -u)
else
    echo "BPF statistics: bpftool is not installed"
fi

# --- Start ---

for ((round = 0; round < rounds; round++)); do
    start=$(date +%s%N)
    live --quiet -- "$work/now" "$work/attached"
    echo $(($(<"$work/attached") - start)) >>"$work/start"
done
# The command starts when everything is attached.
awk -v ns="$(median "$work/start")" 'BEGIN { printf "exec to a command run with all attached: %.0f ms (bar: 300)\n", ns / 1e6 }'

# --- The consumer, and a proof's way to its line ---

if has clang && cc -O2 -Wall -Wextra Tests/Bench/flood.c -lbpf -o "$work/flood" &&
    clang -target bpf -ffreestanding -O2 -g -I "/usr/include/$(cc -print-multiarch)" -I Probes \
        -c Tests/Bench/flood.bpf.c -o "$work/flood.o"; then
    for ((round = 0; round < rounds; round++)); do
        live --json --quiet -- "$work/flood" "$work/flood.o" rate 500000 3
        cat "$work/errors" >>"$work/flooded"
        # Its status is that of a finding.
        { "$apictrace" live --json -- "$work/flood" "$work/flood.o" proof 2>"$work/proven" || true; } |
            while read -r line; do
                now=$EPOCHREALTIME
                if [[ $line == *'"type":"finding"'* ]]; then echo "${now/[.,]/}" >>"$work/flagged"; fi
            done
        echo $(($(head -1 "$work/flagged") - $(<"$work/proven"))) >>"$work/proof"
        rm "$work/flagged"
    done
    for column in 1 2 3; do awk -v c="$column" '{ print $c }' "$work/flooded" >"$work/flooded.$column"; done
    echo "flooded at $(median "$work/flooded.1") records/s: $(median "$work/flooded.3") % of a core (bar: 2)," \
        "$(awk '{ sum += $1 } END { print sum + 0 }' "$work/flooded.2") dropped"
    awk -v us="$(median "$work/proof")" -v most="$(sort -g "$work/proof" | tail -1)" \
        'BEGIN { printf "completed proof to its line: %.0f ms, at most %.0f ms (bar: 50)\n", us / 1e3, most / 1e3 }'
else
    echo "flood: needs clang, a C compiler and libbpf's headers"
fi

# --- A storm of unprobed events ---

# Emulated instructions in 5 s, as perf counts them with and without apictrace.
storm() {
    timeout 6 qemu-system-x86_64 -enable-kvm -nographic -m 256 -net none -serial none -monitor none >/dev/null 2>&1 &
    local vmm=$!
    sleep 0.5
    perf stat -a -x, -e kvm:kvm_emulate_insn -- sleep 5 2>&1 | cut -d, -f1 >>"$work/$1"
    wait "$vmm" || true
}

if has qemu-system-x86_64 && has perf; then
    for ((round = 0; round < rounds; round++)); do
        storm unprobed
        "$apictrace" live --quiet --duration 7 >/dev/null &
        tracer=$!
        sleep 0.3
        storm unprobed.traced
        wait "$tracer" || [[ $? -le 2 ]]
    done
    ratios "$work/unprobed.traced" "$work/unprobed" >"$work/unprobed.ratio"
    awk -v n="$(median "$work/unprobed")" -v r="$(median "$work/unprobed.ratio")" \
        'BEGIN { printf "storm of unprobed events (qemu, %d kvm_emulate_insn/s): %.1f %% of untraced progress (bar: 99)\n",
            n / 5, r * 100 }'
else
    echo "storm of unprobed events: needs qemu-system-x86_64 and perf"
fi

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh KILLS [APICTRACE GUEST [IPIS]]: SIGKILLs a recording live run at a random moment, every third while it completes its recording,
# and checks the recording, KILLS times.
#
# A guest sends itself interrupts all the while, or with IPIS a guest after the other so many. Beside the run that is killed another one records the same; from when the first
# had its probes until a second before the kill both must hold as many IPIs. As root.
set -eu

kills=${1:-200}
tool=${2:-.build/release/apictrace}
guest=${3:-.build/release/apictrace-guest}
folder=$(mktemp -d)
jobs=()

cleanup() {
	for job in "${jobs[@]}"; do kill -KILL "$job" 2>/dev/null || true; done
	wait
	rm -rf "$folder"
}
trap cleanup EXIT

# CLOCK_MONOTONIC, which stamps the events, in microseconds: it is the uptime of a machine that never slept.
now() {
	local uptime
	read -r uptime _ </proc/uptime
	echo "${uptime/./}0000"
}

seconds() { printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)); }

# How many IPIs a recording has between two times.
ipis() {
	local status=0
	"$tool" events --event kvm_apic_ipi --from "$2" --to "$3" "$1" >"$folder/events" 2>"$folder/errors" || status=$?
	# 2: what is there was listed.
	((status == 0 || status == 2)) || return 1
	grep -vc "^#" "$folder/events" || true
}

# Until a recording has something in it.
wait_for() {
	for _ in {1..1000}; do
		[ ! -s "$1" ] || return 0
		sleep 0.02
	done
	return 1
}

if (($# > 3)); then
	while :; do
		"$guest" "$4" 0
		sleep 0.05
	done >/dev/null &
else
	"$guest" 2000000000 0 >/dev/null &
fi
jobs+=($!)

good=0 held=0 longest=0
for ((round = 1; round <= kills; round++)); do
	"$tool" live --quiet --record "$folder/witness.dat" >/dev/null 2>&1 &
	witness=$!
	jobs+=("$witness")
	wait_for "$folder/witness.dat"
	"$tool" live --quiet --record "$folder/killed.dat" >/dev/null 2>&1 &
	victim=$!
	wait_for "$folder/killed.dat"
	start=$(now)
	sleep "$((1 + RANDOM % 2)).$((200 + RANDOM % 800))"
	end=$(now)
	# Every third is killed while it ends, or has ended by then.
	ends=$((RANDOM % 3 == 0))
	if ((ends)); then
		kill -TERM "$victim"
		sleep "0.$(printf '%03d' $((RANDOM % 500)))"
	fi
	kill -KILL "$victim" 2>/dev/null || true
	wait "$victim" 2>/dev/null || true
	kill -TERM "$witness"
	wait "$witness" || true
	unset 'jobs[-1]'

	status=0
	"$tool" analyze --quiet "$folder/killed.dat" >"$folder/verdict" 2>&1 || status=$?
	from=$(seconds "$start") to=$(seconds $((end - 1000000)))
	have=$(ipis "$folder/killed.dat" "$from" "$to") || have=0
	want=$(ipis "$folder/witness.dat" "$from" "$to") || want=0
	# Each run takes the time by itself: at either edge one event may be on the other side. A page has a hundred.
	if ((end - start > 1100000 && status <= 2 && want > 100 && have >= want - 2 && have <= want + 2)); then
		good=$((good + 1))
	else
		echo "round $round: status $status, $(cat "$folder/verdict"); $from to $to: $have of $want IPIs"
	fi
	held=$((held + have))
	# What lies between the last event in the file and the kill.
	last=$("$tool" events --event kvm_apic_ipi "$folder/killed.dat" 2>/dev/null | tail -1 | awk '{ print $1 }' | tr -d .)
	if ((!ends && end - last > longest)); then longest=$((end - last)); fi
	rm -f "$folder"/*
done

echo "$good of $kills recordings of killed runs held all but the last second: $held IPIs compared;" \
	"the last event in a file lay at most $((longest / 1000)) ms before the kill"
((good == kills))

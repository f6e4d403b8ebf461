#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh KILLS [APICTRACE GUEST [IPIS]]: SIGKILLs a recording live run at a random moment, every third while it completes its recording,
# and checks the recording, KILLS times.
#
# With PARTS=1 the run that is killed records with --record-dir, and begins another file every second, or sooner. What is in all of its files
# counts, and each must open.
#
# A guest sends itself interrupts all the while, or with IPIS a guest after the other so many. Beside the run that is killed another one records the same; from when the first
# had its probes until a second before the kill both must hold as many IPIs. As root.
set -eu

kills=${1:-200}
tool=${2:-.build/release/apictrace}
guest=${3:-.build/release/apictrace-guest}
parts=${PARTS:-0}
folder=$(mktemp -d)
jobs=()
recording=(--record "$folder/killed.dat")
((parts == 0)) || recording=(--record-dir "$folder/killed" --rotate-size 1M --rotate-time 1s)

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

# The files of a recording, but for a last one that was begun in the moment of the kill: it holds nothing, not even what it is.
files() {
	local last
	if [ -d "$1" ]; then
		last=$(find "$1" -name '*.dat' | sort | tail -1)
		find "$1" -name '*.dat' | sort | while read -r file; do
			[ "$file" = "$last" ] && ! grep -qa tracing <(head -c 16 "$file") || echo "$file"
		done
	elif [ -e "$1" ]; then
		echo "$1"
	fi
}

# Lists the IPIs that a recording has, between two times where they are given.
list() {
	local status bounds=()
	(($# < 3)) || bounds=(--from "$2" --to "$3")
	for file in $(files "$1"); do
		status=0
		"$tool" events --event kvm_apic_ipi "${bounds[@]}" "$file" 2>"$folder/errors" || status=$?
		# 2: what is there was listed.
		((status == 0 || status == 2)) || return 1
	done
}

# How many IPIs a recording has between two times.
ipis() {
	list "$@" >"$folder/events" || return 1
	grep -vc "^#" "$folder/events" || true
}

# What the analysis says of each file: the worst exit status.
check() {
	local worst=0 status
	for file in $(files "$1"); do
		status=0
		"$tool" analyze --quiet "$file" || status=$?
		((status <= worst)) || worst=$status
	done
	return "$worst"
}

# Until a recording has something in it.
wait_for() {
	for _ in {1..1000}; do
		for file in $(files "$1"); do
			[ ! -s "$file" ] || return 0
		done
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

good=0 held=0 longest=0 written=0
for ((round = 1; round <= kills; round++)); do
	"$tool" live --quiet --record "$folder/witness.dat" >/dev/null 2>&1 &
	witness=$!
	jobs+=("$witness")
	wait_for "$folder/witness.dat"
	"$tool" live --quiet "${recording[@]}" >/dev/null 2>&1 &
	victim=$!
	wait_for "${recording[1]}"
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
	check "${recording[1]}" >"$folder/verdict" 2>&1 || status=$?
	from=$(seconds "$start") to=$(seconds $((end - 1000000)))
	have=$(ipis "${recording[1]}" "$from" "$to") || have=0
	want=$(ipis "$folder/witness.dat" "$from" "$to") || want=0
	# Each run takes the time by itself: at either edge one event may be on the other side. A page has a hundred.
	if ((end - start > 1100000 && status <= 2 && want > 100 && have >= want - 2 && have <= want + 2)); then
		good=$((good + 1))
	else
		echo "round $round: status $status, $(cat "$folder/verdict"); $from to $to: $have of $want IPIs"
	fi
	held=$((held + have))
	# What lies between the last event in the file and the kill.
	last=$(list "${recording[1]}" | tail -1 | awk '{ print $1 }' | tr -d .)
	written=$((written + $(files "${recording[1]}" | wc -l)))
	if ((!ends && end - last > longest)); then longest=$((end - last)); fi
	rm -rf "${folder:?}"/*
done

echo "$good of $kills recordings of killed runs ($written files) held all but the last second: $held IPIs compared;" \
	"the last event in a file lay at most $((longest / 1000)) ms before the kill"
((good == kills))

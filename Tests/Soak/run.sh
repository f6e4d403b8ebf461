#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh MINUTES [VMS [APICTRACE GUEST]]: guests come and go while live traces them, for so many minutes or until there were
# VMS (10000) of them, whichever takes longer (0 minutes: the VMs alone).
#
# Each guest sends itself IPIs and takes timer interrupts, and prints how many. It fails if live counts another number of
# accesses, EOIs, IPIs or accepts than they say, loses an event, or has more memory at the end than after the first thousand VMs; and
# if a counter of its metrics, which are scraped meanwhile, ever goes back.
#
# With PARTS=1 live records with --record-dir too, and what all of its files hold together must be the same; PARTS=4 keeps that many files
# of 16 MB, and compares none. LIVE_OPTIONS are given to live as they are, e.g. "--record-dir /var/tmp/f --flight 2m".
# As root, with KVM.
set -eu

minutes=${1:-30}
vms=${2:-10000}
tool=${3:-.build/release/apictrace}
guest=${4:-.build/release/apictrace-guest}
at_once=${AT_ONCE:-10}
# KiB more that the same work may need at another moment.
slack=${SLACK:-4096}
ipis=20 timers=2
folder=$(mktemp -d)
parts=${PARTS:-0}
read -ra options <<<"${LIVE_OPTIONS:-}"
((parts != 1)) || options+=(--record-dir "$folder/parts" --rotate-size 16M --rotate-time 20s)
((parts <= 1)) || options+=(--record-dir "$folder/parts" --rotate-size 16M --keep "$parts")
live=

cleanup() {
	[ -z "$live" ] || kill -KILL "$live" 2>/dev/null || true
	rm -rf "$folder"
}
trap cleanup EXIT

# In KiB, with the files that it has in memory.
rss() {
	local kept
	kept=$(find "/proc/$live/fd" -lname '/memfd:*' -exec stat -L -c %b {} + 2>/dev/null | awk '{ sum += $1 } END { print int(sum / 2) }')
	awk -v kept="$kept" '/^VmRSS/ { print $2 + kept }' "/proc/$live/status"
}

"$tool" live --json --metrics "$folder/metrics.prom" --listen 0 "${options[@]}" >"$folder/lines" 2>"$folder/errors" &
live=$!
# The first summary comes when the probes are there.
for _ in {1..200}; do
	[ ! -s "$folder/lines" ] || break
	sleep 0.05
done

address=$(sed -n 's|.*metrics are at \(.*\)$|\1|p' "$folder/errors")

start=$SECONDS
batch=$((vms / 20 > 0 ? vms / 20 : 1))
done=0 early=0
printf '%8s %10s %10s\n' VMs seconds 'RSS (KiB)'
while ((done < vms || SECONDS - start < minutes * 60)); do
	seq "$batch" | xargs -P "$at_once" -I{} "$guest" "$ipis" "$timers" >>"$folder/account"
	done=$((done + batch))
	curl -sS "$address" >>"$folder/pages"
	memory=$(rss)
	printf '%8d %10d %10d\n' "$done" $((SECONDS - start)) "$memory"
	if ((early == 0 && done >= 1000)); then early=$memory; fi
done
# What the last guests did is told by now.
sleep 0.2
late=$(rss)
kill -TERM "$live"
status=0
wait "$live" || status=$?
live=

# What the files hold: each is a trace by itself.
if ((parts == 1)); then
	"$tool" analyze --json --allow-inconclusive "$folder/parts" >"$folder/reports" || true
fi

python3 - "$folder" "$status" "$done" "$early" "$late" "$slack" <<'EOP'
import json, os, sys

folder, status, vms, early, late, slack = sys.argv[1], *map(int, sys.argv[2:])
account = {"ipis": 0, "timers": 0}
for line in open(folder + "/account"):
    name, count = line.split()
    account[name] += int(count)
with open(folder + "/lines") as lines:
    report = json.loads(lines.readlines()[-1])
ended, listed = report.get("endedVMs"), report["vms"]
vcpus = [vcpu for vm in listed for vcpu in vm["vcpus"]]


def total(of_vcpu, of_ended):
    return sum(map(of_vcpu, vcpus)) + (of_ended(ended) if ended else 0)


def register(name, way):
    return lambda vcpu: vcpu["apicAccess"]["l1"]["registers"].get(name, {way: 0})[way]


def of_line(kind):
    return lambda vcpu: sum(sum(n or 0 for n in line[kind].values()) for line in vcpu["interrupts"])


def of_sum(kind):
    return lambda ended: sum(ended[kind].values())


interrupts = account["ipis"] + account["timers"]
# Then hardware serves most accesses by itself.
is_virtualized = any(interval["state"] == "active" for vm in listed for interval in vm["apicv"])
rows = [
    ("VMs", vms, len(listed) + (ended["vms"] if ended else 0)),
    ("interrupts accepted", interrupts, total(of_line("accepted"), of_sum("accepted"))),
    ("events lost", 0, report["loss"]["overrun"]),
    ("findings", 0, len(report["findings"])),
]
if not is_virtualized:
    rows += [
        ("IPIs sent", account["ipis"], total(lambda vcpu: vcpu["ipisSent"], lambda ended: ended["ipisSent"])),
        ("ICR writes", account["ipis"], total(register("ICR", "writes"), register("ICR", "writes"))),
        ("TPR reads", interrupts, total(register("TPR", "reads"), register("TPR", "reads"))),
        ("EOI writes", interrupts, total(register("EOI", "writes"), register("EOI", "writes"))),
        ("interrupts ended", interrupts, total(of_line("ended"), of_sum("ended"))),
    ]
known, backwards = {}, 0
with open(folder + "/pages") as pages, open(folder + "/metrics.prom") as last:
    for line in pages.readlines() + last.readlines():
        name, _, value = line.rpartition(" ")
        if "_total" in name and not name.startswith("#"):
            backwards += float(value) < known.get(name, 0)
            known[name] = float(value)
rows += [
    ("VMs that ended", vms, int(known["apictrace_vms_ended_total"])),
    ("counters that went back", 0, backwards),
]
exits = report["source"]["events"]["byName"].get("kvm_exit", 0)
rows.append(
    ("exits", exits, total(lambda vcpu: sum(vcpu["exits"]["l1"].values()), lambda ended: sum(ended["exits"]["l1"].values()))))
print(f"\n{'':<24}{'guests':>12}{'live':>12}")
for name, expected, seen in rows:
    print(f"{name:<24}{expected:>12}{seen:>12}{'' if expected == seen else '  DIFFERS'}")
if os.path.exists(folder + "/reports"):
    whole = report["source"]["events"]["byName"]
    counts, reports = dict.fromkeys(whole, 0), list(map(json.loads, open(folder + "/reports")))
    for part in reports:
        for name, count in part["source"]["events"]["byName"].items():
            counts[name] += count
    names = os.listdir(folder + "/parts")
    files = [("files", len(names), len(reports))]
    files += [("lost, in files", 0, sum(part["loss"]["overrun"] for part in reports))]
    files += [(name + ", in files", whole[name], counts[name]) for name in sorted(whole) if whole[name]]
    size = sum(os.path.getsize(f"{folder}/parts/{name}") for name in names)
    print(f"\n{len(names)} files, {size >> 20} MiB")
    for name, expected, seen in files:
        print(f"{name:<34}{expected:>12}{seen:>12}{'' if expected == seen else '  DIFFERS'}")
    rows += files
elif os.path.exists(folder + "/parts"):
    print(f"\n{len(os.listdir(folder + '/parts'))} files stayed")
grown = late - early if early else 0
print(f"\nlive: {report['verdict']}, exit status {status}; memory {early} KiB after a thousand VMs, {late} KiB at the end")
sys.exit(0 if all(a == b for _, a, b in rows) and grown <= slack and status == 0 else 1)
EOP

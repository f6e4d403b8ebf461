#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [APICTRACE GUEST]: the unit of contrib/systemd. systemd-analyze takes it without a word and rates it; then live runs under the same
# limits, as far as they can be had where systemd isn't the first process: another user with the unit's capabilities alone, no new
# privileges, its system calls, a read-only file system but for the folder of recordings, no network. As root, with KVM.
set -eu

here=$(dirname "$0")
tool=$(realpath "${1:-.build/release/apictrace}")
guest=$(realpath "${2:-.build/release/apictrace-guest}")
unit=$(realpath "$here/../../contrib/systemd/apictrace.service")
# As systemd-analyze security counts, in tenths: "OK" is below 5.
most=20
# Of nobody's, as DynamicUser= takes one (61184 to 65519).
user=64123
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

setting() { sed -n "s/^$1=//p" "$unit"; }

echo "== systemd-analyze verify"
# The command is elsewhere as long as it isn't installed.
install -m 755 /bin/true "$folder/apictrace"
sed "s|^ExecStart=[^ ]*/apictrace|ExecStart=$folder/apictrace|" "$unit" >"$folder/apictrace.service"
systemd-analyze verify --man=no "$folder/apictrace.service" 2>&1 | tee "$folder/verify"
[ ! -s "$folder/verify" ]

echo "== systemd-analyze security"
systemd-analyze security --offline=true --threshold="$most" "$folder/apictrace.service" | tail -1

echo "== live under the same limits"
state=$folder/state
install -d -m 700 -o "$user" -g "$user" "$state"
chmod 755 "$folder"
install -m 755 "$tool" "$folder/tool"
install -m 755 "$here/confined.py" "$folder/confined.py"
capabilities=$(setting AmbientCapabilities | tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g')
# shellcheck disable=SC2016
confine=(unshare --mount --net bash -euc '
	mount --make-rprivate /
	mount --bind "$1" "$1"
	mount -o remount,bind,ro /
	mount -o remount,bind,ro /sys
	! touch /usr/nothing-may-be-written-here 2>/dev/null
	touch "$1/this-may" && rm "$1/this-may"
	shift
	exec "$@"' confine "$state")
confine+=(setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs
	--bounding-set "-all,$capabilities" --inh-caps "-all,$capabilities" --ambient-caps "-all,$capabilities"
	"$folder/confined.py" "$unit" "$folder/tool")
"${confine[@]}" live --json --duration 4 --record-dir "$state" --rotate-time 1s --keep 16 --rotate-size 1M >"$folder/lines" \
	2>"$folder/errors" &
live=$!
# The first summary comes when the probes are there.
for _ in {1..200}; do
	[ ! -s "$folder/lines" ] || break
	sleep 0.05
done
"$guest" 300 5 >/dev/null
sleep 1.5
"$guest" 300 5 >/dev/null
grep -E '^(Cap|NoNew|Seccomp:|Uid)' "/proc/$(pgrep -P "$live" -f "$folder/tool" || echo "$live")/status" || true
status=0
wait "$live" || status=$?
cat "$folder/errors"
tail -1 "$folder/lines" | python3 -c '
import json, sys
report = json.loads(sys.stdin.read())
sent = sum(vcpu["ipisSent"] for vm in report["vms"] for vcpu in vm["vcpus"])
print("verdict", report["verdict"], "exit status '"$status"', IPIs", sent)
sys.exit(0 if sent == 600 and report["loss"]["overrun"] == 0 else 1)'
find "$state" -name '*.dat' -printf '%f %s bytes, mode %m\n'
"$tool" analyze --quiet --allow-inconclusive "$state"
((status == 0))

echo "== the unit's own options"
mapfile -t options < <(sed -n 's/^Environment="APICTRACE_[A-Z]*=\(.*\)"$/\1/p' "$unit" | tr ' ' '\n')
echo "${options[*]}"
"${confine[@]}" live --json --record-dir "$state" "${options[@]}" --duration 0.5 --allow-inconclusive >/dev/null

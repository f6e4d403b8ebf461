#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a binary in an empty chroot, where nothing is but it and a recording, and in those of Debian's named releases:
# chroots.sh FILE [SUITE...]    As root. A release that can't be had, or not in SECONDS_EACH, is left out, and said.
set -euo pipefail
cd "$(dirname "$0")/../.."

binary=$PWD/$1
shift
recordings=Tests/TraceCoreTests/Fixtures/bitvisor
faults=0

if [ "$(id -u)" -ne 0 ]; then
    echo "chroots: skipped: chroot takes root"
    exit 0
fi

# run ROOT NAME: what a user would do first, and what it must say.
run() {
    local root=$1 name=$2 status=0 output
    install -D -m 755 "$binary" "$root/apictrace/apictrace"
    install -m 644 $recordings/6.1.192-svifix-undone-smp2/trace.dat "$root/apictrace/trace.dat"
    output=$(chroot "$root" /apictrace/apictrace --version 2>&1) || status=$?
    if [[ $status -ne 0 || $output != apictrace\ * ]]; then
        echo "chroots: $name: --version: status $status: $output" >&2
        faults=1
        return
    fi
    output=$(chroot "$root" /apictrace/apictrace analyze --quiet /apictrace/trace.dat 2>&1) || status=$?
    if [[ $status -ne 1 || $output != *confirmed* ]]; then
        echo "chroots: $name: analyze: status $status: $output" >&2
        faults=1
        return
    fi
    status=0
    # shellcheck disable=SC2016 # the inner shell expands them
    output=$(unshare -m sh -c 'for place in proc sys sys/kernel/tracing; do mkdir -p "$0/$place" && mount --rbind "/$place" "$0/$place"
        done 2>/dev/null; exec chroot "$0" /apictrace/apictrace live --backend bpf --quiet --duration 0.2' "$root" 2>&1) || status=$?
    # Inconclusive where no guest ran meanwhile; 4 where this kernel itself can't be traced, which doctor knows.
    if [[ $status -gt 2 ]] && "$binary" doctor >/dev/null; then
        echo "chroots: $name: live: status $status: $output" >&2
        faults=1
        return
    fi
    echo "chroots: $name: runs"
}

empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
run "$empty" "empty chroot"

for suite in "$@"; do
    root=.build-chroots/$suite
    if [[ ! -e $root/.complete ]]; then
        if ! command -v debootstrap >/dev/null && ! .ci/prepare debootstrap; then
            echo "chroots: $suite: skipped: debootstrap can't be installed"
            continue
        fi
        rm -rf "$root"
        mkdir -p "$root"
        # The packages unpacked, not set up: that is all a program needs to run.
        if ! timeout "${SECONDS_EACH:-600}" debootstrap --foreign --variant=minbase "$suite" "$root" >"$root.log" 2>&1; then
            echo "chroots: $suite: skipped: $(tail -n 1 "$root.log")"
            continue
        fi
        touch "$root/.complete"
    fi
    run "$root" "$suite"
done
exit "$faults"

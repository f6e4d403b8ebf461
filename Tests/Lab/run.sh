#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh: the lab. Boots stock kernels under emulation, runs the scenarios in them and checks every cell (kernel,
# APICv on or off, scenario).
# From the environment, each a list, by default all:  KERNEL=6.12  APICV=on  SCENARIO="passthrough hooked"
# Also: APICTRACE_BIN (a static apictrace), LAB_OUT (outputs, default the cache), LAB_CACHE, LAB_OFFLINE=1,
# LAB_TIMEOUT, LAB_NO_TRACE_CMD=1 (none in the guest).
# Status: 0 every requested cell ran and agreed; 1 not; 77 skipped, with the reason.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need gcc make qemu-system-x86_64 busybox cpio jq awk trace-cmd

out=${LAB_OUT:-$CACHE/out}
build=$CACHE/guest
mkdir -p "$out"
make -s -C "$LAB/guest" OUT="$build"
vmm=$build/lab-vmm

kernels=${KERNEL:-$(table "$LAB/kernels" | awk '{ print $1 }')}
apicvs=${APICV:-on off}
# Beside the guest's scenarios, where apictrace is there to be asked: what it says of a host without KVM.
offered=$("$vmm" --list)${APICTRACE_BIN:+$'\n'conditions}
scenarios=${SCENARIO:-$offered}
read -ra kernels <<<"${kernels//[$'\n',]/ }"
read -ra apicvs <<<"${apicvs//,/ }"
read -ra scenarios <<<"${scenarios//[$'\n',]/ }"
for scenario in "${scenarios[@]}"; do
    grep -qxF -- "$scenario" <<<"$offered" || fail "no scenario '$scenario'; there are: $(paste -sd' ' <<<"$offered")"
done

# Every kernel first, so that a missing one skips the lab before minutes of booting.
declare -A folder
for kernel in "${kernels[@]}"; do
    folder[$kernel]=$("$LAB/fetch-kernel.sh" "$kernel")
done

cells=0 disagreements=0 accidents=0

checker() { if [[ $1 == conditions ]]; then echo "$LAB/check-conditions.sh"; else echo "$LAB/check-cell.sh"; fi; }

# check KERNEL APICV: prints one line a cell.
check() {
    local scenario report
    for scenario in "${scenarios[@]}"; do
        cells=$((cells + 1))
        if report=$("$(checker "$scenario")" "$1" "$2" "$scenario" "$out/$1/$2/$scenario"); then
            report=agrees
        else
            disagreements=$((disagreements + 1))
        fi
        printf '%-6s %-4s %-16s %s\n' "$1" "$2" "$scenario" "$report"
    done
}

# boot KERNEL APICV
boot() {
    local boot_out=$out/$1/$2 started=$SECONDS
    rm -rf "$boot_out"
    if "$LAB/boot.sh" "${folder[$1]}" "$out/$1.cpio" "$boot_out" "$2" "${scenarios[*]}"; then
        check "$1" "$2"
    else
        cells=$((cells + ${#scenarios[@]}))
        disagreements=$((disagreements + ${#scenarios[@]}))
        printf '%-6s %-4s %-16s %s\n' "$1" "$2" "(all)" "the boot failed"
    fi
    accidents=$((accidents + $(<"$boot_out/accidents")))
    say "lab: $(<"${folder[$1]}/release"), APICv $2: $((SECONDS - started)) s"
}

printf '%-6s %-4s %-16s %s\n' kernel apicv scenario result
for kernel in "${kernels[@]}"; do
    "$LAB/build-initramfs.sh" "${folder[$kernel]}" "$vmm" "$out/$kernel.cpio"
    for apicv in "${apicvs[@]}"; do
        boot "$kernel" "$apicv"
    done
done
printf '%d cells, %d disagree, %d boots repeated after an accident of the emulator, %d s\n' \
    "$cells" "$disagreements" "$accidents" "$SECONDS"
((disagreements == 0))

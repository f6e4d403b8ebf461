#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# boot.sh KERNEL_FOLDER INITRAMFS OUTPUT_FOLDER APICV SCENARIOS: boots once under emulation and unpacks the results
# disk into the folder. A boot that panics before KVM's modules are loaded is the emulator's accident: it is
# repeated once, and counted in the file `accidents`. Nothing else is repeated. LAB_TIMEOUT bounds a boot, in
# seconds.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kernel=${1:?usage: boot.sh KERNEL_FOLDER INITRAMFS OUTPUT_FOLDER APICV SCENARIOS}
initramfs=${2:?} out=${3:?} apicv=${4:?} scenarios=${5:?}
need qemu-system-x86_64 timeout tar

readonly DISK_SIZE=256M
disk=$out/results.img
console=$out/console.log
append="console=ttyS0 loglevel=4 panic=-1 mitigations=off tsc=reliable no_timer_check"
append+=" lab.apicv=$apicv lab.scenarios=${scenarios// /,}"

boot() {
    rm -f "$disk"
    truncate -s "$DISK_SIZE" "$disk"
    timeout --kill-after=5 "${LAB_TIMEOUT:-240}" qemu-system-x86_64 \
        -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 1536 -nodefaults -display none -no-reboot \
        -serial "file:$console" -kernel "$kernel/vmlinux" -initrd "$initramfs" -append "$append" \
        -drive "file=$disk,format=raw,if=none,id=results" -device virtio-blk-pci,drive=results </dev/null >&2 || true
}

mkdir -p "$out"
echo 0 >"$out/accidents"
boot
if ! grep -q 'LAB: loading KVM' "$console" && grep -q 'Kernel panic' "$console"; then
    say "lab: the emulator panicked before KVM was loaded; booting once more"
    echo 1 >"$out/accidents"
    mv "$console" "$out/console.accident.log"
    boot
fi
if ! grep -q 'LAB: done' "$console"; then
    tail -n 20 "$console" >&2
    rm -f "$disk"
    fail "the boot did not come to its end (console: $console)"
fi
tar -C "$out" --warning=no-timestamp --strip-components=1 -xf "$disk"
rm -f "$disk"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build-initramfs.sh KERNEL_FOLDER VMM OUTPUT: an uncompressed cpio archive (unpacking is slow under emulation) with
# busybox, the guest, the kernel's KVM and virtio modules, trace-cmd with its libraries, and the file $APICTRACE_BIN
# as apictrace if set.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kernel=${1:?usage: build-initramfs.sh KERNEL_FOLDER VMM OUTPUT}
vmm=${2:?} output=${3:?}
need busybox cpio ldd objcopy setpriv

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# Of mktemp the folder is root's alone.
chmod 755 "$root"
mkdir -p "$root"/{bin,sbin,modules,dev,proc,sys,tmp}

# add PROGRAM [NAME]: the file and the libraries that it is linked to, each at its own path.
add() {
    local library
    install -m 755 "$1" "$root/bin/${2:-${1##*/}}"
    while read -r library; do
        [[ -e $root$library ]] || install -D -m 755 "$(realpath "$library")" "$root$library"
    done < <(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+')
}

busybox=$(command -v busybox)
! ldd "$busybox" >/dev/null 2>&1 || skip "$busybox is not static: install busybox-static"
install -m 755 "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list | grep -vx busybox); do
    ln -sf busybox "$root/bin/$applet"
done
cp "$kernel"/modules/*.ko "$root/modules/"
# For `conditions`: the same modules without their type information.
for module in kvm kvm-amd; do
    objcopy --remove-section=.BTF "$kernel/modules/$module.ko" "$root/modules/$module-nobtf.ko"
done
add "$vmm"
if [[ -z ${LAB_NO_TRACE_CMD:-} ]]; then
    add "$(command -v trace-cmd)"
fi
if [[ -n ${APICTRACE_BIN:-} ]]; then
    [[ -x $APICTRACE_BIN ]] || fail "APICTRACE_BIN=$APICTRACE_BIN is no program"
    add "$APICTRACE_BIN" apictrace
    # For `conditions`: the applet of this name can't change the user.
    rm "$root/bin/setpriv"
    add "$(command -v setpriv)"
fi
install -m 755 "$LAB/init" "$root/init"
install -m 755 "$LAB/run-guest" "$LAB/run-traced" "$root/bin/"

(cd "$root" && find . -print0 | cpio --null --quiet -o -H newc) >"$output"

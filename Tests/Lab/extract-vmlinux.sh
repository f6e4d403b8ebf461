#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# extract-vmlinux.sh BZIMAGE: the ELF kernel inside a bzImage, on standard output. QEMU starts it by its PVH note,
# without the firmware and the decompressor, which are slow under emulation.
#
# Where the payload lies is told by the setup header (Documentation/arch/x86/boot.rst: setup_sects, payload_offset,
# payload_length).
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

image=${1:?usage: extract-vmlinux.sh BZIMAGE}

# field OFFSET BYTES: a little-endian number of the setup header.
field() { od -An -tu"$2" -j "$1" -N "$2" "$image" | tr -d ' '; }

start=$((($(field $((0x1f1)) 1) + 1) * 512 + $(field $((0x248)) 4)))
length=$(field $((0x24c)) 4)
payload() { tail -c "+$((start + 1))" "$image" | head -c "$length"; }

case $(payload 2>/dev/null | head -c 4 | od -An -tx1 | tr -d ' ') in
28b52ffd) unpack=(zstd -dc) ;;
fd377a58) unpack=(xz -dc) ;;
1f8b*) unpack=(gzip -dc) ;;
02214c18) unpack=(lz4 -dc) ;;
*) fail "$image: its payload is packed in a way that is not known here" ;;
esac
need "${unpack[0]}"

# Four bytes with the unpacked size follow the compressed stream, so the decompressor's status can't be trusted.
out=$(mktemp)
trap 'rm -f "$out"' EXIT
payload 2>/dev/null | "${unpack[@]}" >"$out" 2>/dev/null || true
[[ $(head -c 4 "$out" | od -An -tx1 | tr -d ' ') == 7f454c46 ]] || fail "$image: its payload is no ELF kernel"
cat "$out"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that a binary needs no file of the system that it runs on and can be loaded at any address: elf.sh FILE
# Prints a line for each fault; status 1 if there is one.
set -euo pipefail

binary=$1
faults=0
fault() {
    echo "$binary: $*" >&2
    faults=1
}

header=$(readelf -hW "$binary")
segments=$(readelf -lW "$binary")
dynamic=$(readelf -dW "$binary")
versions=$(readelf -VW "$binary")

has() { grep -q "$2" <<<"$1"; }

has "$header" 'Type: *DYN' || fault "no position-independent executable"
has "$segments" 'INTERP' && fault "asks for a loader: it is no static executable"
has "$dynamic" '(NEEDED)' && fault "needs libraries: $(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | xargs)"
has "$dynamic" '(R.*PATH)' && fault "looks for libraries in $(sed -n 's/.*(R.*PATH).*\[\(.*\)\]/\1/p' <<<"$dynamic")"
has "$dynamic" 'TEXTREL' && fault "writes to its code when it is loaded"
has "$segments" 'GNU_RELRO' || fault "no RELRO: what the loader has filled in stays writable"
has "$dynamic" 'BIND_NOW' || fault "RELRO is partial: no BIND_NOW"
has "$segments" 'GNU_STACK.* RWE ' && fault "its stack can be executed"
if has "$versions" 'GLIBC'; then
    fault "needs $(grep -o 'GLIBC[A-Z]*_[0-9.]*' <<<"$versions" | sort -uV | tail -n 1) or later"
fi
exit "$faults"

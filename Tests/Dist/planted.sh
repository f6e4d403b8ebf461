#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a binary in a folder where somebody has put libraries of their own beside it: planted.sh FILE
# None may be loaded. The libraries are named as those that such a program could look for, and say when they are loaded.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -m 755 "$1" "$work/apictrace"
recording=$PWD/Tests/TraceCoreTests/Fixtures/bitvisor/6.1.192-asshipped-smp2/trace.dat

cat >"$work/planted.c" <<'C'
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void ran(void) { close(open("loaded", O_CREAT | O_WRONLY, 0600)); }
C
compiler=$(command -v cc || command -v clang)
"$compiler" -shared -fPIC -o "$work/planted.so" "$work/planted.c"
for name in libgcc_s.so.1 libstdc++.so.6 libm.so.6 libc.so.6 libdl.so.2 libpthread.so.0 libbpf.so.1 libelf.so.1 libz.so.1 \
    libzstd.so.1 libnss_files.so.2 libnss_compat.so.2; do
    cp "$work/planted.so" "$work/$name"
done

cd "$work"
fail() {
    echo "apictrace $*: a library that lies beside it is loaded, or looked at" >&2
    exit 1
}
for arguments in --version "analyze $recording" doctor "live --duration 0.1 --quiet"; do
    for path in "" "$work"; do
        status=0
        # shellcheck disable=SC2086
        (export LD_LIBRARY_PATH=$path && exec ./apictrace $arguments) >output 2>&1 || status=$?
        [[ ! -e loaded ]] || fail "$arguments"
        # One without a symbol ends the program before it says anything of its own.
        [[ $status -ne 127 && $(head -n 1 output) != *"error"* ]] || fail "$arguments"
    done
done

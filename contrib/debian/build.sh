#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian package of what `make dist` made: build.sh DIST    The package is in DIST then. lintian checks it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

dist=$1
version=$("$dist/apictrace" --version)
version=${version%%,*}
version=${version##* }
written=$(dpkg-parsechangelog -l contrib/debian/changelog -S Version)
if [ "$version" != "$written" ]; then
    echo "contrib/debian/changelog begins with $written, and $dist/apictrace is $version: add an entry" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/apictrace-$version
mkdir -p "$tree/dist"
cp -r contrib/debian "$tree/debian"
cp -r "$dist/apictrace" "$dist/man" "$dist/completions" "$tree/dist"
if [ -e contrib/systemd/apictrace.service ]; then
    sed 's,/usr/local/bin/,/usr/bin/,' contrib/systemd/apictrace.service >"$tree/debian/apictrace.service"
    cat contrib/debian/service.lintian-overrides >>"$tree/debian/apictrace.lintian-overrides"
fi
(cd "$tree" && dpkg-buildpackage --build=binary --no-sign --unsigned-changes >"$work/log" 2>&1) || {
    cat "$work/log" >&2
    exit 1
}
rm -f "$dist"/apictrace_*.deb
cp "$work"/apictrace_*.deb "$dist"
as_root=()
[ "$(id -u)" -ne 0 ] || as_root=(--allow-root)
# Exceptions, with their reasons: *.lintian-overrides.
lintian "${as_root[@]}" --fail-on error,warning,info --display-info "$dist"/apictrace_*.deb
ls "$dist"/apictrace_*.deb

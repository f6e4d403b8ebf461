#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes an RPM package of what `make dist` made: build.sh DIST    The package is in DIST then. rpmlint checks it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

dist=$(realpath "$1")
version=$("$dist/apictrace" --version)
version=${version%%,*}
version=${version##* }
if ! grep -q "^\* .* - $version-1\$" contrib/rpm/apictrace.spec; then
    echo "the changelog of contrib/rpm/apictrace.spec has no $version-1, and $dist/apictrace is that: add an entry" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
given=(--define "_topdir $work" --define "version $version" --define "from $dist" --define "license_file $PWD/LICENSE"
    --define "copyright_file $PWD/contrib/debian/copyright")
if [ -e contrib/systemd/apictrace.service ]; then
    sed 's,/usr/local/bin/,/usr/bin/,' contrib/systemd/apictrace.service >"$work/apictrace.service"
    given+=(--define "unit $work/apictrace.service")
fi
rpmbuild -bb --quiet "${given[@]}" contrib/rpm/apictrace.spec >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
rm -f "$dist"/apictrace-*.rpm
cp "$work"/RPMS/x86_64/apictrace-*.rpm "$dist"
# Exceptions, with their reasons: rpmlint.toml. Without --strict a warning would pass.
rpmlint --strict -c contrib/rpm/rpmlint.toml "$dist"/apictrace-*.rpm
ls "$dist"/apictrace-*.rpm

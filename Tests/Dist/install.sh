#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install.sh: what make dist has made is installed where there is no Swift: command, man pages, completions and systemd's unit,
# each of which can be used from there.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s install DESTDIR="$root" PREFIX=/usr SWIFT=/nonexistent/swift

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

"$root/usr/bin/apictrace" --version >/dev/null || fail "the command that was installed doesn't run"
# shellcheck disable=SC2046 # words
for page in "" $("$root/usr/bin/apictrace" help | awk '/^SUBCOMMANDS:/ { on = 1; next } on && /^  [a-z]/ { print "-" $1 }'); do
	[ -s "$root/usr/share/man/man1/apictrace$page.1" ] || fail "no man page apictrace$page(1)"
done
for file in bash-completion/completions/apictrace zsh/site-functions/_apictrace fish/vendor_completions.d/apictrace.fish; do
	[ -s "$root/usr/share/$file" ] || fail "no $file"
done
bash -n "$root/usr/share/bash-completion/completions/apictrace" || fail "the completions for bash are no shell script"
grep -qx 'ExecStart=/usr/bin/apictrace live .*' "$root/usr/lib/systemd/system/apictrace.service" ||
	fail "the unit doesn't run the command that was installed"
echo "installed: $(find "$root" -type f | wc -l) files"

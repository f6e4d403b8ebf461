#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs each package of `make deb` and `make rpm` in a clean Debian, uses it as somebody who has just installed it, removes
# it, and looks for what is left: packages.sh DIST [SUITE]    As root. Without the suite, or with SECONDS_EACH over, skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

dist=$(realpath "$1")
suite=${2:-trixie}
root=$PWD/.build-chroots/packages-$suite
recording=Tests/TraceCoreTests/Fixtures/bitvisor/6.1.192-svifix-undone-smp2/trace.dat

if [ "$(id -u)" -ne 0 ]; then
    echo "packages: skipped: chroot takes root"
    exit 0
fi
if [ ! -e "$root/.complete" ]; then
    if ! command -v debootstrap >/dev/null && ! .ci/prepare debootstrap; then
        echo "packages: skipped: debootstrap can't be installed"
        exit 0
    fi
    rm -rf "$root"
    mkdir -p "$root"
    if ! timeout "${SECONDS_EACH:-600}" debootstrap --variant=minbase --include=man-db "$suite" "$root" >"$root.log" 2>&1; then
        echo "packages: skipped: $suite can't be had: $(tail -n 1 "$root.log")"
        exit 0
    fi
    touch "$root/.complete"
fi

fail() {
    echo "packages: $*" >&2
    exit 1
}

# What a package could leave or change: each file with its kind, mode, size and owner. Not what keeps account of packages.
files() {
    (cd "$root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/rpm -o -path ./var/log -o -path ./var/cache \
        -o -path ./tmp \) -prune -o \( -type d -printf '%y %m %u %p\n' -o -printf '%y %m %u %s %p %l\n' \)) | sort
}

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LC_ALL=C.UTF-8 "$@"; }

# use KIND ZSH: what anyone would do first, and what must come of it. ZSH is where that system's zsh looks.
use() {
    local kind=$1 zsh=$2 status=0 said page
    said=$(inside apictrace --version)
    [[ $said == "$("$dist/apictrace" --version)" ]] || fail "$kind: --version says $said"
    [[ $(inside apictrace explain stale-svi) == *04bc93cf49d1* ]] || fail "$kind: explain doesn't explain"
    install -m 644 "$recording" "$root/tmp/trace.dat"
    said=$(inside apictrace analyze --quiet /tmp/trace.dat 2>&1) || status=$?
    [[ $status -eq 1 && $said == *confirmed* ]] || fail "$kind: analyze: status $status: $said"
    rm "$root/tmp/trace.dat"
    for page in "$dist"/man/*.1; do
        page=$(basename "$page" .1)
        [[ $(inside man -w "$page") == /usr/share/man/man1/$page.1.gz ]] || fail "$kind: man finds no $page(1)"
    done
    [[ $(inside man apictrace-analyze 2>&1) == *"Default: exposed."* ]] || fail "$kind: man shows no defaults"
    inside bash -c 'source /usr/share/bash-completion/completions/apictrace && complete -p apictrace' >/dev/null \
        || fail "$kind: bash gets no completions"
    [[ -s $root/usr/share/zsh/$zsh/_apictrace && -s $root/usr/share/fish/vendor_completions.d/apictrace.fish ]] \
        || fail "$kind: zsh or fish get no completions"
    if [[ -e contrib/systemd/apictrace.service ]]; then
        grep -q '^ExecStart=.*/usr/bin/apictrace ' "$root/usr/lib/systemd/system/apictrace.service" \
            || fail "$kind: no unit, or it starts another file"
    fi
}

# gone KIND BEFORE: nothing is left.
gone() {
    local kind=$1 before=$2 left
    left=$(diff <(printf '%s\n' "$before") <(files)) || fail "$kind: is left behind, or changed:"$'\n'"$left"
    # Man keeps what it has shown, and apt and dpkg their logs.
    left=$(find "$root" -xdev \( -path "$root/var/cache/man" -o -path "$root/var/log" \) -prune -o -name '*apictrace*' -print)
    [[ -z $left ]] || fail "$kind: is left behind: $left"
}

before=$(files)
cp "$dist"/apictrace_*_amd64.deb "$root/tmp/package.deb"
inside dpkg -i /tmp/package.deb >"$root.log" 2>&1 || fail "dpkg -i: $(tail "$root.log")"
rm "$root/tmp/package.deb"
[[ -s $root/usr/share/doc/apictrace/copyright && -s $root/usr/share/doc/apictrace/changelog.gz ]] || fail "deb: no copyright or changelog"
use deb vendor-completions
inside dpkg --purge apictrace >"$root.log" 2>&1 || fail "dpkg --purge: $(tail "$root.log")"
gone deb "$before"
echo "packages: deb: installed, used and removed in $suite"

# Nobody's Fedora can be had from Debian's mirrors: rpm unpacks into the same system, which it knows nothing of (--nodeps).
rpm=(rpm --root "$root" --dbpath /var/lib/rpm --force-debian)
# Fedora's own `filesystem` has it.
mkdir -p "$root/usr/share/licenses"
before=$(files)
"${rpm[@]}" --nodeps -i "$dist"/apictrace-*.x86_64.rpm 2>"$root.log" || fail "rpm -i: $(tail "$root.log")"
[[ -s $root/usr/share/licenses/apictrace/LICENSE ]] || fail "rpm: no licence"
[[ $("${rpm[@]}" -q --changelog apictrace) == *0.1.0-1* ]] || fail "rpm: no changelog"
"${rpm[@]}" -V --nodeps apictrace || fail "rpm: a file is not as it was packed"
use rpm site-functions
"${rpm[@]}" -e apictrace 2>"$root.log" || fail "rpm -e: $(tail "$root.log")"
rm -rf "$root/var/lib/rpm"
gone rpm "$before"
echo "packages: rpm: installed, used and removed"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# fetch-kernel.sh NAME: prints a folder that holds one stock kernel of the table `kernels`: vmlinux (ELF, with its
# PVH note), modules/ (the tree of /lib/modules/RELEASE) and the file `release`. Downloads it once into the cache.
#
# The packages come from the mirror that this machine's own apt uses, through an apt configuration of its own, so that
# the host's lists, cache and preferences stay as they are. LAB_OFFLINE=1 uses the cache alone.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

name=${1:?usage: fetch-kernel.sh NAME}
suite=$(table "$LAB/kernels" | awk -v name="$name" '$1 == name { print $2 }')
[[ -n $suite ]] || fail "no kernel '$name' in Tests/Lab/kernels"

kernel=$CACHE/kernels/$name
if [[ -e $kernel/release ]]; then
    printf '%s\n' "$kernel"
    exit 0
fi
[[ -z ${LAB_OFFLINE:-} ]] || skip "kernel $name is not in $CACHE and LAB_OFFLINE is set"
need apt-get apt-cache apt-config dpkg-deb xz

mkdir -p "$CACHE"
apt=$(mktemp -d "$CACHE/apt.XXXXXX")
work=$(mktemp -d "$CACHE/unpack.XXXXXX")
trap 'rm -rf "$apt" "$work"' EXIT

# The host's mirror: the repository of the first source that has a component `main`.
# shellcheck disable=SC2016 # apt's own placeholders
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 == "main" { print $1; exit }')
[[ -n $mirror ]] || skip "this machine's apt has no source with a component 'main' to derive a mirror from"

mkdir -p "$apt"/{lists/partial,archives/partial,empty}
: >"$apt/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
options=
[[ ! -e $keyring ]] || options="[signed-by=$keyring] "
printf 'deb %s%s %s main\n' "$options" "$mirror" "$suite" >"$apt/sources.list"

# The host's way to the network (proxies and the like) is kept; its lists, hooks, preferences and caches are not.
{
    apt-config dump | grep -E '^(Acquire::(http|https|ftp|Retries|Check-)|APT::Architecture )' || true
    cat <<CONF
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$apt/empty";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/empty";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$apt/empty";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "$apt";
Acquire::Languages "none";
APT::Sandbox::User "";
CONF
} >"$apt/apt.conf"
export APT_CONFIG=$apt/apt.conf

say "lab: fetching kernel $name (suite $suite)"
apt-get update -qq >&2 || skip "no package list for suite $suite from this machine's mirror"

# linux-image-amd64 leads to the kernel through one or two levels of dependencies; which package holds the image and
# which the modules differs by suite, so all of them are taken.
mapfile -t packages < <(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances linux-image-amd64 2>/dev/null |
    grep -E '^linux-(image|binary|modules)-[0-9]' | sort -u)
((${#packages[@]} > 0)) || skip "suite $suite has no linux-image-amd64"

(cd "$work" && apt-get download -qq "${packages[@]}" >&2) || skip "can't download ${packages[*]}"
for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done

# The kernel is /boot/vmlinuz-RELEASE, in newer suites /usr/lib/modules/RELEASE/vmlinuz.
modules=$(find "$work/root" -type d -path '*/lib/modules/*' -prune | sort -V | tail -1)
[[ -n $modules ]] || fail "no modules in ${packages[*]}"
release=${modules##*/}
bzimage=$(find "$work/root" -type f \( -path "*/boot/vmlinuz-$release" -o -path "$modules/vmlinuz" \) | head -1)
[[ -n $bzimage ]] || fail "no kernel image in ${packages[*]}"
case $release in
"$name".* | "$name"-* | "$name"+*) ;;
*) skip "suite $suite now has $release, not $name: adjust Tests/Lab/kernels" ;;
esac

rm -rf "$kernel"
mkdir -p "$kernel"
"$LAB/extract-vmlinux.sh" "$bzimage" >"$kernel/vmlinux"
mkdir -p "$kernel/modules"
# Only what the lab loads: all modules of a kernel are 400 MB.
find "$modules" -type f \( -name 'kvm*.ko*' -o -name 'irqbypass.ko*' -o -name 'ccp.ko*' -o -name 'virtio*.ko*' \) \
    -exec cp -t "$kernel/modules" {} +
find "$kernel/modules" -name '*.xz' -exec xz -d {} +
printf '%s\n' "$release" >"$kernel/release"
printf '%s\n' "$kernel"

# SPDX-License-Identifier: Apache-2.0
# Shared by the lab's scripts: where things are, and how a script says that it can't go on.
# shellcheck shell=bash

# shellcheck disable=SC2034 # used by those that source this file
LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/apictrace-lab}

readonly LAB CACHE
readonly EXIT_SKIPPED=77

say() { printf '%s\n' "$*" >&2; }
fail() { say "lab: $*"; exit 1; }
skip() { say "lab: skipped: $*"; exit "$EXIT_SKIPPED"; }

# need COMMAND...: skips, naming every missing command at once.
need() {
    local command missing=()
    for command; do
        command -v "$command" >/dev/null || missing+=("$command")
    done
    ((${#missing[@]} == 0)) || skip "not installed: ${missing[*]} (the packages are listed in Tests/Lab/packages)"
}

# table FILE: the file's lines without comments and blank lines.
table() { grep -Ev '^[[:space:]]*(#|$)' "$1"; }

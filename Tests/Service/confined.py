#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""confined.py UNIT COMMAND...: runs a command with the system calls that a unit's SystemCallFilter allows, and no new privileges.

The sets of system calls are those that systemd-analyze knows; libseccomp, which systemd itself uses, makes the filter. What the unit
doesn't allow fails as its SystemCallErrorNumber says, EPERM.
"""
import ctypes
import os
import subprocess
import sys

# What an allow list always has (systemd.exec(5), SystemCallFilter=).
IMPLIED = ["@default", "execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn"]
SCMP_ACT_ALLOW = 0x7FFF0000
SCMP_ACT_ERRNO_EPERM = 0x00050000 | 1
PR_SET_NO_NEW_PRIVS = 38


def sets():
    """The system calls, and other sets, of each set."""
    text = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    members, name = {}, None
    for line in text.stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            name = word
            members[name] = []
        elif word.startswith("#") and not line.startswith(" "):
            name = None
        elif name and word and not word.startswith("#"):
            members[name].append(word)
    return members


def expand(words, members):
    calls = set()
    for word in words:
        calls |= expand(members[word], members) if word.startswith("@") else {word}
    return calls


def allowed(unit):
    members, calls = sets(), set()
    calls |= expand(IMPLIED, members)
    with open(unit, encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.strip().partition("=")
            if key != "SystemCallFilter":
                continue
            if value.startswith("~"):
                calls -= expand(value[1:].split(), members) - expand(IMPLIED, members)
            else:
                calls |= expand(value.split(), members)
    return calls


def confine(calls):
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(SCMP_ACT_ERRNO_EPERM))
    if not context:
        sys.exit("libseccomp can't make a filter")
    for call in sorted(calls):
        number = library.seccomp_syscall_resolve_name(call.encode())
        # Below zero: this architecture has none of that name.
        if number >= 0 and library.seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0):
            sys.exit(f"libseccomp takes no {call}")
    if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or library.seccomp_load(context):
        sys.exit("the filter can't be loaded")


if __name__ == "__main__":
    confine(allowed(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])

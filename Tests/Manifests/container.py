#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a file as the one process of a container, as a container's runtime would: as root.

usage: container.py ROOT CAPABILITY,... FROM:TO,... ARGUMENTS...

ROOT is a folder with the executable `apictrace` and becomes the root, read-only, with a proc and a sysfs of its own; FROM is mounted
at TO, read-only. Of the capabilities those that are named are left, and none can be gained.
"""

import ctypes
import os
import subprocess
import sys

NUMBERS = {"DAC_READ_SEARCH": 2, "SYS_ADMIN": 21, "PERFMON": 38, "BPF": 39}
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, CLONE_NEWNS = 24, 38, 0x20000

root, capabilities, mounts, *arguments = sys.argv[1:]
keep = {NUMBERS[name] for name in capabilities.split(",")}
libc = ctypes.CDLL(None, use_errno=True)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


if libc.unshare(CLONE_NEWNS):
    sys.exit("container.py: no mounts of its own can be had")
mount("--make-rprivate", "/")
mount("--bind", root, root)
os.chdir(root)
os.mkdir("proc")
os.mkdir("sys")
mount("-t", "proc", "proc", "proc")
mount("-t", "sysfs", "-o", "ro", "sysfs", "sys")
for pair in mounts.split(","):
    source, target = pair.split(":")
    mount("--bind", source, f".{target}")
    mount("-o", "remount,bind,ro", f".{target}")
mount("-o", "remount,bind,ro", root)
os.chroot(root)
os.chdir("/")
for number in range(64):
    if number not in keep:
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
os.execv("/apictrace", ["apictrace", *arguments])

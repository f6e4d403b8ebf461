#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens trace.dat files in KernelShark, on a screen that nobody sees.

usage: Tests/Outputs/kernelshark.py TRACE...

Ends with 77, and says why, where KernelShark or the screen is missing. That a broken file isn't opened is tried beside it: else the
test could not fail.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from browser import skip

SECONDS = 60
# KernelShark refuses to run as root.
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
PROGRAMS = ["kernelshark", "xvfb-run", "xwininfo", "setpriv"]


def opened(trace, home):
    """Whether its window names the trace, as it does once the trace is loaded, and what it complained of until then."""
    script = """
        kernelshark "$1" >"$HOME/log" 2>&1 &
        for _ in $(seq "$2"); do
            sleep 1
            xwininfo -root -tree | grep -qF "Kernel Shark ($1)" && echo "window: $1" && break
            grep -q ERROR "$HOME/log" && break
        done
        kill $!
        cat "$HOME/log"
    """
    result = subprocess.run(
        [*AS_NOBODY, "xvfb-run", "-a", "bash", "-c", script, "-", str(trace), str(SECONDS)], capture_output=True, text=True,
        check=False, env={**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "QT_QPA_PLATFORM": "xcb"})
    complaints = [line for line in result.stdout.splitlines() if "ERROR" in line]
    return f"window: {trace}" in result.stdout.splitlines() and not complaints, complaints


def main():
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        skip(f"{', '.join(missing)}: not installed (make browser)")
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        home.chmod(0o777)
        traces = [home / f"{number}.dat" for number, _ in enumerate(sys.argv[1:])]
        for trace, path in zip(traces, sys.argv[1:]):
            shutil.copyfile(path, trace)
        broken = home / "broken.dat"
        broken.write_bytes(traces[0].read_bytes()[:3000])
        for trace in (*traces, broken):
            trace.chmod(0o644)
            start = time.monotonic()
            is_open, complaints = opened(trace, home)
            is_right = is_open == (trace != broken)
            faults += not is_right
            print(f"{'ok ' if is_right else 'NOT'} {trace.name} {'opens' if is_open else 'does not open'}, "
                  f"{time.monotonic() - start:.1f} s {' '.join(complaints)}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

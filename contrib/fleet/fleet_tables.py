# SPDX-License-Identifier: Apache-2.0
"""The three tables that the reports of many recordings become, and the folder of Parquet files that keeps them.

docs/fleet.md describes the columns. Their version is VERSION: within it columns are only added, as keys are to the report.
"""

import fcntl
import os
import re
import uuid

import fsspec
import pyarrow
import pyarrow.parquet

VERSION = "1.0"
# The first number of the report's schemaVersion, within which keys are only added.
REPORT_MAJOR = "1"

TEXT, COUNT, TRUTH = pyarrow.string(), pyarrow.int64(), pyarrow.bool_()
TEXTS = pyarrow.list_(TEXT)


def schema(*columns):
    return pyarrow.schema(list(columns), metadata={"apictrace.tables": VERSION})


# What a row of each table begins with.
WHOSE = [("recording", TEXT), ("host", TEXT), ("schema_version", TEXT)]

SCHEMAS = {
    "recordings": schema(
        *WHOSE, ("size", COUNT), ("state", TEXT), ("status", TEXT), ("error", TEXT), ("tool_version", TEXT),
        ("seconds", pyarrow.float64()), ("format", TEXT), ("kernel", TEXT), ("release", TEXT), ("isa", TEXT), ("fix", TEXT),
        ("fix_basis", TEXT), ("clock", TEXT), ("clock_unit", TEXT), ("span", COUNT), ("cpus", COUNT), ("events", COUNT), ("events_lost", COUNT),
        ("gaps_unknown", COUNT), ("cut", TRUTH), ("verdict", TEXT), ("findings", COUNT), ("vms", COUNT), ("observations", TEXTS),
        ("reasons", TEXTS)),
    "findings": schema(
        *WHOSE, ("id", TEXT), ("rule", TEXT), ("grade", TEXT), ("vm", COUNT), ("vcpu", COUNT), ("first", COUNT), ("last", COUNT),
        ("count", COUNT), ("inferred", TRUTH), ("vectors", TEXTS), ("stuck", TEXTS), ("crossed", TEXTS), ("symptoms", TEXTS),
        ("explanation", TEXT), ("advice", TEXT)),
    "vms": schema(
        *WHOSE, ("vm", COUNT), ("pid", COUNT), ("command", TEXT), ("guest", TEXT), ("apic_of_l2", TEXT), ("vcpus", COUNT),
        ("apicv_states", TEXTS), ("apicv_last", TEXT), ("inhibits", TEXTS), ("exits_l1", COUNT), ("exits_l2", COUNT),
        ("l2_direct_reads", COUNT), ("l2_direct_writes", COUNT), ("l2_hooked_reads", COUNT), ("l2_hooked_writes", COUNT),
        ("ipis_sent", COUNT), ("outstanding", COUNT), ("events_lost", COUNT)),
}


def total(values):
    """The sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def release(kernel):
    """`6.1.0-55-amd64` of `Linux host 6.1.0-55-amd64 x86_64`, and of what begins with it."""
    found = re.search(r"(?:^|\s)(\d+\.\d+\S*)", kernel or "")
    return found and found[1]


def recording_row(report):
    source, loss, host = report["source"], report["loss"], report["host"]
    return {
        "tool_version": report["tool"]["version"], "format": source["format"], "kernel": source["kernel"],
        "release": release(source["kernel"]), "isa": host["isa"],
        "fix": host["sviFix"]["state"], "fix_basis": host["sviFix"]["basis"], "clock": source["clock"]["name"],
        "clock_unit": source["clock"]["unit"], "span": source["span"]["last"] - source["span"]["first"], "cpus": source["cpus"],
        "events": source["events"]["total"], "events_lost": loss["known"], "gaps_unknown": loss["unknownGaps"],
        "cut": source["cut"] is not None, "verdict": report["verdict"], "findings": len(report["findings"]),
        "vms": len(report["vms"]), "observations": sorted({each["kind"] for each in report["observations"]}),
        "reasons": report["reasons"],
    }


def finding_row(finding):
    same = ("id", "rule", "grade", "vm", "vcpu", "first", "last", "count", "inferred", "vectors", "stuck", "symptoms", "explanation",
            "advice")
    return {name: finding[name] for name in same} | {"crossed": [crossing["vector"] for crossing in finding["crossings"]]}


def vm_row(vm):
    vcpus, apicv = vm["vcpus"], vm["apicv"]

    def accesses(kind, way):
        return total(vcpu["apicAccess"][kind][way] for vcpu in vcpus)

    return {
        "vm": vm["id"], "pid": vm["pid"], "command": vm["command"], "guest": vm["guest"], "apic_of_l2": vm["apicOfL2"],
        "vcpus": len(vcpus), "apicv_states": sorted({span["state"] for span in apicv}),
        "apicv_last": apicv[-1]["state"] if apicv else None,
        "inhibits": sorted({name for span in apicv for name in span["inhibits"]}),
        "exits_l1": total(count for vcpu in vcpus for count in vcpu["exits"]["l1"].values()) or 0,
        "exits_l2": total(count for vcpu in vcpus for count in vcpu["exits"]["l2"].values()) or 0,
        "l2_direct_reads": accesses("l2Direct", "reads"), "l2_direct_writes": accesses("l2Direct", "writes"),
        "l2_hooked_reads": accesses("l2Hooked", "reads"), "l2_hooked_writes": accesses("l2Hooked", "writes"),
        "ipis_sent": total(vcpu["ipisSent"] for vcpu in vcpus),
        "outstanding": total(each["outstanding"] for vcpu in vcpus for each in vcpu["interrupts"]),
        "events_lost": vm.get("eventsLost"),
    }


def tables(about, status, error=None, report=None, seconds=None):
    """The rows of one recording, a table each of SCHEMAS.

    about: the recording, its host, size and state, which the list of recordings has.
    status: "read"; "unreadable", which the same file is for ever; "failed", which is tried again.
    """
    rows = {"recordings": [{"status": status, "error": error, "seconds": seconds}], "findings": [], "vms": []}
    if report:
        rows["recordings"][0] |= recording_row(report)
        rows["findings"] = [finding_row(finding) for finding in report["findings"]]
        rows["vms"] = [vm_row(vm) for vm in report["vms"]]
    known = about | {"schema_version": report["schemaVersion"] if report else None}
    return {
        name: pyarrow.Table.from_pylist([known | row for row in rows[name]], schema=SCHEMAS[name]) for name in SCHEMAS
    }


def joined(outcomes):
    """The rows of all of them, a table each."""
    return {name: pyarrow.concat_tables([outcome[name] for outcome in outcomes]) for name in SCHEMAS}


def resolve(url):
    """The file system and the path in it of a URL. What has no scheme is a local path, whatever else is in its name."""
    if "://" in url or url.startswith("file:"):
        return fsspec.url_to_fs(url)
    return fsspec.filesystem("file"), os.path.abspath(url)


class Unusable(Exception):
    """Why a folder can't take results."""


class Store:
    """A folder with a folder of Parquet files for each table.

    A part is a file of the same name in each of them. The one of `recordings` is written last: a part without it is of a run that
    was ended in between, and counts for nothing.
    """

    def __init__(self, url):
        self.files, self.root = resolve(url)
        for table in SCHEMAS:
            self.files.makedirs(f"{self.root}/{table}", exist_ok=True)
        # Two runs at once would take each other's parts for what an ended run has left. An object store knows no such lock.
        if "file" in self.files.protocol:
            self.lock = open(f"{self.root}/.lock", "w")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Unusable(f"another run is writing to {url}") from None

    def parts(self, table):
        self.files.invalidate_cache()
        try:
            paths = self.files.ls(f"{self.root}/{table}", detail=False)
        except FileNotFoundError:  # where folders are there with what is in them only
            return set()
        return {path.rsplit("/", 1)[1] for path in paths if path.endswith(".parquet")}

    def path(self, table, part):
        return f"{self.root}/{table}/{part}"

    def read(self, table, part):
        path = self.path(table, part)
        try:
            with self.files.open(path, "rb") as file:
                return pyarrow.parquet.read_table(file)
        except (pyarrow.ArrowInvalid, FileNotFoundError) as error:
            raise Unusable(f"{path} is damaged or gone: take {part} out of each table, and run again ({error})") from error

    def write(self, table, part, rows):
        """Whole or not at all: what is there under that name is complete at any time."""
        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(rows, sink, compression="zstd")
        draft = self.path(table, f".{part}.draft")
        self.files.pipe_file(draft, sink.getvalue().to_pybytes())
        self.files.mv(draft, self.path(table, part))

    def add(self, rows):
        """A part of these rows, a table each."""
        part = f"{uuid.uuid4().hex}.parquet"
        for table in ("findings", "vms", "recordings"):
            self.write(table, part, rows[table].sort_by([("recording", "ascending")]))

    def settle(self, is_current):
        """Takes away what no longer stands, and what ended runs have left. Gives the names of recordings that have their rows.

        is_current: of a row of `recordings`.
        """
        complete, done = self.parts("recordings"), set()
        for table in ("findings", "vms"):
            for part in self.parts(table) - complete:
                self.files.rm(self.path(table, part))
        for part in complete:
            standing, rows = [], self.read("recordings", part)
            for row in rows.to_pylist():
                standing.append(row["recording"] not in done and is_current(row))
                if standing[-1]:
                    done.add(row["recording"])
            if all(standing):
                continue
            kept = {row["recording"] for row, stands in zip(rows.to_pylist(), standing) if stands}
            # `recordings` comes last here too: until then the next run finds the same rows to be old.
            for table in ("findings", "vms", "recordings"):
                if not kept:
                    self.files.rm(self.path(table, part))
                    continue
                old = self.read(table, part)
                self.write(table, part, old.filter([name.as_py() in kept for name in old["recording"]]))
        return done

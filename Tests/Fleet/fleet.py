#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/fleet/analyze.py on clusters and S3 servers of this machine, with the recordings among the tests.

usage: Tests/Fleet/fleet.py APICTRACE [TEST...]      with the Python of .build/fleet (make fleet)

What the tables have to say is worked out anew from what `apictrace analyze --json FILE...` prints.
"""

import collections
import json
import logging
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import distributed
import duckdb
import fsspec
import pyarrow.parquet
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests/TraceCoreTests/Fixtures"
GRADES = ["clean", "inconclusive", "exposed", "hazard", "suspect", "confirmed"]
TABLES = ("recordings", "findings", "vms")
LOSS, HEALTHY = (FIXTURES / f"bitvisor/6.1.192-{kind}-smp2/trace.dat" for kind in ("svifix-undone", "asshipped"))


def rows(output, table):
    """All rows of a table, by recording."""
    found = [row for path in sorted((output / table).glob("*.parquet")) for row in pyarrow.parquet.read_table(path).to_pylist()]
    return sorted(found, key=lambda row: row["recording"])


def content(output):
    return {path: path.read_bytes() for path in output.rglob("*.parquet")}


class Fleet(unittest.TestCase):
    binary = None

    @classmethod
    def setUpClass(cls):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        # The store is there before the workers are: they take its address from their environment, as in earnest.
        cls.store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        cls.store.start()
        host, port = cls.store.get_host_and_port()
        os.environ |= {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        cls.cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL)
        lines = subprocess.run(
            [cls.binary, "analyze", "--json", FIXTURES], capture_output=True, text=True).stdout.splitlines()
        cls.reports = {report["source"]["path"]: report for report in map(json.loads, lines) if report["type"] == "report"}

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()
        cls.store.stop()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.output = self.folder / "results"

    def start(self, *arguments, cluster=None, binary=None, output=None):
        scheduler = [] if cluster == "own" else ["--scheduler", cluster or self.cluster.scheduler_address]
        return subprocess.Popen(
            [sys.executable, ROOT / "contrib/fleet/analyze.py", "--binary", binary or self.binary, "-o", output or self.output,
             *scheduler, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def ended(self, process, status):
        said, errors = (text.decode("utf-8", "replace") for text in process.communicate(timeout=120))
        self.assertEqual(process.returncode, status, errors)
        self.assertEqual(said, "")
        self.assertNotIn("Traceback", errors)
        return errors

    def analyze(self, *arguments, status=0, **keys):
        return self.ended(self.start(*arguments, **keys), status)

    def script(self, text):
        """An apictrace that first does something else; what tells its version does not."""
        path = self.folder / "wrapped"
        path.write_text(f'#!/bin/bash\n[ "$1" = --version ] && exec "{self.binary}" --version\n{text}\nexec "{self.binary}" "$@"\n')
        path.chmod(0o755)
        return str(path)

    def statuses(self, output=None):
        return {os.path.basename(row["recording"]): row["status"] for row in rows(output or self.output, "recordings")}

    def test_the_rows_say_what_the_reports_say_and_a_second_run_changes_nothing(self):
        self.analyze(FIXTURES, cluster="own")
        recordings = {row["recording"]: row for row in rows(self.output, "recordings")}
        files = {str(path) for path in FIXTURES.rglob("*") if path.is_file()}
        self.assertEqual(set(recordings), files)
        self.assertEqual({name for name, row in recordings.items() if row["status"] == "read"}, set(self.reports))
        self.assertEqual({row["status"] for row in recordings.values()}, {"read", "unreadable"})
        for name, report in self.reports.items():
            row, source = recordings[name], report["source"]
            self.assertEqual(
                (row["verdict"], row["schema_version"], row["format"], row["kernel"], row["events"], row["events_lost"], row["cut"],
                 row["fix"], row["reasons"], row["findings"], row["vms"], row["size"], row["host"], row["error"]),
                (report["verdict"], report["schemaVersion"], source["format"], source["kernel"], source["events"]["total"],
                 report["loss"]["known"], source["cut"] is not None, report["host"]["sviFix"]["state"], report["reasons"],
                 len(report["findings"]), len(report["vms"]), os.path.getsize(name), os.path.basename(os.path.dirname(name)), None),
                name)
        same = ("id", "rule", "grade", "vm", "vcpu", "first", "last", "count", "vectors", "stuck", "symptoms", "explanation")
        told = collections.Counter(
            json.dumps([name] + [finding[key] for key in same] + [[each["vector"] for each in finding["crossings"]]])
            for name, report in self.reports.items() for finding in report["findings"])
        self.assertGreater(len(told), 100)
        self.assertEqual(told, collections.Counter(
            json.dumps([row["recording"]] + [row[key] for key in same] + [row["crossed"]])
            for row in rows(self.output, "findings")))
        vms = {(row["recording"], row["vm"]): row for row in rows(self.output, "vms")}
        self.assertEqual(set(vms), {(name, vm["id"]) for name, report in self.reports.items() for vm in report["vms"]})
        direct = 0
        for (name, number), row in vms.items():
            vm = next(vm for vm in self.reports[name]["vms"] if vm["id"] == number)
            self.assertEqual((row["pid"], row["command"], row["vcpus"], row["apic_of_l2"], row["apicv_last"]),
                             (vm["pid"], vm["command"], len(vm["vcpus"]), vm["apicOfL2"], vm["apicv"][-1]["state"]))
            for level in ("l1", "l2"):
                self.assertEqual(row[f"exits_{level}"], sum(sum(vcpu["exits"][level].values()) for vcpu in vm["vcpus"]))
            self.assertEqual(set(row["inhibits"]), {inhibit for span in vm["apicv"] for inhibit in span["inhibits"]})
            self.assertEqual(set(row["apicv_states"]), {span["state"] for span in vm["apicv"]})
            for column, values in (
                    ("outstanding", [each["outstanding"] for vcpu in vm["vcpus"] for each in vcpu["interrupts"]]),
                    ("ipis_sent", [vcpu["ipisSent"] for vcpu in vm["vcpus"]]),
                    ("l2_hooked_writes", [vcpu["apicAccess"]["l2Hooked"]["writes"] for vcpu in vm["vcpus"]])):
                self.assertEqual(row[column], None if set(values) <= {None} else sum(value or 0 for value in values), column)
            direct += row["l2_direct_writes"] or 0
        self.assertEqual(direct, sum(vcpu["apicAccess"]["l2Direct"]["writes"] or 0 for report in self.reports.values()
                                     for vm in report["vms"] for vcpu in vm["vcpus"]))
        for table in TABLES:
            part = next((self.output / table).glob("*.parquet"))
            self.assertEqual(pyarrow.parquet.read_schema(part).metadata[b"apictrace.tables"], b"1.0")
        before = content(self.output)
        self.assertIn("0 recordings to analyse", self.analyze(FIXTURES))
        self.assertEqual(content(self.output), before)
        self.ask()

    def ask(self):
        """The questions of docs/fleet.md, each with its answer worked out of the reports in another way."""
        text = (ROOT / "docs/fleet.md").read_text()
        questions = re.findall(r"^### (.*?)\n\n```sql\n(.*?)```", text, re.M | re.S)
        views = re.search(r"^```sql\n(create view.*?)```", text, re.M | re.S)[1]
        self.assertEqual(text.count("```sql\n"), len(questions) + 1)
        answers = self.answers()
        self.assertEqual([question for question, _ in questions], list(answers))
        base = duckdb.connect()
        base.execute(f"set file_search_path = '{self.output}'")
        base.execute(views)
        for question, sql in questions:
            found = base.sql(sql).fetchall()
            self.assertEqual(found, answers[question], question)
            self.assertGreater(len(found), 0, question)

    def answers(self):
        def host(name):
            return name.split("/")[-2]

        def release(report):
            kernel = report["source"]["kernel"] or ""
            return next((word for word in kernel.split() if re.match(r"\d+\.\d", word)), None)

        def last(value):
            """DuckDB's order: null comes last."""
            return (value is None, value or "")

        kernels, fixes, vectors, guests = (collections.defaultdict(list) for _ in range(4))
        hosts, reasons = collections.defaultdict(list), collections.defaultdict(list)
        for name, report in self.reports.items():
            kernels[release(report), report["host"]["isa"]].append((host(name), report["verdict"]))
            hosts[host(name)].append((GRADES.index(report["verdict"]), release(report)))
            if report["host"]["isa"] == "vmx":
                fixes[report["host"]["sviFix"]["state"], report["host"]["sviFix"]["basis"]].append(host(name))
            for finding in report["findings"]:
                if finding["grade"] in ("suspect", "confirmed"):
                    for vector in finding["vectors"]:
                        vectors[finding["rule"], vector].append(name)
                if finding["rule"].startswith("l2-apic-direct"):
                    command = next(vm["command"] for vm in report["vms"] if vm["id"] == finding["vm"])
                    guests[host(name), command].append((name, finding["vm"], finding["count"]))
            if report["verdict"] == "inconclusive":
                for reason in report["reasons"]:
                    reasons[reason].append(host(name))

        lost = []
        for (name, isa), of in kernels.items():
            losing = sum(verdict in ("suspect", "confirmed") for _, verdict in of)
            hazard = sum(verdict == "hazard" for _, verdict in of)
            if losing or hazard:
                lost.append((name, isa, len(of), len({each for each, _ in of}), losing, hazard))
        exposed = []
        for name, of in hosts.items():
            worst = max(grade for grade, _ in of)
            if worst >= 2:
                exposed.append((name, GRADES[worst], sorted({each for _, each in of}, key=last), sum(grade >= 2 for grade, _ in of)))
        unread = collections.defaultdict(list)
        for path in FIXTURES.rglob("*"):
            if path.is_file() and str(path) not in self.reports:
                said = json.loads(subprocess.run([self.binary, "analyze", "--json", path], capture_output=True).stdout)["error"]
                unread["unreadable", said.removeprefix(f"{path}: ")].append(str(path))
        return {
            "Which kernels lose interrupts?": sorted(lost, key=lambda row: (-row[4], -row[5], last(row[0]), row[1])),
            "Which hosts are exposed, and how badly?": sorted(exposed, key=lambda row: (-GRADES.index(row[1]), row[0])),
            "Which hosts lack the fix for sure, and which can't be told?": sorted(
                (*key, len(set(of)), len(of)) for key, of in fixes.items()),
            "What is lost: which vectors, by which rule?": sorted(
                ((*key, len(set(of)), len({host(name) for name in of})) for key, of in vectors.items()),
                key=lambda row: (-row[2], row[0], row[1])),
            "Whose guests let L2 reach L1's APIC by itself while APICv is active?": sorted(
                ((*key, len({each[:2] for each in of}), sum(each[2] for each in of)) for key, of in guests.items()),
                key=lambda row: (-row[3], row[0], last(row[1]))),
            "What could not be told, and why?": sorted(
                ((reason, len(of), len(set(of))) for reason, of in reasons.items()), key=lambda row: (-row[1], row[0])),
            "What could not be read?": sorted(
                ((*key, len(of), min(of)) for key, of in unread.items()), key=lambda row: (-row[2], row[0], row[1])),
        }

    def test_s3_gives_the_same_rows_as_files_and_takes_the_results(self):
        files = fsspec.filesystem("s3")
        files.mkdir("traces")
        names = ["host-a/trace.dat", "host-b/a b#c?d%41[1]*.dat", "host-b/ü.dat"]
        for name, path in zip(names, (LOSS, HEALTHY, FIXTURES / "amd/6.12-force_avic/lost.dat")):
            files.put_file(str(path), f"traces/{name}")
        files.pipe_file("traces/host-c/empty.dat", b"")
        # apictrace has seen enough of it long before its end.
        files.pipe_file("traces/host-d/noise.dat", bytes(range(256)) * 100_000)
        files.mkdir("results")
        self.assertIn("3 read, 2 unreadable", self.analyze("s3://traces", output="s3://results/x"))
        duckdb.register_filesystem(files)
        found = duckdb.sql("select recording, host, verdict, findings from 's3://results/x/recordings/*.parquet' order by all").fetchall()
        self.assertEqual(found, [
            ("s3://traces/host-a/trace.dat", "host-a", "confirmed", 3), ("s3://traces/host-b/a b#c?d%41[1]*.dat", "host-b", "exposed", 2),
            ("s3://traces/host-b/ü.dat", "host-b", "inconclusive", 0), ("s3://traces/host-c/empty.dat", "host-c", None, None),
            ("s3://traces/host-d/noise.dat", "host-d", None, None)])
        self.assertEqual(duckdb.sql("select count(*) from 's3://results/x/findings/*.parquet'").fetchall(), [(5,)])
        self.assertIn("0 recordings to analyse", self.analyze("s3://traces/host-*", output="s3://results/x"))
        files.pipe_file("traces/host-c/empty.dat", HEALTHY.read_bytes())
        self.assertIn("1 recordings to analyse", self.analyze("s3://traces", output="s3://results/x"))
        files.invalidate_cache()
        self.assertEqual(duckdb.sql("select status, count(*) from 's3://results/x/recordings/*.parquet' group by 1 order by 1").fetchall(),
                         [("read", 4), ("unreadable", 1)])

    def test_a_bad_file_costs_itself_alone_whatever_its_name(self):
        folder = self.folder / "in"
        names = [b"empty.dat", b"a b\nc.dat", b"\xff\\.dat", b"-q", b"*.dat", b"a::b.dat", b"%41.dat", "ü\u202e.dat".encode(),
                 b"file:x.dat"]
        folder.mkdir()
        for name in names:
            shutil.copy(HEALTHY, os.fsencode(folder) + b"/" + name)
        (folder / "empty.dat").write_bytes(b"")
        (folder / "noise.dat").write_bytes(bytes(range(256)) * 999)
        (folder / "cut.dat").write_bytes(LOSS.read_bytes()[:-300_000])
        (folder / "gone.dat").symlink_to("nowhere")
        (folder / "link.dat").symlink_to(HEALTHY)
        (folder / "below").mkdir()
        (folder / "below/round").symlink_to("..")
        os.mkfifo(folder / "pipe.dat")
        self.analyze(folder)
        read = {"a b\nc.dat", r"\xff\\.dat", "-q", "*.dat", "a::b.dat", "%41.dat", "ü\u202e.dat", "file:x.dat", "cut.dat", "link.dat"}
        self.assertEqual(len(rows(self.output, "recordings")), len(read) + 2)
        self.assertEqual(self.statuses(), {name: "read" for name in read} | {"empty.dat": "unreadable", "noise.dat": "unreadable"})
        found = {os.path.basename(row["recording"]): row for row in rows(self.output, "recordings")}
        self.assertEqual({found[name]["verdict"] for name in read - {"cut.dat"}}, {"exposed"})
        self.assertTrue(found["cut.dat"]["cut"])
        self.assertEqual(found["empty.dat"]["error"], "empty: the recorder wrote nothing")

    def test_a_folder_that_may_not_be_read_is_said(self):
        if os.geteuid():
            self.skipTest("it takes root to be somebody else")
        folder = self.folder / "in"
        (folder / "closed").mkdir(parents=True)
        shutil.copy(HEALTHY, folder)
        (folder / "closed").chmod(0)
        for path in (self.folder, folder):
            path.chmod(0o777)
        become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        if subprocess.run([*become, sys.executable, "-c", "import distributed"], capture_output=True).returncode:
            self.skipTest("nobody else may run this Python")
        run = subprocess.run(
            [*become, sys.executable, ROOT / "contrib/fleet/analyze.py", "--scheduler", self.cluster.scheduler_address, "--binary",
             self.binary, "-o", self.output, folder], capture_output=True, text=True)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn(f"Permission denied: '{folder}/closed'", run.stderr)

    def test_a_list_names_recordings_also_with_nul(self):
        names = [self.folder / "a\nb.dat", self.folder / "c.dat"]
        for name in names:
            shutil.copy(HEALTHY, name)
        (self.folder / "nul").write_bytes(b"\0".join(map(os.fsencode, names)) + b"\0")
        self.analyze("--list", self.folder / "nul", "-0")
        self.assertEqual(self.statuses(), {"a\nb.dat": "read", "c.dat": "read"})
        (self.folder / "lines").write_text(f"{names[1]}\n{names[1]}\n{self.folder}/none.dat\n")
        errors = self.analyze("--list", self.folder / "lines", output=self.folder / "other", status=1)
        self.assertIn("none.dat: no recording is there", errors)
        self.assertEqual(self.statuses(self.folder / "other"), {"c.dat": "read"})

    def test_a_worker_that_is_killed_in_the_middle_loses_nothing(self):
        mark = self.folder / "mark"
        # The first recording is being analysed when its worker, which started this script, is gone.
        slow = self.script(f'if mkdir "{mark}" 2>/dev/null; then echo $PPID >"{mark}/pid"; sleep 60; fi')
        run = self.start(FIXTURES / "intel", binary=slow)
        while not (mark / "pid").exists() or not (mark / "pid").read_text():
            self.assertIsNone(run.poll())
            time.sleep(0.05)
        workers = [worker.pid for worker in self.cluster.workers.values()]
        killed = int((mark / "pid").read_text())
        self.assertIn(killed, workers)
        os.kill(killed, signal.SIGKILL)
        self.ended(run, 0)
        read = {name for name in self.reports if name.startswith(f"{FIXTURES}/intel/")}
        self.assertEqual(sorted(row["recording"] for row in rows(self.output, "recordings") if row["status"] == "read"), sorted(read))
        self.assertEqual(len(rows(self.output, "findings")), sum(len(self.reports[name]["findings"]) for name in read))

    def test_a_recording_that_workers_die_of_fails_alone_and_is_tried_again(self):
        folder = self.folder / "in"
        folder.mkdir()
        for number in range(3):
            shutil.copy(HEALTHY, folder / f"{number}.dat")
        shutil.copy(LOSS, folder / "deadly.dat")
        deadly = self.script(f'[ $(stat -L -c %s /dev/stdin) != {LOSS.stat().st_size} ] || kill -9 $PPID')
        self.analyze(folder, binary=deadly, status=1)
        good = {f"{number}.dat": "read" for number in range(3)}
        self.assertEqual(self.statuses(), good | {"deadly.dat": "failed"})
        self.assertIn("KilledWorker", rows(self.output, "recordings")[-1]["error"])
        self.assertIn("1 recordings to analyse, 3 have", self.analyze(folder))
        self.assertEqual(self.statuses(), good | {"deadly.dat": "read"})
        self.assertEqual(len(rows(self.output, "findings")), 3 + 3 * 2)

    def test_what_another_try_may_mend_is_failed(self):
        folder = self.folder / "in"
        folder.mkdir()
        shutil.copy(HEALTHY, folder / "a.dat")
        for does, why in (("sleep 30", "not done within 0.5 s"), ("kill -11 $$", "ended by signal 11"),
                          ("echo '{}'; exit", "no report"), ("echo no room >&2; exit 6", "ended with 6 and no report: no room"),
                          ("""echo '{"type": "report", "schemaVersion": "2.0"}'; exit""", "version 2.0; 1.x is known"),
                          ("""echo '{"type": "report", "schemaVersion": "1.9"}'; exit""", "KeyError")):
            self.analyze(folder, "--timeout", "0.5", binary=self.script(does), status=1)
            [row] = rows(self.output, "recordings")
            self.assertEqual(row["status"], "failed")
            self.assertIn(why, row["error"])
        self.analyze(folder)
        self.assertEqual(self.statuses(), {"a.dat": "read"})

    def test_only_what_changed_is_analysed_again_and_leftovers_go(self):
        folder = self.folder / "in"
        folder.mkdir()
        for name in ("a.dat", "b.dat", "c.dat"):
            shutil.copy(LOSS, folder / name)
        self.analyze(folder)
        part = next((self.output / "findings").glob("*.parquet"))
        # As a run leaves it that ends before it has written the part of `recordings`.
        shutil.copy(part, part.with_name("leftover.parquet"))
        # As two runs at once leave it in a store that has no locks.
        for table in TABLES:
            shutil.copy(self.output / table / part.name, self.output / table / "twice.parquet")
        self.assertIn("0 recordings to analyse, 3 have", self.analyze(folder))
        self.assertEqual(len(rows(self.output, "recordings")), 3)
        self.assertEqual(len(rows(self.output, "findings")), 9)
        shutil.copy(HEALTHY, folder / "b.dat")
        # What is not asked for stays.
        self.assertIn("1 recordings to analyse, 1 have", self.analyze(folder / "a.dat", folder / "b.dat"))
        self.assertEqual([row["verdict"] for row in rows(self.output, "recordings")], ["confirmed", "exposed", "confirmed"])
        self.assertEqual(len(rows(self.output, "findings")), 3 + 2 + 3)
        self.assertIn("3 recordings to analyse", self.analyze(folder, "--host", "in/(.)"))
        self.assertEqual([row["host"] for row in rows(self.output, "recordings")], ["a", "b", "c"])
        self.assertEqual({row["host"] for row in rows(self.output, "findings")}, {"a", "b", "c"})

    def test_when_the_scheduler_goes_what_is_ready_stays_and_the_next_run_goes_on(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"tcp://127.0.0.1:{port}"
        dask = [os.path.join(os.path.dirname(sys.executable), "dask")]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        scheduler = subprocess.Popen(dask + ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], **quiet)
        worker = subprocess.Popen(dask + ["worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"], **quiet)
        try:
            run = self.start(FIXTURES / "intel", "--part", "1", cluster=address, binary=self.script("sleep 0.05"))
            while not list(self.output.glob("recordings/*.parquet")):
                self.assertIsNone(run.poll())
                time.sleep(0.05)
            scheduler.kill()
            self.assertIn("the scheduler went away", self.ended(run, 2))
        finally:
            for process in (scheduler, worker):
                process.kill()
                process.wait()
        files = sum(path.is_file() for path in (FIXTURES / "intel").rglob("*"))
        kept = len(rows(self.output, "recordings"))
        self.assertTrue(0 < kept < files, kept)
        self.assertIn(f"{files - kept} recordings to analyse, {kept} have", self.analyze(FIXTURES / "intel"))
        self.assertEqual(len(rows(self.output, "recordings")), files)

    def test_what_can_not_be_begun_is_said_and_nothing_is_written(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.assertIn("nothing to analyse", self.analyze(empty, status=2))
        self.assertIn("nothing to analyse", self.analyze(self.folder / "none", status=2))
        self.assertIn("/none can't be run: No such file", self.analyze(HEALTHY, binary="/none", status=2))
        self.assertIn("is no apictrace", self.analyze(HEALTHY, binary="/bin/true", status=2))
        self.assertIn("no scheduler with a worker is there", self.analyze(HEALTHY, cluster="tcp://127.0.0.1:1", status=2))
        self.assertIn("nosuch://a/b: ValueError: Protocol not known", self.analyze("nosuch://a/b", status=2))
        for wrong in ([], [HEALTHY, "--host", "x"], [HEALTHY, "--part", "0"], [HEALTHY, "--nosuch"]):
            self.assertIn("usage: analyze.py", self.analyze(*wrong, status=64))
        self.assertFalse(self.output.exists())

    def test_a_run_that_is_ended_keeps_what_is_ready(self):
        mark = self.folder / "mark"
        run = self.start(FIXTURES / "intel", binary=self.script(f'echo >>"{mark}"; sleep 0.05'))
        # Two workers with 16 recordings a batch: one of them has given its first.
        while not mark.exists() or mark.stat().st_size < 60:
            self.assertIsNone(run.poll())
            time.sleep(0.02)
        run.terminate()
        self.assertIn("what is ready was kept", self.ended(run, 130))
        kept = len(rows(self.output, "recordings"))
        self.assertGreater(kept, 0)
        self.assertIn(f"{kept} have their rows", self.analyze(FIXTURES / "intel"))

    def test_results_among_the_recordings_are_none(self):
        shutil.copy(HEALTHY, self.folder / "a.dat")
        self.analyze(self.folder)
        self.assertIn("0 recordings to analyse, 1 have", self.analyze(self.folder))
        self.assertEqual(self.statuses(), {"a.dat": "read"})

    def test_a_damaged_part_is_named(self):
        self.analyze(HEALTHY)
        part = next((self.output / "recordings").glob("*.parquet"))
        part.write_bytes(part.read_bytes()[:99])
        before = content(self.output)
        self.assertIn(f"{part} is damaged", self.analyze(LOSS, status=2))
        self.assertEqual(content(self.output), before)

    def test_a_second_run_into_the_same_folder_ends_at_once(self):
        first = self.start(HEALTHY, binary=self.script("sleep 6"))
        while not (self.output / ".lock").exists():
            time.sleep(0.05)
        self.assertIn("another run is writing", self.analyze(LOSS, status=2))
        self.ended(first, 0)
        self.assertEqual(len(rows(self.output, "recordings")), 1)


if __name__ == "__main__":
    Fleet.binary = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(argv=[sys.argv[0]] + [f"Fleet.{name}" for name in sys.argv[1:]], verbosity=2)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What others' machines read: contrib/kubernetes, and the jobs of docs/ci.md. Against schemas, and by running what they run.

usage: Tests/Manifests/manifests.py APICTRACE [TEST...]      with the Python of .build/manifests (make manifests)

Each schema also has to refuse something, or it would prove nothing.
"""

import copy
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import xml.etree.ElementTree

import kubernetes_validate
import kubernetes_validate.utils
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests/TraceCoreTests/Fixtures"
LOSS, HEALTHY = (FIXTURES / f"bitvisor/6.1.192-{kind}-smp2/trace.dat" for kind in ("svifix-undone", "asshipped"))
GONE = (ConnectionError, urllib.error.URLError, TimeoutError)


class Manifests(unittest.TestCase):
    binary = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)


class Kubernetes(Manifests):
    def setUp(self):
        super().setUp()
        self.objects = list(yaml.safe_load_all((ROOT / "contrib/kubernetes/daemonset.yaml").read_text()))
        self.pod = self.objects[1]["spec"]["template"]["spec"]
        [self.container] = self.pod["containers"]

    def test_the_api_takes_the_objects_and_refuses_broken_ones(self):
        versions = [version for version in kubernetes_validate.utils.all_versions() if int(version.split(".")[1]) >= 25]
        self.assertGreater(len(versions), 5)

        def broken(change):
            objects = copy.deepcopy(self.objects[1])
            change(objects["spec"]["template"]["spec"]["containers"][0], objects["spec"])
            return objects

        controls = [
            broken(lambda container, spec: container["securityContext"].update(capabilites={})),
            broken(lambda container, spec: container["ports"][0].update(containerPort="metrics")),
            broken(lambda container, spec: spec.pop("selector")),
            broken(lambda container, spec: container["volumeMounts"][0].pop("mountPath")),
            broken(lambda container, spec: container["livenessProbe"]["httpGet"].pop("port")),
        ]
        for version in versions:
            for each in self.objects:
                kubernetes_validate.validate(each, version, strict=True)
            for control in controls:
                with self.assertRaises(kubernetes_validate.ValidationError):
                    kubernetes_validate.validate(control, version, strict=True)

    def test_it_grants_what_docs_privileges_has_and_no_more(self):
        table = (ROOT / "docs/privileges.md").read_text().split("| capability |")[1].split("\n\n")[0]
        capabilities = {name.removeprefix("CAP_") for name in re.findall(r"CAP_\w+", "".join(
            row.split("|")[1] for row in table.split("\n")[2:] if row))}
        context = self.container["securityContext"]
        self.assertEqual(set(context["capabilities"]["add"]), capabilities)
        self.assertEqual(context["capabilities"]["drop"], ["ALL"])
        self.assertNotIn("privileged", context)
        self.assertIs(context["allowPrivilegeEscalation"], False)
        self.assertIs(context["readOnlyRootFilesystem"], True)
        self.assertNotIn("hostNetwork", self.pod)
        self.assertTrue(all(mount["readOnly"] for mount in self.container["volumeMounts"]))
        self.assertEqual({volume["name"] for volume in self.pod["volumes"]}, {mount["name"] for mount in self.container["volumeMounts"]})

    def test_all_that_names_the_port_names_the_same(self):
        [port] = self.container["ports"]
        listens = self.container["args"][self.container["args"].index("--listen") + 1]
        self.assertEqual(int(listens.rsplit(":")[-1]), port["containerPort"])
        self.assertEqual(self.objects[1]["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"], str(port["containerPort"]))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(self.container[probe]["httpGet"], {"path": "/healthz", "port": port["name"]})
        spec = self.objects[1]["spec"]
        self.assertEqual(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])

    def test_its_command_traces_with_what_it_grants(self):
        if os.geteuid() or subprocess.run([self.binary, "doctor"], capture_output=True).returncode:
            self.skipTest("this host can't be traced, or not by this user")
        if b"(NEEDED)" in subprocess.run(["readelf", "-dW", self.binary], capture_output=True).stdout:
            self.skipTest("a binary that needs libraries runs in no empty container: give that of make dist")
        arguments = list(self.container["args"])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        at = arguments.index("--listen")
        serves = "--listen" in subprocess.run([self.binary, "help", "live"], capture_output=True, text=True).stdout
        if serves:
            arguments[at + 1] = arguments[at + 1].rsplit(":", 1)[0] + f":{port}"
        else:
            print("this apictrace has no --listen: traced without it, and nothing is asked of /healthz", file=sys.stderr)
            del arguments[at:at + 2]
        paths = {volume["name"]: volume["hostPath"]["path"] for volume in self.pod["volumes"]}
        mounts = ",".join(f"{paths[mount['name']]}:{mount['mountPath']}" for mount in self.container["volumeMounts"])
        shutil.copy(self.binary, self.folder / "apictrace")
        process = subprocess.Popen(
            [sys.executable, ROOT / "Tests/Manifests/container.py", self.folder,
             ",".join(self.container["securityContext"]["capabilities"]["add"]), mounts, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            if serves:
                self.assertEqual(self.fetched(process, port, "/healthz"), "ok\n")
                self.assertIn("apictrace_", self.fetched(process, port, "/metrics"))
            else:
                self.assertIn('"type":"summary"', process.stdout.readline() or process.stderr.read())
            with open(f"/proc/{process.pid}/status") as status:
                granted = dict(line.split(":\t") for line in status.read().splitlines() if ":\t" in line)
            self.assertEqual(int(granted["CapEff"], 16), 0)
            self.assertEqual(granted["NoNewPrivs"], "1")
        finally:
            process.terminate()
            said, errors = process.communicate(timeout=self.pod["terminationGracePeriodSeconds"])
        # Clean, or inconclusive where no guest ran.
        self.assertIn(process.returncode, (0, 2), errors)
        self.assertEqual(json.loads(said.splitlines()[-1])["type"], "report")

    def fetched(self, process, port, path):
        end = time.monotonic() + self.container["startupProbe"]["failureThreshold"] * self.container["startupProbe"]["periodSeconds"]
        while True:
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read().decode()
            except GONE:
                self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else "")
                self.assertLess(time.monotonic(), end)
                time.sleep(0.2)


class CI(Manifests):
    def setUp(self):
        super().setUp()
        text = (ROOT / "docs/ci.md").read_text()
        self.github, self.gitlab = re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)

    def checked(self, schema, text, *options):
        path = self.folder / "file.yml"
        path.write_text(text)
        return subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "check-jsonschema"), "--builtin-schema", schema, *options, path],
            capture_output=True, text=True)

    def check(self, schema, text, controls, *options):
        run = self.checked(schema, text, *options)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        for old, new in controls:
            self.assertIn(old, text)
            self.assertEqual(self.checked(schema, text.replace(old, new), *options).returncode, 1, new)

    def test_github_takes_its_file_and_refuses_broken_ones(self):
        self.check("vendor.github-workflows", self.github, [
            ("runs-on:", "runs_on:"), ("security-events: write", "security-events: maybe"), ("needs: apictrace", "needs: {}"),
            ("  push:", "  pushed:")])

    def test_gitlab_takes_its_file_and_refuses_broken_ones(self):
        self.check("vendor.gitlab-ci", self.gitlab, [
            ("      junit: verdicts.xml", "      junit: { file: verdicts.xml }"), ("when: always", "when: ever"),
            ("  tags: [kvm]", "  tags: { kvm: true }"), ("stages: [build, test]", "stages: build")],
            "--data-transform", "gitlab-ci")

    def place(self, recording, name, binaries):
        """A checkout with what a job finds in it, and stand-ins for what is not to happen here: sudo, and building."""
        place = self.folder / name
        (place / "bin").mkdir(parents=True)
        given = {"recordings/host-a/trace.dat": recording, "out/6.12/on/passthrough/live.dat": recording}
        for path, source in (given | dict.fromkeys(binaries, self.binary)).items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place / path)
        # The lab leaves more than recordings.
        (place / "out/6.12/on/passthrough/live.err").write_bytes(b"")
        stubs = {
            "bin/sudo": 'exec "$@"', "bin/apt-get": ":", "bin/git": '[ "$1" = clone ]', "reproduce.sh": "exit 0",
            # The target is there and its recipe can be told; nothing is built.
            "bin/make": f'[ "$1" != -C ] || shift 2; exec {shutil.which("make")} -n -C {ROOT} "$@" >/dev/null',
        }
        for path, text in stubs.items():
            (place / path).write_text(f"#!/bin/sh\n{text}\n")
            (place / path).chmod(0o755)
        return place

    def run_in(self, place, script, shell):
        return subprocess.run(
            [*shell, script], cwd=place, capture_output=True, text=True,
            env=os.environ | {"PATH": f"{place}/bin:{os.environ['PATH']}"})

    def published(self, place, findings):
        log = json.loads((place / "findings.sarif").read_text())
        self.assertEqual(log["version"], "2.1.0")
        self.assertEqual(len(log["runs"][0]["results"]), findings)
        suites = xml.etree.ElementTree.parse(place / "verdicts.xml").getroot()
        self.assertEqual(suites.tag, "testsuites")
        return int(suites.get("failures"))

    def can_trace(self):
        return os.geteuid() == 0 and subprocess.run([self.binary, "doctor"], capture_output=True).returncode == 0

    def jobs(self, commands, *binaries):
        """Runs what the jobs run, where `binaries` are what the building of apictrace leaves.

        commands: of each job what it runs while nothing has failed, and what it runs whatever came before.
        """
        shell = ["bash", "-e", "-c"]
        for name, recording, status, findings, failures in (("loss", LOSS, 1, 3, 1), ("healthy", HEALTHY, 0, 2, 0)):
            place = self.place(recording, name, binaries)
            first, always = commands["recordings"]
            runs = [self.run_in(place, script, shell) for script in first + always]
            self.assertEqual([run.returncode for run in runs], [status] * len(runs), runs[-1].stderr)
            self.assertEqual(self.published(place, findings), failures)
            first, always = commands["lab"]
            for script in first:
                run = self.run_in(place, script, shell)
                self.assertEqual(run.returncode, 0, f"{script}: {run.stderr}")
            (place / "findings.sarif").unlink()
            # The lab's own recordings are clean, and none of these is.
            self.assertEqual([self.run_in(place, script, shell).returncode for script in always][-1], 1)
            self.published(place, findings)
            for script in commands["apictrace"][0]:
                run = self.run_in(place, script, shell)
                self.assertEqual(run.returncode, 0, f"{script}: {run.stderr}")
        if not self.can_trace():
            self.skipTest("the job `guest` was not run: this host can't be traced, or not by this user")
        place = self.place(HEALTHY, "guest", binaries)
        first, always = commands["guest"]
        # No guest runs in the reproducer's stand-in: what was recorded settles nothing.
        self.assertEqual([self.run_in(place, script, shell).returncode for script in first][-1], 2)
        self.assertGreater((place / "trace.dat").stat().st_size, 0)
        self.assertEqual([self.run_in(place, script, shell).returncode for script in always][-1], 2)
        self.published(place, 0)

    def test_what_githubs_jobs_run_publishes_what_it_says(self):
        commands = {}
        for name, job in yaml.safe_load(self.github)["jobs"].items():
            steps = [step for step in job["steps"] if "run" in step]
            commands[name] = ([step["run"] for step in steps if "if" not in step], [step["run"] for step in steps if "if" in step])
            paths = " ".join(str(step["with"]) for step in job["steps"] if "with" in step)
            if name != "apictrace":
                self.assertIn("findings.sarif", paths)
                self.assertIn("verdicts.xml", paths)
        self.jobs(commands, "apictrace", "dist/apictrace")

    def test_what_gitlabs_jobs_run_publishes_what_it_says(self):
        commands = {}
        for name, job in yaml.safe_load(self.gitlab).items():
            if isinstance(job, dict) and "script" in job:
                # GitLab makes one script of the lines, which ends at the first that fails.
                commands[name] = (["\n".join(job["script"])], ["\n".join(job["after_script"])] if "after_script" in job else [])
        self.jobs(commands, "apictrace.bin", "apictrace/dist/apictrace")


if __name__ == "__main__":
    Manifests.binary = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)

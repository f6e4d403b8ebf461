#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has monitoring's own programs read what `apictrace live --metrics` and `--listen` give, and the alerts in contrib/prometheus.

usage: Tests/Outputs/monitoring.py page TEXT OPENMETRICS     promtool's lint, and the strict parser of PyPI's prometheus_client
       Tests/Outputs/monitoring.py rules                     promtool checks the alerts and the example, and runs their tests
       Tests/Outputs/monitoring.py scrape ADDRESS [ALERT...] a Prometheus scrapes it: what it holds is the page, and those alerts fire
       Tests/Outputs/monitoring.py textfile FOLDER           a node_exporter reads the *.prom files there

Ends with 77, and says why, where a program is missing.
"""

import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from browser import skip

RULES = pathlib.Path(__file__).resolve().parents[2] / "contrib/prometheus"
PATIENCE = 180
SAMPLE = re.compile(r"^(apictrace_\w+(?:\{.*\})?) (\S+)$", re.MULTILINE)
faults = []


def needed(program, package):
    path = shutil.which(program)
    if not path:
        skip(f"{program} is missing (Debian: {package}; make monitors)")
    return path


def expect(what, is_so, otherwise=""):
    print(f"{'ok ' if is_so else 'NOT'} {what}" + ("" if is_so else f": {otherwise}"))
    if not is_so:
        faults.append(what)


def run(what, *command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE)
    said = (done.stdout + done.stderr).strip()
    expect(what, done.returncode == 0, said)
    return said


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
        return answer.read().decode()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def eventually(what, look):
    """What look() gives once that is anything; an error counts as nothing yet."""
    end, last = time.monotonic() + PATIENCE, None
    while time.monotonic() < end:
        try:
            last = look()
            if last:
                expect(what, True)
                return last
        except (OSError, KeyError, IndexError) as error:
            last = error
        time.sleep(0.2)
    expect(what, False, last)
    return None


class Running:
    """A program for as long as the block lasts; what it said is shown where something failed."""

    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        return self.process

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if faults:
            self.log.seek(0)
            print(self.log.read().decode(errors="replace")[-3000:])


def page(text, open_metrics):
    promtool = needed("promtool", "prometheus")
    said = run("promtool check metrics", promtool, "check", "metrics", text=pathlib.Path(text).read_text())
    expect("it has nothing to say about them", said == "", said)
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        skip("prometheus_client is missing (make monitors)")
    written = pathlib.Path(open_metrics).read_text()
    families = list(text_string_to_metric_families(written))
    samples = [sample for family in families for sample in family.samples]
    expect("OpenMetrics has all samples", len(samples) == len(SAMPLE.findall(written)) > 50, len(samples))
    kinds = {family.name: family.type for family in families}
    expect("a counter is one", kinds.get("apictrace_events") == "counter", kinds)
    expect("the build is an info", kinds.get("apictrace_build") == "info", kinds)
    other = SAMPLE.findall(pathlib.Path(text).read_text())
    expect("both formats say the same", other == SAMPLE.findall(written), other)


def rules():
    promtool = needed("promtool", "prometheus")
    run("promtool check rules", promtool, "check", "rules", str(RULES / "apictrace.rules.yml"))
    run("promtool test rules", promtool, "test", "rules", str(RULES / "apictrace.rules.test.yml"))
    run("promtool check config", promtool, "check", "config", str(RULES / "prometheus.yml"))


def scrape(address, *alerts):
    prometheus = needed("prometheus", "prometheus")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = pathlib.Path(folder, "prometheus.yml")
        text = (RULES / "prometheus.yml").read_text()
        text = text.replace("127.0.0.1:9752", address).replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s")
        config.write_text(text.replace("apictrace.rules.yml", str(RULES / "apictrace.rules.yml")))
        api = f"http://127.0.0.1:{port}/api/v1"
        with Running(
            prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"
        ):
            check_scraped(api, address, alerts)


def check_scraped(api, address, alerts):
    def query(text):
        answer = json.loads(get(f"{api}/query?query={urllib.parse.quote(text)}"))
        return answer["data"]["result"]

    def target():
        found = json.loads(get(f"{api}/targets"))["data"]["activeTargets"][0]
        return found if found["health"] != "unknown" else None

    up = eventually("it was scraped", target)
    expect("without an error", up and up["health"] == "up", up)
    eventually("Prometheus holds the samples", lambda: query("apictrace_build_info"))
    held = {
        tuple(sorted((k, v) for k, v in sample["metric"].items() if k not in ("instance", "job")))
        for sample in query('{__name__=~"apictrace_.*"}')
    }
    told = SAMPLE.findall(get(f"http://{address}/metrics"))
    expect("as many as the page has", len(held) == len(told), f"{len(held)}, and not {len(told)}")
    eventually("events are counted", lambda: float(query("sum(apictrace_events_total)")[0]["value"][1]) > 0)
    for alert in alerts:
        eventually(f"{alert} fires", lambda alert=alert: query(f'ALERTS{{alertname="{alert}",alertstate="firing"}}'))
    if not alerts:
        expect("no alert of a loss", not query('ALERTS{alertname="ApictraceInterruptsLost"}'))


def textfile(folder):
    exporter = needed("prometheus-node-exporter", "prometheus-node-exporter")
    address = f"127.0.0.1:{free_port()}"
    files = list(pathlib.Path(folder).glob("*.prom"))
    with Running(
        exporter, "--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={folder}",
        f"--web.listen-address={address}",
    ):
        told = eventually("node_exporter answers", lambda: get(f"http://{address}/metrics")) or ""
        expect("no parse error", "\nnode_textfile_scrape_error 0\n" in told, told)
        expect("a counter stays one", "\n# TYPE apictrace_events_total counter\n" in told, told)
        written = names("".join(file.read_text() for file in files))
        expect("it has all samples", names(told) == written, written)


def names(text):
    """node_exporter sorts samples and labels."""
    parts = [name.partition("{") for name, _ in SAMPLE.findall(text)]
    return sorted((base, sorted(labels.rstrip("}").split(","))) for base, _, labels in parts)


if __name__ == "__main__":
    {"page": page, "rules": rules, "scrape": scrape, "textfile": textfile}[sys.argv[1]](*sys.argv[2:])
    sys.exit(1 if faults else 0)

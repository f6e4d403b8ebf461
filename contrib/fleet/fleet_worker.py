# SPDX-License-Identifier: Apache-2.0
"""What a worker does: reads one recording, lets apictrace analyse it, gives the rows of the tables."""

import json
import subprocess
import tempfile
import threading
import time

import fleet_tables

PIECE = 8 << 20


class Failed(Exception):
    """Says nothing of the recording: another try may do."""


def feed(source, process):
    """Hands over the whole recording. apictrace may end before it has read all of it, when it is no recording."""
    try:
        while piece := source.read(PIECE):
            process.stdin.write(piece)
        process.stdin.close()
    except BrokenPipeError:
        pass


def say(binary, url, seconds):
    """What `apictrace analyze --json` prints for a recording, and its exit status.

    The recording goes to its standard input. So it may be anywhere, nothing is copied to a disk first, and no name is taken for an
    option or changed on the way.
    """
    files, path = fleet_tables.resolve(url)
    with files.open(path, "rb", block_size=PIECE) as source, tempfile.TemporaryFile() as output, \
            tempfile.TemporaryFile() as errors:
        try:
            file = source.fileno()
        except (OSError, AttributeError):
            file = None
        try:
            process = subprocess.Popen(
                [binary, "analyze", "--json", "--threads", "1", "-"], stdout=output, stderr=errors,
                stdin=subprocess.PIPE if file is None else file)
        except OSError as error:
            raise Failed(f"{binary} can't be run: {error.strerror}") from error
        late = threading.Event()

        def stop():
            late.set()
            process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            if file is None:
                feed(source, process)
            status = process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.wait()
        if late.is_set():
            raise Failed(f"not done within {seconds} s")
        output.seek(0)
        errors.seek(0)
        return output.read(), errors.read().decode("utf-8", "replace").strip(), status


def result(said, errors, status):
    """The report or the error, of which just one is there."""
    if status < 0:
        raise Failed(f"apictrace was ended by signal {-status}")
    try:
        found = json.loads(said)
        kind, version = found["type"], found["schemaVersion"]
    except (ValueError, TypeError, KeyError):
        raise Failed(f"apictrace ended with {status} and no report: {errors[-400:]}") from None
    if version.split(".")[0] != fleet_tables.REPORT_MAJOR:
        raise Failed(f"the report is of version {version}; {fleet_tables.REPORT_MAJOR}.x is known here")
    if kind == "error":
        return None, found["error"].removeprefix("standard input: ")
    return found, None


def analyse(about, url, binary, seconds):
    """The rows of one recording. Whatever is wrong with it becomes a row, and nothing is raised."""
    begin = time.monotonic()
    try:
        report, error = result(*say(binary, url, seconds))
        spent = time.monotonic() - begin
        return fleet_tables.tables(about, "read" if report else "unreadable", error, report, spent)
    except Exception as error:  # whatever a file system or a report may hold
        text = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        return fleet_tables.tables(about, "failed", text, None, time.monotonic() - begin)


def analyse_all(batch, binary, seconds):
    """The rows of several recordings: each is what the tables say of it beforehand, and its URL."""
    return fleet_tables.joined([analyse(about, url, binary, seconds) for about, url in batch])


def version(binary):
    """The version that the binary of this worker has, or why it has none."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{binary} can't be run: {getattr(error, 'strerror', None) or error}"
    words = said.stdout.split(",")[0].split()
    if said.returncode or len(words) != 2 or words[0] != "apictrace":
        return None, f"{binary} is no apictrace"
    return words[1], None

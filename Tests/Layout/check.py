#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The folders of Sources/TraceCore use each other in one direction only.

A file may name the types of its own folder and of those before it in ORDER. Members that a later folder adds to an earlier
type (`extension Machine` in Rules/) are not seen here: such a folder uses the earlier one, which is the right direction.
It also fails for a file of more than 400 lines, and for a folder that ORDER doesn't have.
"""
import os
import re
import sys

ORDER = [
    "Collections",  # what the standard library lacks
    "Bytes",  # files, compressed data, byte orders
    "Formats",  # records and the format texts that describe them
    "Events",  # what KVM's tracepoints and live tracing tell
    "Source",  # what a source is, and what it says of itself
    "Ring",  # ftrace's pages, one CPU's stream, all CPUs by time
    "TraceDat",  # trace-cmd's container
    "PerfData",  # perf's container
    "Text",  # neither
    "Input",  # what a user names: recognised by content
    "Writer",  # recordings of live tracing
    "Machine",  # KVM's state, mirrored
    "Observations",
    "Rules",
    "WhatIf",  # what KVM is asked to have done otherwise
    "Analysis",  # the machine with those who watch it, as a sink
    "Report",  # the model and its builder
    "Comparison",  # what changed from one report to another
    "Timeline",  # what happened when, beside the report
    "Output",  # text, JSON, listing
    "Cut",  # a part of a recording that says what the whole says
]
MAX_LINES = 400

MODIFIERS = r"(?:public |package |internal |final |indirect |nonisolated )*"
DECLARATION = re.compile(rf"^{MODIFIERS}(?:struct|enum|class|protocol|typealias|actor) (\w+)", re.MULTILINE)


def code(text):
    """Without comments and strings."""
    text = re.sub(r'"""(.|\n)*?"""', '""', text)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//.*", "", text)


def main(root):
    faults, files, folder_of = [], [], {}
    for directory, _, names in os.walk(root):
        for name in sorted(names):
            if not name.endswith(".swift"):
                continue
            path = os.path.join(directory, name)
            folder = os.path.relpath(path, root).split(os.sep)[0]
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if folder not in ORDER:
                faults.append(f"{path}: its folder is not one of those that are in order")
                continue
            lines = text.count("\n")
            if lines > MAX_LINES:
                faults.append(f"{path}: {lines} lines, at most {MAX_LINES} make one concept")
            text = code(text)
            files.append((path, folder, text))
            for declared in DECLARATION.findall(text):
                folder_of[declared] = folder
    for path, folder, text in files:
        for used in sorted(set(re.findall(r"\b[A-Z]\w+", text))):
            other = folder_of.get(used, folder)
            if ORDER.index(other) > ORDER.index(folder):
                faults.append(f"{path}: {used} is of {other}/, which comes after {folder}/")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/TraceCore")))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a page of `apictrace analyze --html` in headless Chromium, uses it, and holds what it shows against the report.

usage: Tests/Outputs/page.py [--screenshots FOLDER] PAGE REPORT     REPORT: of `apictrace analyze --json`, same recording

Chromium is driven by selenium, with networking off. Ends with 77, and says why, where one of them is missing. With --screenshots
the page is kept as pictures: light, dark, narrow and printed, for whoever changed it to look at.
"""

import argparse
import base64
import json
import pathlib
import sys
import time

import browser

MOST_BYTES = 5 << 20
MOST_SECONDS = 2
# The fastest counts: other tests keep the machine busy.
TIMES_OPENED = 3


class Page:
    """The page in a browser, and what was found wrong with it."""

    def __init__(self, path, width=1280, height=1000, dark=False):
        self.browser = browser.chromium("--hide-scrollbars", f"--window-size={width},{height}")
        self.command("Network.enable")
        self.command("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        if dark:
            self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.seconds = min(self.open(path) for _ in range(TIMES_OPENED))

    def open(self, path):
        begin = time.monotonic()
        self.browser.get(path.resolve().as_uri())
        return time.monotonic() - begin

    def command(self, name, **arguments):
        return self.browser.execute_cdp_cmd(name, arguments)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def click(self, selector):
        self.run("document.querySelector(arguments[0]).click()", selector)

    def press(self, key):
        from selenium.webdriver.common.by import By
        self.browser.find_element(By.ID, "lanes").send_keys(key)

    def rows(self, section):
        """The cells of a section's first table."""
        return self.run("""return [...document.querySelector(`#${arguments[0]} tbody`)?.rows ?? []]
            .map(row => [...row.cells].map(cell => cell.textContent))""", section)

    def screenshot(self, path, bottom=None):
        """All of the page, or what is above that many pixels."""
        size = self.run("return [document.documentElement.clientWidth, Math.ceil(document.body.scrollHeight)]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": bottom or size[1], "scale": 1}
        taken = self.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(taken["data"]))

    def picture(self):
        return self.run("return document.getElementById('canvas').toDataURL()")


class Checks:
    def __init__(self):
        self.faults = 0

    def equal(self, what, found, wanted):
        isRight = found == wanted
        self.faults += not isRight
        print(f"{'ok ' if isRight else 'NOT'} {what}" + ("" if isRight else f": {found!r}, and not {wanted!r}"))

    def true(self, what, found):
        self.equal(what, bool(found), True)


def number(text):
    return int(text) if text else None


def check_numbers(page, report, checks):
    """The tables show what the report says, each of its numbers."""
    checks.equal("verdict", page.text("#verdict .grade"), report["verdict"])
    checks.equal("findings", page.run("return document.querySelectorAll('article').length"), len(report["findings"]))
    for finding in report["findings"]:
        for part in ("explanation", "advice"):
            checks.true(f"{finding['id']}: {part}", finding[part] in page.text(f"#{finding['id']}"))
        shown = page.run("return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(row => row.cells[3].textContent)",
                         finding["id"])
        checks.equal(f"{finding['id']}: events", shown, [evidence["event"] for evidence in finding["evidence"]])
    vcpus = [vcpu for vm in report["vms"] for vcpu in vm["vcpus"]]
    levels = ("l1", "l2", "unknown")
    wanted = [[line["vector"]] + [line[what][level] for what in ("accepted", "acknowledged", "ended") for level in levels]
              + [line["reinjected"], line["coalesced"], line["outstanding"], line["class"] or ""]
              for vcpu in vcpus for line in vcpu["interrupts"]]
    found = [[row[2]] + [number(cell) for cell in row[3:15]] + [row[15]] for row in page.rows("interrupts")]
    checks.equal("interrupts", found, wanted)
    wanted = [[register, access["reads"], access["writes"]]
              for vcpu in vcpus for kind in ("l1", "l2Direct", "l2Hooked", "l2Own")
              for register, access in sorted(vcpu["apicAccess"][kind]["registers"].items())]
    checks.equal("APIC accesses", [[row[3], number(row[4]), number(row[5])] for row in page.rows("accesses")], wanted)
    wanted = [[reason, count] for vcpu in vcpus for level in levels for reason, count in sorted(vcpu["exits"][level].items())]
    checks.equal("exits", [[row[3], number(row[4])] for row in page.rows("exits")], wanted)


def check_time_line(page, report, checks):
    """Keys, buttons and clicks do what they say."""
    whole, picture = page.text("#in-view"), page.picture()
    page.press("+")
    checks.true("+ zooms in", page.text("#in-view") != whole and page.picture() != picture)
    page.press("0")
    checks.equal("0 shows all", page.text("#in-view"), whole)
    page.click("#zoom-in")
    page.click("#later")
    moved = page.text("#in-view")
    page.click("#earlier")
    checks.true("later and earlier move", page.text("#in-view") != moved)
    page.click("#all")
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By
    page.click("#zoom-in")
    before = page.text("#in-view")
    canvas = page.browser.find_element(By.ID, "canvas")
    page.run("arguments[0].scrollIntoView({block: 'center'})", canvas)
    ActionChains(page.browser).click_and_hold(canvas).move_by_offset(-150, 0).release().perform()
    checks.true("dragging moves", page.text("#in-view") != before)
    page.click("#all")
    ActionChains(page.browser).click(page.browser.find_element(By.ID, "minimap")).perform()
    for finding in report["findings"]:
        name = finding["id"]
        if not finding["evidence"] or finding["vm"] is None:
            continue
        page.click("#all")
        page.click(f"#{name} > button")
        checks.true(f"{name}: jumps to its place", page.text("#in-view") != whole)
        checks.true(f"{name}: tells of its event", finding["evidence"][0]["text"] in page.text("#event-title"))
        page.click(f"#{name} tbody tr:last-child button")
        last = finding["evidence"][-1]
        checks.true(f"{name}: an event on click", last["text"] in page.text("#event-title"))
        checks.true(f"{name}: as it was recorded", last["event"] in page.text("#event dl"))
        if finding["vcpu"] is not None:
            chosen = page.run("return document.querySelectorAll('#event tr.chosen').length")
            checks.true(f"{name}: among its neighbours", chosen >= 1)
        vector = (finding["vectors"] or [None])[0]
        if vector:
            page.run("""const field = document.getElementById('search'); field.value = arguments[0];
                field.dispatchEvent(new Event('input'))""", vector)
            checks.true(f"{name}: {vector} is found", int(page.text("#search-result").split()[0]) > 0)
            page.run("const field = document.getElementById('search'); field.value = ''; field.dispatchEvent(new Event('input'))")
    page.press("0")
    page.press("n")
    if report["findings"] and report["findings"][0]["vm"] is not None:
        checks.true("n chooses an event", page.run("return !document.getElementById('event').hidden"))


def check_tables(page, report, checks):
    rows = page.rows("exits")
    if len(rows) < 2:
        return
    page.click("#exits th:last-child button")
    counts = [int(row[-1]) for row in page.rows("exits")]
    checks.equal("sorts by count", counts, sorted(counts, reverse=True))
    page.run("const field = document.querySelector('#exits input'); field.value = arguments[0];"
             "field.dispatchEvent(new Event('input'))", rows[0][3])
    checks.true("filters", 0 < len(page.rows("exits")) <= len(rows) and all(rows[0][3] in row for row in page.rows("exits")))


def check_access(page, checks):
    """What a keyboard and a screen reader need."""
    checks.equal("controls without a name", page.run("""return [...document.querySelectorAll('button, input, [role=application]')]
        .filter(control => !(control.textContent.trim() || control.ariaLabel || control.labels?.length
            || control.getAttribute('aria-labelledby'))).length"""), 0)
    checks.true("the time line takes the focus", page.run(
        "const lanes = document.getElementById('lanes'); lanes.focus(); return document.activeElement === lanes"))
    checks.true("tables have captions and heads", page.run("""return [...document.querySelectorAll('table')]
        .every(table => table.caption && [...table.tHead.rows[0].cells].every(cell => cell.scope === 'col'))"""))
    checks.equal("levels of headings", page.run("""let last = 1, jumps = 0;
        for (const head of document.querySelectorAll('h1, h2, h3')) {
            const level = Number(head.tagName[1]); jumps += level > last + 1; last = level; } return jumps"""), 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("report", type=pathlib.Path)
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text())
    checks = Checks()
    page = Page(arguments.page)
    try:
        checks.true(f"opens in {MOST_SECONDS} s ({page.seconds:.2f})", page.seconds < MOST_SECONDS)
        size = arguments.page.stat().st_size
        checks.true(f"at most {MOST_BYTES} bytes ({size})", size <= MOST_BYTES)
        checks.equal("parts of the page that are script", page.run("return document.scripts.length"), 2)
        checks.equal("elements that a name has made", page.run("return document.querySelectorAll('img, iframe, object, b').length"), 0)
        check_numbers(page, report, checks)
        check_time_line(page, report, checks)
        check_access(page, checks)
        check_tables(page, report, checks)
        checks.equal("messages of the browser", page.browser.get_log("browser"), [])
        printed = page.command("Page.printToPDF", printBackground=True)["data"]
        checks.true("prints", base64.b64decode(printed).startswith(b"%PDF"))
        if arguments.screenshots:
            (arguments.screenshots / "printed.pdf").write_bytes(base64.b64decode(printed))
    finally:
        page.browser.quit()
    for name, width, dark in [("light", 1280, False), ("dark", 1280, True), ("narrow", 500, False)]:
        page = Page(arguments.page, width, 1000, dark)
        try:
            checks.true(f"{name}: no wider than the screen",
                        page.run("return document.documentElement.scrollWidth <= window.innerWidth"))
            if arguments.screenshots:
                page.screenshot(arguments.screenshots / f"{name}.png")
        finally:
            page.browser.quit()
    sys.exit(1 if checks.faults else 0)


if __name__ == "__main__":
    main()

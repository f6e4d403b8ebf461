#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the picture that README.md begins with: a recording's page, as far as its first finding and the time line.

usage: Tests/Outputs/picture.py PAGE PICTURE.png     PAGE: of `apictrace analyze --html`
"""

import pathlib
import sys

from page import Page

WIDTH = 1180


def main():
    source, picture = map(pathlib.Path, sys.argv[1:])
    page = Page(source, width=WIDTH)
    try:
        # The first finding, and the whole time: what a reader is to see at a glance.
        page.run("""for (const other of [...document.querySelectorAll('article')].slice(1)) other.remove();
            for (const part of document.querySelectorAll('nav, .help, main > section:nth-of-type(n + 3), #event')) {
                part.style.display = 'none';
            }""")
        page.run("scrollTo(0, 0)")
        page.screenshot(picture, page.run("return Math.ceil(document.querySelector('main').getBoundingClientRect().bottom) + 8"))
    finally:
        page.browser.quit()


if __name__ == "__main__":
    main()

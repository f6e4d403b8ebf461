# SPDX-License-Identifier: Apache-2.0
"""What the scripts beside it have in common: headless Chromium, driven by selenium, and how to say that one of them is missing."""

import shutil
import sys

SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def chromium(*flags):
    """A browser of its own, whose log can be read."""
    try:
        import selenium.webdriver as webdriver
    except ImportError:
        skip("selenium is missing (make browser)")
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        skip("Chromium or its driver is missing (make browser)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))

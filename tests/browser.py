"""A headless browser for the tests of pages. Where there is none they are skipped, and the end of the run says so."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = "no Chromium here: apt-get install chromium"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A Chromium without a window; it is one module's, since its event loop would be in the way of other tests."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(NO_BROWSER)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def browser_page(browser: "Browser") -> "Iterator[Page]":
    """A page that has not been anywhere; what it finds wrong (`console.error`, exceptions) fails the test."""
    page = browser.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    page.close()
    assert troubles == []


def tell_what_was_skipped(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end of a run: the tests that need a browser, where there is none."""
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        terminalreporter.section("NOT TESTED", sep="#", red=True, bold=True)
        terminalreporter.line(f"{len(skipped)} tests of pages: {NO_BROWSER}", red=True, bold=True)

"""For all tests: one thread, since small networks lose more to waiting threads than they gain, and no time limits."""

import os

import hypothesis
import pytest

from tests.browser import browser, browser_page, tell_what_was_skipped

__all__ = ["browser", "browser_page"]

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Its limit of 0.2 s an example fails what is right on a busy machine.
hypothesis.settings.register_profile("no limits", deadline=None)
hypothesis.settings.load_profile("no limits")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tell_what_was_skipped(terminalreporter)

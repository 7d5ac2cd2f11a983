"""One invented run for all tests of the report."""

from pathlib import Path

import pytest
from invented_results import write_run


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("results") / "invented")

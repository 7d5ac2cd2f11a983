"""Two runs of Snakemake on one folder: the second one steps back with a line that says why, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.workflow.conftest import snakemake

pytestmark = pytest.mark.smoke

WORDS = ("--cores", "1", "--configfile", "config/smoke.yaml", "--", "results/smoke/embedded/bu4dfe/manifest.csv")


def started(project: Path) -> subprocess.Popen[str]:
    """A run that is in the middle of its first job."""
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *WORDS],
        cwd=project,
        env=os.environ | {"PYTHONPATH": "", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not list(project.glob("results/smoke/logs/*/*.log")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return run


def test_the_second_of_two_runs_steps_back(project: Path) -> None:
    first = started(project)
    # Held still, so that a fast machine does not end it before the second has looked.
    os.killpg(first.pid, signal.SIGSTOP)
    second = snakemake(project, *WORDS)
    os.killpg(first.pid, signal.SIGCONT)
    output, _ = first.communicate(timeout=600)
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout, second.stdout
    assert "no other Snakemake process" in second.stdout
    assert "Traceback" not in second.stdout
    assert first.returncode == 0, output[-3000:]
    assert (project / WORDS[-1]).is_file()
    assert "Nothing to be done" in snakemake(project, *WORDS).stdout


def test_a_run_that_was_killed_outright_goes_on_after_unlocking_as_it_says(project: Path) -> None:
    first = started(project)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    refused = snakemake(project, *WORDS)
    assert refused.returncode != 0
    assert "--unlock" in refused.stdout
    assert "Traceback" not in refused.stdout
    assert snakemake(project, "--unlock", *WORDS[:-2]).returncode == 0
    done = snakemake(project, *WORDS)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (project / WORDS[-1]).is_file()

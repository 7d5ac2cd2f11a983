"""What every job does around its work, where the disk takes nothing any more."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOB = """
import errno, logging, os, sys
from types import SimpleNamespace
from workflow_scripts.job import tracked_job

snakemake = SimpleNamespace(
    rule="train", log=[sys.argv[1]], threads=1, wildcards={"dataset": "own"}, input=[], output=[], params={},
    config={"run": "test"},
)
with tracked_job(snakemake):
    logging.info("a line for the log")
    exec(sys.argv[2])
"""
FULL = "raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'faces.npy')"


@pytest.mark.parametrize(
    ("log", "body", "line"),
    [
        ("/dev/full", FULL, "train own: faces.npy: No space left on device; free some space, then run again"),
        ("/dev/full", "raise ValueError('odd')", "train own: ValueError: odd (traceback in /dev/full)"),
        ("/dev/full", "raise KeyboardInterrupt", "train own: stopped from outside; run again to go on"),
        ("/dev/null/job.log", "pass", "train own: /dev/null: File exists"),
    ],
)
def test_e2_a_log_that_cannot_be_written_hides_no_error(tmp_path: Path, log: str, body: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", JOB, log, body], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"{line}\n"

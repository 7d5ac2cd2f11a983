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
    log=[sys.argv[1]], threads=1, wildcards={"dataset": "own"}, input={}, output=[], params={},
    config={"run": "test", "seed": 1},
)
with tracked_job(snakemake):
    logging.info("a line for the log")
    exec(sys.argv[2])
"""
FULL = "raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'faces.npy')"


LOG = Path("results/test/logs/train/own.log")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (FULL, "train own: faces.npy: No space left on device; free some space, then run again"),
        ("raise ValueError('odd')", f"train own: ValueError: odd (traceback in {LOG})"),
        ("raise KeyboardInterrupt", "train own: stopped from outside; run again to go on"),
    ],
)
def test_e2_a_log_that_cannot_be_written_hides_no_error(tmp_path: Path, body: str, line: str) -> None:
    (tmp_path / LOG).parent.mkdir(parents=True)
    (tmp_path / LOG).symlink_to("/dev/full")
    assert ended(tmp_path, body) == f"{line}\n"


def test_e2_a_log_without_a_place_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / LOG.parents[1]).mkdir(parents=True)
    (tmp_path / LOG.parent).touch()
    assert ended(tmp_path, "pass") == f"train own: {LOG.parent}: File exists\n"


def ended(folder: Path, body: str) -> str:
    """What a job that fails says."""
    done = subprocess.run(
        [sys.executable, "-c", JOB, str(LOG), body], cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr

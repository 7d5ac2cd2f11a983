"""A few trials of the soak; `make soak` runs 200."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_trainings_killed_at_random_moments_end_as_unbroken_ones() -> None:
    # In a process of its own: it forks, which a process that has run other tests should not.
    command = [sys.executable, "-m", "tests.soak.soak", "--trials", "4", "--first", "6", "--seed", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "4 trials, 0 failed" in done.stdout

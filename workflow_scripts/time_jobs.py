"""Seconds that the jobs of a run will take, as `fersnet plan` estimates them, for the progress that a run shows.

`python -m workflow_scripts.time_jobs` reads the config, the jobs and an earlier run's folder as JSON from its standard
input, and prints a list of seconds in the order of the jobs. It is a process of its own: the estimates need PyTorch,
and some seconds of work, for which no job waits. This is no rule's script.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from fersnet.costs.job import Job
from fersnet.costs.sizes import planned_sizes
from fersnet.errors import UserError
from fersnet.plan.estimate import START_SECONDS, estimate
from fersnet.plan.history import read_history
from fersnet.settings.load import read_dump


def job_seconds(config: dict[str, Any], jobs: list[dict[str, Any]], earlier: list[str]) -> list[float]:
    """Seconds of each job; one of which nothing is known counts as its start alone."""
    past = None
    for folder in map(Path, earlier):
        try:
            past = past or read_history(folder)
        except UserError:
            continue
    estimates = estimate([Job(**job) for job in jobs], planned_sizes(read_dump(config), Path()), past)
    return [START_SECONDS + (one.seconds or 0.0) for one in estimates]


if __name__ == "__main__":
    os.nice(10)
    print(json.dumps(job_seconds(**json.load(sys.stdin))))

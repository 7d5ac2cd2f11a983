"""The jobs of an earlier run: how long they took, and at what work."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fersnet.errors import UserError
from fersnet.plan.sizes import RunSizes, past_sizes
from fersnet.report.files import read_jobs
from fersnet.tracking import read_records


@dataclass(frozen=True)
class History:
    """The finished jobs of an earlier run."""

    jobs: pd.DataFrame
    """Columns of `jobs.csv`, with empty text for missing wildcards."""
    params: dict[str, dict[str, Any]]
    """Settings of the jobs by job key; empty where the run's records are gone."""
    sizes: RunSizes


def read_history(results: Path) -> History:
    """The finished jobs of an earlier run.

    Raises:
        UserError: if the run has no job list, or none of its jobs finished.
    """
    path = results / "jobs.csv"
    if not path.is_file():
        raise UserError(f"{path}: not there; give --history the folder of a run that has ended, e.g. results/smoke")
    jobs = read_jobs(path)
    finished = jobs[jobs["status"] == "FINISHED"].reset_index(drop=True)
    if finished.empty:
        raise UserError(f"{path}: no job of it finished; give --history another run")
    records = read_records(results)
    by_rule = {record.rule: record.params for record in records}
    return History(finished, {record.job_key: record.params for record in records}, past_sizes(results, by_rule))

"""The report of a run as it stands: whole, or with what is there and a word on what is missing."""

from pathlib import Path

import pandas as pd

from fersnet.report.files import JOB_COLUMNS, read_jobs
from fersnet.report.html import Unfinished, write_report
from fersnet.report.run_file import RunFile, read_run
from fersnet.tracking import FAILED, KILLED, latest_records, read_records

LONGEST = 300
"""Characters of a failed job's message."""


def write_standing_report(results: Path) -> Unfinished | None:
    """Write `report.html` from the tables and figures that are there, and return what is missing, if anything is.

    Raises:
        UserError: if the folder is no run's, or a file is broken.
    """
    run = read_run(results)
    missing = unfinished(results, run)
    jobs = results / "jobs.csv"
    write_report(
        results / "report.html",
        run.description,
        [results / name for name in run.tables if (results / name).is_file()],
        [results / name for name in run.figures if (results / name).is_file()],
        read_jobs(jobs) if missing is None and jobs.is_file() else _recorded_jobs(results),
        {"Commit": run.commit},
        run.references,
        missing,
        run.cards,
    )
    return missing


def unfinished(results: Path, run: RunFile) -> Unfinished | None:
    """What a run lacks; None where all its tables and figures are there."""
    missing = [name for name in (*run.tables, *run.figures) if not (results / name).is_file()]
    if not missing:
        return None
    counts = [
        f"{sum((results / name).is_file() for name in names)} of {len(names)} {kind}"
        for kind, names in (("tables", run.tables), ("figures", run.figures))
    ]
    failed = [record for record in latest_records(read_records(results)) if record.status in (FAILED, KILLED)]
    lines = [
        f"{' '.join(filter(None, (one.rule, one.dataset, one.method, one.fold)))}: {one.status.lower()}"
        + (f" ({one.message[:LONGEST]})" if one.message else "")
        for one in failed
    ]
    words = f"{' and '.join(counts)} are there; run the workflow again for the others."
    return Unfinished(words, tuple(missing), tuple(lines))


def _recorded_jobs(results: Path) -> pd.DataFrame:
    """The jobs so far, as `jobs.csv` will have them."""
    columns = [column for column in JOB_COLUMNS if column != "run_id"]
    rows = [[getattr(record, column) for column in columns] for record in latest_records(read_records(results))]
    return pd.DataFrame(rows, columns=columns)

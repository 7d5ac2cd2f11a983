"""`jobs.csv`: a row for every job of a run, with its run in the tracking store."""

import csv
from collections.abc import Mapping
from pathlib import Path

from fersnet.tracking import latest_records, read_records

JOB_COLUMNS = (
    "rule",
    "dataset",
    "method",
    "fold",
    "run_id",
    "status",
    "seconds",
    "peak_memory_mb",
    "device",
    "threads",
    "attempts",
    "job_key",
)


def write_jobs(results: Path, path: Path, run_ids: Mapping[str, str], ended: bool = False) -> int:
    """Write `jobs.csv`, one row per job (its newest attempt), and return the number of rows.

    A run id that is not given is that of the file as it was: no trouble of a store makes the table forget what it knew.
    """
    records = latest_records(read_records(results, ended))
    known = _known_ids(path) | dict(run_ids)
    part = path.with_name(f"{path.name}.part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(JOB_COLUMNS)
        for record in records:
            values = {**vars(record), "run_id": known.get(record.job_key, "")}
            writer.writerow(["" if values[column] is None else values[column] for column in JOB_COLUMNS])
    part.replace(path)
    return len(records)


def _known_ids(path: Path) -> dict[str, str]:
    """The run ids of a table of jobs, by job key; of a table that is no such table, none."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file))
    return {row["job_key"]: row["run_id"] for row in rows if row.get("job_key") and row.get("run_id")}

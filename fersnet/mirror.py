"""The mirror of the job records in MLflow, and the table of jobs.

Copying is idempotent: a run is found again by its job key, so records that a store missed are replayed once,
whenever it is reachable. A store that is slow, locked or gone costs nothing but a warning.
"""

import csv
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fersnet.errors import UserError
from fersnet.tracking import FINISHED, KILLED, RUNNING, JobRecord, file_sha256, latest_records, read_records
from fersnet.use.store import connect, log_model, logged_models

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

logger = logging.getLogger(__name__)

TAGS = (
    "run",
    "rule",
    "dataset",
    "method",
    "fold",
    "seed",
    "git_commit",
    "config_sha256",
    "data_sha256",
    "job_key",
    "version",
)
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
LARGEST_ARTIFACT = 2 * 2**20
"""Bytes; larger outputs stay where they are and are named in the run's parameters only."""
MODEL_METHOD = "fersnet"
"""The method whose checkpoints are logged as models. At full size one is 0.2 GB, so the other variants' stay files."""


def store_uri(results: Path) -> str:
    """The tracking store: MLFLOW_TRACKING_URI where it is set, otherwise the run's embedded SQLite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(results / 'tracking' / 'mlflow.db').resolve()}"


def mirror(results: Path, uri: str | None = None, ended: bool = False) -> dict[str, str]:
    """Copy all records of a run to the store, and return the run id of each job key.

    What the store already has is left alone. A failure of the store is logged as one warning, and the ids known by
    then are returned. `ended` is that of `read_records`.
    """
    records = read_records(results, ended)
    uri = uri or store_uri(results)
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    run_ids: dict[str, str] = {}
    try:
        client = connect(uri)
        experiment = _experiment(client, results, uri)
        known = _known_runs(client, experiment)
        for record in records:
            run_ids[record.job_key] = _mirror_record(client, experiment, record, known.get(record.job_key))
        _mirror_models(client, experiment, records, run_ids)
    except (MlflowException, SQLAlchemyError, OSError, UserError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        logger.warning("tracking store %s: %s; %d of %d jobs mirrored, what is missing follows with `fersnet sync`",
                       uri, first_line[:200], len(run_ids), len(records))  # fmt: skip
    return run_ids


def write_jobs(results: Path, path: Path, run_ids: dict[str, str], ended: bool = False) -> int:
    """Write `jobs.csv`, one row per job (its newest attempt), and return the number of rows."""
    records = latest_records(read_records(results, ended))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(JOB_COLUMNS)
        for record in records:
            values = {**vars(record), "run_id": run_ids.get(record.job_key, "")}
            writer.writerow(["" if values[column] is None else values[column] for column in JOB_COLUMNS])
    return len(records)


def _experiment(client: "MlflowClient", results: Path, uri: str) -> str:
    name = f"fersnet-{results.name}"
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    location = (results / "tracking" / "artifacts").resolve().as_uri() if uri.startswith("sqlite:") else None
    return client.create_experiment(name, artifact_location=location)


def _known_runs(client: "MlflowClient", experiment: str) -> "dict[str, Run]":
    known: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        known.update({run.data.tags["job_key"]: run for run in page if "job_key" in run.data.tags})
        token = page.token
        if not token:
            return known


def _mirror_record(client: "MlflowClient", experiment: str, record: JobRecord, run: "Run | None") -> str:
    """Bring one run up to date; a run that already shows this attempt's end is not touched."""
    attempt = f"{record.attempts}:{record.status}"
    if run is not None and run.data.tags.get("attempt") == attempt:
        return run.info.run_id
    if run is None:
        tags = {key: str(getattr(record, key)) for key in TAGS}
        tags["mlflow.runName"] = " ".join(filter(None, (record.rule, record.dataset, record.method, record.fold)))
        run = client.create_run(experiment, start_time=int(record.started * 1000), tags=tags)
        _log(client, run.info.run_id, params=_flat(record.params))
    run_id = run.info.run_id
    if record.status != RUNNING:
        _log(client, run_id, metrics=_metrics(record))
        for artifact in record.artifacts:
            if Path(artifact).is_file() and Path(artifact).stat().st_size <= LARGEST_ARTIFACT:
                client.log_artifact(run_id, artifact)
        client.set_terminated(run_id, status=record.status, end_time=int((record.ended or record.started) * 1000))
    client.set_tag(run_id, "attempt", attempt)
    if record.status == KILLED and record.ended is None:
        client.set_tag(run_id, "note", "killed without a chance to say so; found by its free lock")
    return run_id


def _mirror_models(
    client: "MlflowClient", experiment: str, records: Sequence[JobRecord], run_ids: dict[str, str]
) -> None:
    """Log the models that the store does not have yet, as long as their files are still those of the job."""
    made = [
        record for record in records if record.model and record.status == FINISHED and record.method == MODEL_METHOD
    ]
    if not made:
        return
    known = {(model.tags.get("job_key"), model.tags.get("sha256")) for model in logged_models(client, experiment)}
    for record in made:
        path, digest = Path(record.model["checkpoint"]), record.model["sha256"]
        if (record.job_key, digest) in known or not path.is_file() or file_sha256(path) != digest:
            continue
        tags = {"job_key": record.job_key, "sha256": digest, "dataset": record.dataset, "fold": record.fold}
        log_model(client, experiment, run_ids[record.job_key], path, record.model["expressions"], tags)


def _metrics(record: JobRecord) -> list[tuple[str, float, int, int]]:
    """(key, value, step, timestamp in ms) of the final figures and of every epoch in the job's history."""
    stamp = int((record.ended or record.started) * 1000)
    rows = [(key, value, 0, stamp) for key, value in record.metrics.items()]
    for key in ("seconds", "peak_memory_mb"):
        value = getattr(record, key)
        if value is not None:
            rows.append((f"job_{key}", float(value), 0, stamp))
    if record.history and Path(record.history).is_file():
        with Path(record.history).open(newline="", encoding="utf-8") as file:
            for step, line in enumerate(csv.DictReader(file), start=1):
                rows += [(key, float(text), step, stamp) for key, text in line.items() if _is_number(text)]
    return rows


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def _log(
    client: "MlflowClient",
    run_id: str,
    params: dict[str, str] | None = None,
    metrics: Sequence[tuple[str, float, int, int]] = (),
) -> None:
    from mlflow.entities import Metric, Param

    pairs = [Param(key, value) for key, value in (params or {}).items()]
    for start in range(0, len(pairs), 100):
        client.log_batch(run_id, params=pairs[start : start + 100])
    entries = [Metric(key, value, stamp, step) for key, value, step, stamp in metrics]
    for start in range(0, len(entries), 1000):
        client.log_batch(run_id, metrics=entries[start : start + 1000])


def _flat(params: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in params.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(_flat(value, f"{name}."))
        else:
            flat[name[:250]] = str(value)[:6000]
    return flat

"""The mirror of the job records in MLflow, and the table of jobs.

Copying is idempotent: a run is found again by its job key, so records that a store missed are replayed once,
whenever it is reachable. A store that is slow, locked or gone costs nothing but a warning.
"""

import csv
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fersnet.errors import UserError
from fersnet.tracking import (
    FINISHED,
    KILLED,
    RUNNING,
    JobRecord,
    file_sha256,
    latest_records,
    own_file,
    read_records,
)
from fersnet.use.moved import ARTIFACTS, bring_home, database_of, experiment_name
from fersnet.use.store import CARD, connect, log_card, log_model, logged_models, reason_of, store_uri

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


@dataclass
class Mirrored:
    """What a store has of a run's jobs."""

    run_ids: dict[str, str] = field(default_factory=dict)
    """By job key, as far as they are known."""
    failure: str = ""
    """Why it has not all of them; empty if it has."""


def mirror(results: Path, uri: str | None = None, ended: bool = False) -> Mirrored:
    """Copy all records of a run to the store.

    What the store already has is left alone. A failure of the store is logged as one warning, and returned with what
    is known by then. `ended` is that of `read_records`.
    """
    records = read_records(results, ended)
    uri = uri or store_uri(results)
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    mirrored = Mirrored()
    try:
        database = database_of(uri)
        if database is not None:
            bring_home(database, results)
        client = connect(uri)
        experiment = _experiment(client, results, uri)
        known = _known_runs(client, experiment)
        for record in records:
            run_id = _mirror_record(client, experiment, results, record, known.get(record.job_key))
            mirrored.run_ids[record.job_key] = run_id
        _mirror_models(client, experiment, results, records, mirrored.run_ids)
    except (MlflowException, SQLAlchemyError, OSError, UserError) as error:
        mirrored.failure = (
            f"tracking store {uri}: {reason_of(error)}; {len(mirrored.run_ids)} of {len(records)} jobs mirrored, what "
            "is missing follows with `fersnet sync`"
        )
        logger.warning("%s", mirrored.failure)
    return mirrored


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


def _experiment(client: "MlflowClient", results: Path, uri: str) -> str:
    name = experiment_name(results)
    found = client.get_experiment_by_name(name)
    if found is None:
        location = (results / ARTIFACTS).resolve().as_uri() if database_of(uri) else None
        return client.create_experiment(name, artifact_location=location)
    if found.lifecycle_stage != "active":
        # Its name is taken until then.
        number = found.experiment_id
        raise UserError(
            f"its experiment {name!r} was deleted; set MLFLOW_TRACKING_URI to this store, and restore it (`mlflow "
            f"experiments restore -x {number}`) or remove it for good (`mlflow gc --backend-store-uri "
            f"$MLFLOW_TRACKING_URI --experiment-ids {number}`)"
        )
    return found.experiment_id


def _known_runs(client: "MlflowClient", experiment: str) -> "dict[str, Run]":
    """The runs of an experiment by job key, deleted ones too; of two of one job one that is not deleted."""
    from mlflow.entities import ViewType

    known: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs([experiment], run_view_type=ViewType.ALL, max_results=1000, page_token=token)
        for run in page:
            key = run.data.tags.get("job_key")
            if key is not None and (key not in known or run.info.lifecycle_stage == "active"):
                known[key] = run
        token = page.token
        if not token:
            return known


def _mirror_record(client: "MlflowClient", experiment: str, results: Path, record: JobRecord, run: "Run | None") -> str:
    """Bring one run up to date; a run that already shows this attempt's end is not touched, deleted or not."""
    attempt = f"{record.attempts}:{record.status}"
    if run is not None and run.data.tags.get("attempt") == attempt:
        return run.info.run_id
    if run is not None and run.info.lifecycle_stage != "active":
        client.restore_run(run.info.run_id)
    if run is None:
        tags = {key: str(getattr(record, key)) for key in TAGS}
        tags["mlflow.runName"] = " ".join(filter(None, (record.rule, record.dataset, record.method, record.fold)))
        run = client.create_run(experiment, start_time=int(record.started * 1000), tags=tags)
        _log(client, run.info.run_id, params=_flat(record.params))
    run_id = run.info.run_id
    if record.status != RUNNING:
        _log(client, run_id, metrics=_metrics(results, record))
        for artifact in (own_file(results, record, path) for path in record.artifacts):
            if artifact is not None and artifact.stat().st_size <= LARGEST_ARTIFACT:
                client.log_artifact(run_id, str(artifact))
        client.set_terminated(run_id, status=record.status, end_time=int((record.ended or record.started) * 1000))
    client.set_tag(run_id, "attempt", attempt)
    if record.status == KILLED and record.ended is None:
        client.set_tag(run_id, "note", "killed without a chance to say so; found by its free lock")
    return run_id


def _mirror_models(
    client: "MlflowClient", experiment: str, results: Path, records: Sequence[JobRecord], run_ids: dict[str, str]
) -> None:
    """Log the models that the store does not have yet, as long as their files are still those of the job."""
    made = [
        record for record in records if record.model and record.status == FINISHED and record.method == MODEL_METHOD
    ]
    if not made:
        return
    known = {
        (model.tags.get("job_key"), model.tags.get("sha256")): model for model in logged_models(client, experiment)
    }
    for record in made:
        path, digest = own_file(results, record, record.model["checkpoint"]), record.model["sha256"]
        if path is None or file_sha256(path) != digest:
            continue
        if model := known.get((record.job_key, digest)):
            card = path.with_name(CARD)
            # It is written once the test subjects are predicted, which may be later than the model was logged.
            if card.is_file() and model.tags.get("card_sha256") != file_sha256(card):
                log_card(client, model.model_id, card)
            continue
        tags = {"job_key": record.job_key, "sha256": digest, "dataset": record.dataset, "fold": record.fold}
        log_model(client, experiment, run_ids[record.job_key], path, record.model["expressions"], tags)


def _metrics(results: Path, record: JobRecord) -> list[tuple[str, float, int, int]]:
    """(key, value, step, timestamp in ms) of the final figures and of every epoch in the job's history."""
    stamp = int((record.ended or record.started) * 1000)
    rows = [(key, value, 0, stamp) for key, value in record.metrics.items()]
    for key in ("seconds", "peak_memory_mb"):
        value = getattr(record, key)
        if value is not None:
            rows.append((f"job_{key}", float(value), 0, stamp))
    history = own_file(results, record, record.history) if record.history else None
    if history is not None:
        with history.open(newline="", encoding="utf-8") as file:
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

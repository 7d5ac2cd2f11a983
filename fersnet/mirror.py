"""The mirror of the job records in MLflow.

A job is a run; above it stands the run of its method on its dataset, with the figures of the tables, and above these
that of the workflow. Copying is idempotent: a run is found again by its key, so records that a store missed are
replayed once, whenever it is reachable, and what older versions have put there is brought up to date in place. A store
that is slow, locked or gone costs nothing but a warning.
"""

import csv
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fersnet.errors import UserError
from fersnet.settings.tree import CROSS
from fersnet.tracking import (
    FINISHED,
    KILLED,
    RUNNING,
    JobRecord,
    file_sha256,
    own_file,
    read_records,
)
from fersnet.use.moved import ARTIFACTS, bring_home, database_of, experiment_name
from fersnet.use.new_store import make_store
from fersnet.use.runs import changed, known_runs, log_batches, log_data, new_data, restored, set_tags
from fersnet.use.store import (
    CARD,
    LONGEST_NOTE,
    connect,
    log_card,
    log_model,
    logged_models,
    reason_of,
    store_uri,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from fersnet.parents import Parent

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
LARGEST_ARTIFACT = 2 * 2**20
"""Bytes; larger outputs stay where they are and are named in the run's parameters only."""
PARENT = "mlflow.parentRunId"
HOW_TO_RANK = (
    "To rank the methods, search for `tags.level = 'method'` (with `and tags.dataset = '...'` for one dataset) and "
    "sort by `recognition_accuracy` or `synthesis_accuracy`. The run of the workflow stands above those of the methods "
    "on a dataset, and these above their jobs, fold by fold."
)
"""What the page of a run's experiment says first."""
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

    from fersnet.parents import WORKFLOW, parent_key, parents_of

    mirrored = Mirrored()
    try:
        database = database_of(uri)
        if database is not None:
            make_store(database)
            bring_home(database, results)
        client = connect(uri)
        experiment = _experiment(client, results, uri)
        known = known_runs(client, experiment)
        above: dict[str, str] = {}
        for parent in parents_of(results, records):
            above[parent.key] = _mirror_parent(client, experiment, parent, known.get(parent.key), above.get(WORKFLOW))
        for record in records:
            known_run, parent_id = known.get(record.job_key), above[parent_key(record)]
            run_id = _mirror_record(client, experiment, results, record, known_run, parent_id)
            mirrored.run_ids[record.job_key] = run_id
        _mirror_models(client, experiment, results, records, mirrored.run_ids)
    except (MlflowException, SQLAlchemyError, OSError, UserError) as error:
        mirrored.failure = (
            f"tracking store {uri}: {reason_of(error)}; {len(mirrored.run_ids)} of {len(records)} jobs mirrored, what "
            "is missing follows with `fersnet sync`"
        )
        logger.warning("%s", mirrored.failure)
    return mirrored


def _experiment(client: "MlflowClient", results: Path, uri: str) -> str:
    name = experiment_name(results)
    found = client.get_experiment_by_name(name)
    if found is None:
        location = (results / ARTIFACTS).resolve().as_uri() if database_of(uri) else None
        return client.create_experiment(name, artifact_location=location, tags=_experiment_tags())
    if found.lifecycle_stage != "active":
        # Its name is taken until then.
        number = found.experiment_id
        raise UserError(
            f"its experiment {name!r} was deleted; set MLFLOW_TRACKING_URI to this store, and restore it (`mlflow "
            f"experiments restore -x {number}`) or remove it for good (`mlflow gc --backend-store-uri "
            f"$MLFLOW_TRACKING_URI --experiment-ids {number}`)"
        )
    for key, value in _experiment_tags().items():
        if key not in found.tags:  # A user's own words stay.
            client.set_experiment_tag(found.experiment_id, key, value)
    return found.experiment_id


def _experiment_tags() -> dict[str, str]:
    """What the page of the experiment says first, and the figure by which it ranks."""
    from fersnet.parents import RANKED_BY

    return {
        "mlflow.note.content": HOW_TO_RANK,
        "mlflow.experiment.primaryMetric.name": RANKED_BY,
        "mlflow.experiment.primaryMetric.greaterIsBetter": "True",
    }


def _mirror_parent(
    client: "MlflowClient", experiment: str, parent: "Parent", run: "Run | None", above: str | None
) -> str:
    """Bring the run of a method, or of the workflow, up to date; one that shows what it is to show is not touched."""
    from fersnet.parents import shortened

    newest = parent.newest
    level = {"level": "method"} if parent.method else {"level": "workflow"}
    tags = {key: getattr(newest, key) for key in ("run", "seed", "git_commit", "config_sha256", "version")}
    tags |= {"job_key": parent.key, "dataset": parent.dataset, "method": parent.method}
    tags |= level | _source_tags(newest, "" if parent.method else "Snakefile")
    tags |= {"mlflow.runName": f"{parent.dataset} {parent.method}" if parent.method else newest.run}
    tags |= {PARENT: above} if above else {}
    tags |= {"mlflow.note.content": shortened(parent.note, LONGEST_NOTE)} if parent.note else {}
    wanted = {key: str(value) for key, value in tags.items()}
    if run is None:
        run = client.create_run(experiment, start_time=int(parent.started * 1000), tags=wanted)
    figures = {key: value for key, value in parent.figures.items() if run.data.metrics.get(key) != value}
    ended = int(parent.ended * 1000)
    shows = run.info.status == parent.status and (parent.status == RUNNING or run.info.end_time == ended)
    if shows and not figures and not changed(run, wanted) and not new_data(run, parent.data):
        return run.info.run_id
    run_id = restored(client, run)
    set_tags(client, run, wanted)
    log_data(client, run, newest.run, parent.data)
    now = time.time_ns() // 10**6
    log_batches(client, run_id, metrics=[(key, value, 0, now) for key, value in figures.items()])
    if parent.status == RUNNING:
        client.update_run(run_id, status=RUNNING)
    else:
        client.set_terminated(run_id, status=parent.status, end_time=ended)
    return run_id


def _mirror_record(
    client: "MlflowClient", experiment: str, results: Path, record: JobRecord, run: "Run | None", above: str
) -> str:
    """Bring the run of a job up to date; one that shows this attempt's end keeps it, and is left alone if deleted."""
    attempt = f"{record.attempts}:{record.status}"
    ended = run is not None and run.data.tags.get("attempt") == attempt
    if run is not None and ended and run.info.lifecycle_stage != "active":
        return run.info.run_id
    tags = {key: str(getattr(record, key)) for key in TAGS} | _source_tags(record) | {PARENT: above}
    if run is None:
        tags["mlflow.runName"] = " ".join(filter(None, (record.rule, record.dataset, record.method, record.fold)))
        run = client.create_run(experiment, start_time=int(record.started * 1000), tags=tags)
    run_id = restored(client, run)
    if not run.data.params:
        log_batches(client, run_id, params=_flat(record.params))
    set_tags(client, run, tags)
    log_data(client, run, record.run, {record.dataset: record.data_sha256} if record.data_sha256 else {})
    if ended:
        return run_id
    if record.status != RUNNING:
        log_batches(client, run_id, metrics=_metrics(results, record))
        for artifact in (own_file(results, record, path) for path in record.artifacts):
            if artifact is not None and artifact.stat().st_size <= LARGEST_ARTIFACT:
                client.log_artifact(run_id, str(artifact))
        client.set_terminated(run_id, status=record.status, end_time=int((record.ended or record.started) * 1000))
    client.set_tag(run_id, "attempt", attempt)
    if record.status == KILLED and record.ended is None:
        client.set_tag(run_id, "note", "killed without a chance to say so; found by its free lock")
    return run_id


def _source_tags(record: JobRecord, source: str = "") -> dict[str, str]:
    """The file that ran, by default the job's script, and the state of the code that it is from."""
    script = source or f"workflow_scripts/{record.params.get('script', record.rule)}.py"
    commit = {"mlflow.source.git.commit": record.git_commit.removesuffix("+")} if record.git_commit else {}
    return {"mlflow.source.name": script, "mlflow.source.type": "LOCAL"} | commit


def _mirror_models(
    client: "MlflowClient", experiment: str, results: Path, records: Sequence[JobRecord], run_ids: dict[str, str]
) -> None:
    """Log the models that the store does not have yet, as long as their files are still those of the job."""
    made = [record for record in records if record.model and record.status == FINISHED and _is_kept(record)]
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


def _is_kept(record: JobRecord) -> bool:
    """Whether a job's checkpoint becomes a model; those across datasets are made for one table."""
    return record.method == MODEL_METHOD and record.dataset != CROSS


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


def _flat(params: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in params.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(_flat(value, f"{name}."))
        else:
            flat[name[:250]] = str(value)[:6000]
    return flat

"""Runs in a store: which there are, and logging to one what it does not show yet."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

DIGEST = 12
"""Characters of a dataset's checksum that a page has room for; all of it is a tag of the jobs."""


def known_runs(client: "MlflowClient", experiment: str) -> "dict[str, Run]":
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


def restored(client: "MlflowClient", run: "Run") -> str:
    """The id of a run, which is taken out of the bin where it lies there."""
    if run.info.lifecycle_stage != "active":
        client.restore_run(run.info.run_id)
    return run.info.run_id


def changed(run: "Run", tags: Mapping[str, str]) -> dict[str, str]:
    """Those of some tags that a run does not have, or has with another value."""
    return {key: value for key, value in tags.items() if run.data.tags.get(key) != value}


def set_tags(client: "MlflowClient", run: "Run", tags: Mapping[str, str]) -> None:
    """Set those of some tags that a run does not have yet."""
    from mlflow.entities import RunTag

    if missing := changed(run, tags):
        client.log_batch(run.info.run_id, tags=[RunTag(key, value) for key, value in missing.items()])


def new_data(run: "Run", data: Mapping[str, str]) -> dict[str, str]:
    """By dataset, the digests that a run does not name among its inputs yet."""
    inputs = run.inputs.dataset_inputs if run.inputs else []
    known = {(one.dataset.name, one.dataset.digest) for one in inputs}
    digests = {name: checksum[:DIGEST] for name, checksum in data.items()}
    return {name: digest for name, digest in digests.items() if (name, digest) not in known}


def log_data(client: "MlflowClient", run: "Run", name: str, data: Mapping[str, str]) -> None:
    """Name the faces of datasets, with the beginning of their checksum, as inputs of a run."""
    from mlflow.entities import Dataset, DatasetInput

    inputs = [
        DatasetInput(Dataset(dataset, digest, "local", json.dumps({"uri": f"results/{name}/datasets/{dataset}"})))
        for dataset, digest in new_data(run, data).items()
    ]
    if inputs:
        client.log_inputs(run.info.run_id, datasets=inputs)


def log_batches(
    client: "MlflowClient",
    run_id: str,
    params: dict[str, str] | None = None,
    metrics: Sequence[tuple[str, float, int, int]] = (),
) -> None:
    """Log params and (key, value, step, timestamp in ms) of metrics, in as many requests as a store takes them."""
    from mlflow.entities import Metric, Param

    pairs = [Param(key, value) for key, value in (params or {}).items()]
    for start in range(0, len(pairs), 100):
        client.log_batch(run_id, params=pairs[start : start + 100])
    entries = [Metric(key, value, stamp, step) for key, value, step, stamp in metrics]
    for start in range(0, len(entries), 1000):
        client.log_batch(run_id, metrics=entries[start : start + 1000])

"""Whatever the scheduler does to a training, it ends with the bytes of an unbroken one."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cluster.daemons import Cluster
from tests.cluster.runs import (
    CONFIGURED,
    FOLDS,
    JOBS,
    MODELS,
    PREDICTIONS,
    RESULTS,
    TRAINING,
    fersnet,
    finish,
    has_been_sent,
    mirrored_runs,
    started,
    training_log,
    training_process,
    training_records,
    wait_until,
)

pytestmark = pytest.mark.cluster
NOWHERE = "http://127.0.0.1:9"
"""A tracking server that no node can reach."""


def assert_same_as_unbroken(folder: Path, unbroken: Path) -> None:
    for path in (*PREDICTIONS, *(MODELS / f"fold{fold}" / "checkpoint.pt" for fold in FOLDS)):
        assert (folder / path).read_bytes() == (unbroken / path).read_bytes(), path
    assert not list((folder / MODELS).rglob("resume*"))


def wait_for_progress(folder: Path, attempt: int) -> None:
    """Until the given attempt at each fold's training has finished an epoch."""

    def trained() -> bool:
        records = training_records(folder)
        return all(
            fold in records and records[fold]["attempts"] == attempt and "train epoch" in training_log(folder, fold)
            for fold in FOLDS
        )

    wait_until(f"attempt {attempt} at the trainings to get on", trained)


def training_jobs(cluster: Cluster) -> list[str]:
    """The tasks of the training's array, or its jobs where a retry was submitted alone."""
    lines = cluster.command("squeue", "--noheader", "--array", "--format=%i %k").splitlines()
    return [line.split()[0] for line in lines if "rule_train_fersnet" in line]


def test_trainings_killed_three_times_end_with_the_bytes_of_unbroken_ones(
    cluster: Cluster, project: Path, unbroken: Path
) -> None:
    with started(cluster, project, *CONFIGURED, "--", TRAINING, MLFLOW_TRACKING_URI=NOWHERE) as process:
        wait_for_progress(project, attempt=1)
        first = training_jobs(cluster)
        assert len({job.split("_")[0] for job in first}) == 1, f"no array: {first}"
        cluster.command("scancel", *first)
        wait_for_progress(project, attempt=2)
        for job in training_jobs(cluster):
            cluster.command("scontrol", "requeue", job)
        wait_for_progress(project, attempt=3)
        cluster.set_node("down")
        wait_until("the node to lose its jobs", lambda: "R" not in cluster.command("squeue", "-h", "-o", "%t").split())
        cluster.set_node("resume")
        finish(process, project)
    assert_same_as_unbroken(project, unbroken)
    for fold in FOLDS:
        assert training_records(project)[fold]["attempts"] == 4
        assert "going on from epoch" in training_log(project, fold)
    output = (project / "output.txt").read_text(encoding="utf-8")
    assert "what is missing follows with `fersnet sync`" in output
    for _ in range(2):
        fersnet(project, "sync", str(RESULTS))
        runs = mirrored_runs(project)
        assert len(runs["job_key"]) == len(set(runs["job_key"])) == len(list((project / JOBS).glob("*.json")))
        assert set(runs["status"]) == {"FINISHED"}


@pytest.mark.parametrize(
    ("option", "sent"),
    [
        pytest.param("--signal=USR1@20", signal.SIGUSR1, id="warned-before-the-limit"),
        pytest.param("--nice=0", signal.SIGTERM, id="ended-at-the-limit"),
    ],
)
def test_trainings_longer_than_their_time_limit_go_on_in_the_next_allocation(
    cluster: Cluster, project: Path, unbroken: Path, option: str, sent: signal.Signals
) -> None:
    words = (
        *("--set-resources", "train_fersnet:runtime=1", "train_fersnet:slurm_partition=short"),
        *("--default-resources", f"slurm_extra='{option}'"),
        *("--slurm-array-jobs=none", "--retries=30"),
    )
    with started(cluster, project, *CONFIGURED, *words, "--", TRAINING) as process:
        wait_for_progress(project, attempt=1)
        # Stopped until SLURM speaks up, a training outlives its minute on the fastest machine.
        trainings = [training_process(project, fold) for fold in FOLDS]
        for training in trainings:
            os.kill(training, signal.SIGSTOP)
        for training in trainings:
            wait_until(f"{sent.name} from SLURM", lambda training=training: has_been_sent(training, sent))
            with suppress(ProcessLookupError):
                os.kill(training, signal.SIGCONT)
        saved = f"{sent.name}: state saved"
        for fold in FOLDS:
            wait_until("the training to save", lambda fold=fold: saved in training_log(project, fold))
        finish(process, project)
    assert_same_as_unbroken(project, unbroken)
    for fold in FOLDS:
        assert training_records(project)[fold]["attempts"] > 1
        assert "going on from epoch" in training_log(project, fold)

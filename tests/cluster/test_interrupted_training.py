"""Whatever the scheduler does to a training, it ends with the bytes of an unbroken one."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.daemons import Cluster
from tests.cluster.rests import REST, saved
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
    mirrored_runs,
    output_of,
    started,
    training_log,
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


def all_folds(condition: Callable[[int], bool]) -> Callable[[], bool]:
    return lambda: all(condition(fold) for fold in FOLDS)


def wait_for_progress(run: subprocess.Popen[bytes], folder: Path, attempt: int) -> None:
    """Until the given attempt at each fold's training has finished an epoch; from then on it rests."""

    def has_trained(fold: int) -> bool:
        record = training_records(folder).get(fold)
        return record is not None and record["attempts"] == attempt and "train epoch" in training_log(folder, fold)

    wait_until(f"attempt {attempt} at the trainings gets on", all_folds(has_trained), run, folder)


def training_jobs(cluster: Cluster) -> list[str]:
    """The running tasks of the training's array, or its jobs where a retry was submitted alone."""
    words = ("squeue", "--noheader", "--array", "--states=running", "--format=%i %k")
    return [line.split()[0] for line in cluster.command(*words).splitlines() if "rule_train_fersnet" in line]


def test_trainings_killed_three_times_end_with_the_bytes_of_unbroken_ones(
    cluster: Cluster, project: Path, unbroken: Path
) -> None:
    with started(cluster, project, *CONFIGURED, "--", *TRAINING, MLFLOW_TRACKING_URI=NOWHERE) as run:
        wait_for_progress(run, project, attempt=1)
        first = training_jobs(cluster)
        assert len(first) == len(FOLDS)
        assert len({job.split("_")[0] for job in first}) == 1, f"no array: {first}"
        cluster.command("scancel", *first)
        wait_for_progress(run, project, attempt=2)
        for job in training_jobs(cluster):
            cluster.command("scontrol", "requeue", job)
        wait_for_progress(run, project, attempt=3)
        cluster.set_node("down")
        lost = all_folds(lambda fold: len(saved(project, fold)) == 3)
        wait_until("the lost node has ended its jobs", lost, run, project)
        (project / REST).unlink()
        cluster.set_node("resume")
        finish(run, project)
    assert_same_as_unbroken(project, unbroken)
    for fold in FOLDS:
        assert training_records(project)[fold]["attempts"] == 4
        assert saved(project, fold) == ["SIGTERM"] * 3
        assert "going on from epoch" in training_log(project, fold)
    assert "what is missing follows with `fersnet sync`" in output_of(project)
    for _ in range(2):
        fersnet(project, "sync", str(RESULTS))
        runs = mirrored_runs(project)
        assert len(runs["job_key"]) == len(set(runs["job_key"])) == len(list((project / JOBS).glob("*.json")))
        assert set(runs["status"]) == {"FINISHED"}


@pytest.mark.parametrize(
    ("option", "seconds", "signal"),
    [
        # SLURM takes no limit that has passed, looks every half minute, and may warn a minute early.
        pytest.param("--signal=USR1@600", 690, "SIGUSR1", id="warned-before-the-limit"),
        pytest.param("--nice=0", 60, "SIGTERM", id="ended-at-the-limit"),
    ],
)
def test_trainings_longer_than_their_time_limit_go_on_in_the_next_allocation(
    cluster: Cluster, project: Path, unbroken: Path, option: str, seconds: int, signal: str
) -> None:
    words = ("--default-resources", f"slurm_extra='{option}'", "--slurm-array-jobs=none")
    with started(cluster, project, *CONFIGURED, *words, "--", *TRAINING) as run:
        wait_for_progress(run, project, attempt=1)
        # The limit is set now, so that no machine is too slow to reach its first epoch before it.
        for job in training_jobs(cluster):
            end = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + seconds))
            cluster.command("scontrol", "update", f"jobid={job}", f"endtime={end}")
        wait_until(
            f"the trainings have saved on {signal}", all_folds(lambda fold: bool(saved(project, fold))), run, project
        )
        (project / REST).unlink()
        finish(run, project)
    assert_same_as_unbroken(project, unbroken)
    for fold in FOLDS:
        assert training_records(project)[fold]["attempts"] == 2
        assert saved(project, fold) == [signal]
        assert "going on from epoch" in training_log(project, fold)

"""Running the workflow through the SLURM profile, and looking into it from outside."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.daemons import ENDED_WITH_TESTS, Cluster

RESULTS = Path("results", "smoke")
JOBS = RESULTS / "tracking" / "jobs"
FOLDS = (1, 2)
"""The folds whose trainings are interrupted."""
MODELS = RESULTS / "models" / "oulu_casia" / "fersnet"
PREDICTIONS = tuple(RESULTS / "predictions" / "oulu_casia" / "fersnet" / f"fold{fold}.parquet" for fold in FOLDS)
TRAINING = tuple(map(str, PREDICTIONS))
"""What the interrupted runs make: the predictions of two trainings, which SLURM gets as one array."""
TRAINING_INPUTS = [
    str(RESULTS / "models" / "oulu_casia" / "identity" / f"fold{fold}" / "checkpoint.pt") for fold in FOLDS
]
SETTINGS_FILE = "longer.yaml"
SETTINGS = "training: {epochs: 6}\n"
"""Two epochs more than the most attempts at a training: each of them leaves something to the next."""
CONFIGURED = ("--configfile", "config/smoke.yaml", SETTINGS_FILE, "--config", "device=cpu")
"""The smoke config with a longer training, on the CPU."""
PROFILE = (
    "--workflow-profile=profiles/slurm",
    # A file system without delay, and a scheduler with nothing else to do.
    "--latency-wait=20",
    "--slurm-init-seconds-before-status-checks=1",
)
IMPATIENT = Path(__file__).with_name("impatient.py")
WAIT_SECONDS = 4 * 3600
"""No time that anything may take, but an end to a wait for what never comes."""


@contextmanager
def started(cluster: Cluster, folder: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs snakemake with the profile while the body runs, its output in `folder/output.txt`; ends it afterwards."""
    command = [*ENDED_WITH_TESTS, sys.executable, str(IMPATIENT), *PROFILE, *words]
    settings = cluster.environment | {"COLUMNS": "200", "PYTHONPATH": ""} | environment
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=output, stderr=output)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
            cluster.end_jobs()


def run(cluster: Cluster, folder: Path, *words: str, **environment: str) -> str:
    """Runs snakemake with the profile to its end and gives its output; it must succeed."""
    with started(cluster, folder, *words, **environment) as process:
        return finish(process, folder)


def finish(process: subprocess.Popen[bytes], folder: Path) -> str:
    """Waits for a started run to end well, and gives its output."""
    code = process.wait(WAIT_SECONDS)
    text = output_of(folder)
    assert code == 0, text[-6000:]
    return text


def output_of(folder: Path) -> str:
    """What the run in a folder has printed."""
    return (folder / "output.txt").read_text(encoding="utf-8", errors="replace")


def wait_until(what: str, condition: Callable[[], Any], process: subprocess.Popen[bytes], folder: Path) -> Any:
    """Waits for a condition to become true while a run goes on, and gives its value."""
    end = time.monotonic() + WAIT_SECONDS
    while not (value := condition()):
        assert process.poll() is None, f"the run ended before {what}: {output_of(folder)[-6000:]}"
        assert time.monotonic() < end, f"waited {WAIT_SECONDS} s for {what}: {output_of(folder)[-6000:]}"
        time.sleep(0.2)
    return value


def training_records(folder: Path) -> dict[int, dict[str, Any]]:
    """The job records of the training to interrupt, by fold."""
    paths = (folder / JOBS).glob("train_fersnet-*.json")
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return {int(record["fold"]): record for record in records}


def training_log(folder: Path, fold: int) -> str:
    """What the present attempt at a training has logged."""
    path = folder / RESULTS / "logs" / "train_fersnet" / f"oulu_casia_fersnet_fold{fold}.log"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def mirrored_runs(folder: Path) -> dict[str, list[str]]:
    """Job keys and states of all jobs in the tracking store of a run."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{folder / RESULTS / 'tracking' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(f"fersnet-{RESULTS.name}")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    runs = [run for run in found if "level" not in run.data.tags]  # Others stand above the jobs.
    return {"job_key": [run.data.tags["job_key"] for run in runs], "status": [run.info.status for run in runs]}


def fersnet(folder: Path, *words: str) -> None:
    """Runs `fersnet …` in a copy of the project, as on a login node; it must succeed."""
    command = [sys.executable, "-m", "fersnet.cli", *words]
    settings = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr

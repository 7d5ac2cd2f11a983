"""Running the workflow through the SLURM profile, and looking into it from outside."""

import json
import os
import signal
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
"""The folds whose trainings are interrupted; the third is there beforehand."""
MODELS = RESULTS / "models" / "oulu_casia" / "fersnet"
PREDICTIONS = tuple(RESULTS / "predictions" / "oulu_casia" / "fersnet" / f"fold{fold}.parquet" for fold in FOLDS)
TRAINING = str(PREDICTIONS[0])
"""What the interrupted runs make: the predictions of two trainings, which SLURM gets as one array."""
TRAINING_INPUTS = [
    *(str(RESULTS / "models" / "oulu_casia" / "identity" / f"fold{fold}" / "checkpoint.pt") for fold in FOLDS),
    str(MODELS / "fold3" / "checkpoint.pt"),
]
SETTINGS_FILE = "longer.yaml"
SETTINGS = "training: {epochs: 60}\n"
"""Enough epochs that a training outlives the waits between its interruptions."""
CONFIGURED = ("--configfile", "config/smoke.yaml", SETTINGS_FILE, "--config", "device=cpu")
"""The smoke config with a longer training, on the CPU."""
PROFILE = (
    "--workflow-profile=profiles/slurm",
    # A file system without delay, and a scheduler with nothing else to do.
    "--latency-wait=20",
    "--slurm-init-seconds-before-status-checks=2",
)
WAIT_SECONDS = 300


@contextmanager
def started(cluster: Cluster, folder: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs snakemake with the profile while the body runs, its output in `folder/output.txt`; ends it afterwards."""
    command = [*ENDED_WITH_TESTS, sys.executable, "-m", "snakemake", *PROFILE, *words]
    settings = cluster.environment | {"COLUMNS": "200", "PYTHONPATH": ""} | environment
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=output, stderr=output)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
            cluster.command("scancel", "--user=root")


def run(cluster: Cluster, folder: Path, *words: str, timeout: float = 2400, **environment: str) -> str:
    """Runs snakemake with the profile to its end and gives its output; it must succeed."""
    with started(cluster, folder, *words, **environment) as process:
        return finish(process, folder, timeout)


def finish(process: subprocess.Popen[bytes], folder: Path, timeout: float = 900) -> str:
    """Waits for a started run to end well, and gives its output."""
    code = process.wait(timeout)
    text = (folder / "output.txt").read_text(encoding="utf-8", errors="replace")
    assert code == 0, text[-6000:]
    return text


def wait_until(what: str, condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """Waits for a condition to become true and gives its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
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


def training_process(folder: Path, fold: int) -> int:
    """The process that trains, which holds the lock of its job's record."""
    key = training_records(folder)[fold]["job_key"]
    lock = (folder / JOBS / f"{key}.lock").resolve()
    for opened in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if opened.resolve() == lock:
                return int(opened.parts[2])
        except OSError:
            continue
    raise AssertionError(f"no process holds {lock}")


def has_been_sent(number: int, which: signal.Signals) -> bool:
    """Whether a stopped process has a signal waiting for it, or woke up on one and ended."""
    status = Path(f"/proc/{number}/status")
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return True
    masks = (int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd:", "ShdPnd:")))
    return any(mask >> (which - 1) & 1 for mask in masks)


def mirrored_runs(folder: Path) -> dict[str, list[str]]:
    """Job keys and states of all runs in the tracking store of a run."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{folder / RESULTS / 'tracking' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(f"fersnet-{RESULTS.name}")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    return {"job_key": [run.data.tags["job_key"] for run in runs], "status": [run.info.status for run in runs]}


def fersnet(folder: Path, *words: str) -> None:
    """Runs `fersnet …` in a copy of the project, as on a login node; it must succeed."""
    command = [sys.executable, "-m", "fersnet.cli", *words]
    settings = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr

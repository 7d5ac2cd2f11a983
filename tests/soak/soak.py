"""Kills trainings at random moments and runs them again: `python -m tests.soak.soak --trials 200`, or `make soak`.

Each trial takes the next training method, starts it as a tracked job, sends it SIGKILL, SIGTERM or SIGUSR1 one to three
times at random moments, and lets it end. Its files must then be those of an unbroken run, byte for byte (the history
apart from its times), nothing else may lie beside them, and its record must say FINISHED; what was finished before a
kill must be there after it. The state is saved after every step, so that many kills fall into a save.

The moments are drawn from (seed, trial); what they hit also depends on the machine. The interpreter is forked for each
start, which spares the imports.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fersnet.tracking import FINISHED, Interrupted, git_commit, jobs_folder, read_records, track_job
from fersnet.training import loop
from fersnet.training.resume import RESUME_FILE
from fersnet.training.signals import INTERRUPTED_EXIT_CODE
from fersnet.training.task import TrainingRun
from tests.soak.trainings import TRAININGS, pretrained_checkpoint

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1)
LONGEST = 120.0
"""Seconds after which an attempt counts as hung."""


class Failed(Exception):
    """What a trial found wrong."""


def start(method: str, folder: Path) -> int:
    """The process id of a new attempt at a training job in `folder`."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        loop.SAVE_SECONDS, loop.SAVE_SHARE = 0.0, float("inf")
        with (folder.parent / f"{folder.name}.log").open("a") as log:
            os.dup2(log.fileno(), sys.stderr.fileno())
        job = {"run": "soak", "method": method, "seed": 3, "params": {}, "config_sha256": "", "data_sha256": ""}
        with track_job(results_of(folder), "train", **job, threads=1):
            TRAININGS[method](TrainingRun(folder, 3, torch.device("cpu"), "fingerprint"))
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    except Interrupted:
        code = INTERRUPTED_EXIT_CODE
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def results_of(folder: Path) -> Path:
    """Where a training job's record goes."""
    return folder.parent / f"{folder.name}_results"


def ended(process: int) -> int:
    """The exit code of a child, negative for a signal.

    Raises:
        Failed: if it does not end.
    """
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    raise Failed(f"an attempt did not end within {LONGEST:.0f} s")


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file of a training, the history without its times."""
    contents = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        contents[path.name] = path.read_bytes()
        if path.name == "history.csv":
            contents[path.name] = pd.read_csv(path).drop(columns="seconds").to_csv(index=False).encode()
    return contents


def run_unbroken(method: str, folder: Path) -> tuple[dict[str, bytes], float]:
    """The files of a training that nobody disturbs, and how long it takes."""
    clock = time.monotonic()
    if ended(start(method, folder)) != 0:
        raise Failed((folder.parent / f"{folder.name}.log").read_text()[-2000:])
    return files_of(folder), time.monotonic() - clock


def run_trial(method: str, folder: Path, expected: dict[str, bytes], seconds: float, rng: np.random.Generator) -> str:
    """One training, killed up to three times; says what happened.

    Raises:
        Failed: if anything is not as it should be.
    """
    story = []
    for _ in range(int(rng.integers(1, 4))):
        number = SIGNALS[rng.integers(len(SIGNALS))]
        process = start(method, folder)
        time.sleep(rng.uniform(0, seconds))
        os.kill(process, number)
        code = ended(process)
        story.append(f"{number.name}:{code}")
        if code not in (0, INTERRUPTED_EXIT_CODE, -number):
            raise Failed(f"{' '.join(story)}: {(folder.parent / f'{folder.name}.log').read_text()[-2000:]}")
        present = files_of(folder)
        changed = [name for name, content in expected.items() if name in present and present[name] != content]
        if changed:
            raise Failed(f"{' '.join(story)}: {changed} half-written")
        if code == 0 and present != expected:
            raise Failed(f"{' '.join(story)}: ended well, but has {sorted(present)}")
        if code == INTERRUPTED_EXIT_CODE and number == signal.SIGUSR1 and RESUME_FILE not in present:
            raise Failed(f"{' '.join(story)}: stopped without its state")
    code = ended(start(method, folder))
    present = files_of(folder)
    if code != 0:
        raise Failed(f"{' '.join(story)}, then {code}: {(folder.parent / f'{folder.name}.log').read_text()[-2000:]}")
    if set(present) != set(expected):
        raise Failed(f"{' '.join(story)}: files {sorted(present)}, expected {sorted(expected)}")
    different = [name for name in expected if present[name] != expected[name]]
    if different:
        raise Failed(f"{' '.join(story)}: {different} differ from the unbroken run's")
    check_records(results_of(folder), len(story) + 1)
    return " ".join(story)


def check_records(results: Path, starts: int) -> None:
    """The job has one record that says FINISHED, and nothing half-written lies beside it.

    Raises:
        Failed: otherwise.
    """
    (record,) = read_records(results)
    if record.status != FINISHED or not 1 <= record.attempts <= starts:
        raise Failed(f"the record says {record.status} after {record.attempts} of {starts} attempts")
    left = [path.name for path in jobs_folder(results).iterdir() if path.suffix not in (".json", ".lock")]
    if left:
        raise Failed(f"left behind beside the records: {left}")


def soak(trials: int, seed: int, folder: Path, first: int = 0) -> list[str]:
    """Runs the trials `first` to `first + trials - 1` and returns what failed, a line each."""
    torch.set_num_threads(1)
    git_commit()
    pretrained_checkpoint(folder)
    unbroken: dict[str, tuple[dict[str, bytes], float]] = {}
    failures, signals = [], Counter[str]()
    for trial in range(first, first + trials):
        method = list(TRAININGS)[trial % len(TRAININGS)]
        place = folder / f"trial{trial}"
        try:
            if method not in unbroken:
                unbroken[method] = run_unbroken(method, folder / f"unbroken {method}")
            story = run_trial(method, place, *unbroken[method], np.random.default_rng([seed, trial]))
            signals.update(story.split())
        except Failed as failure:
            failures.append(f"trial {trial} (seed {seed}, {method}): {failure}")
            print(failures[-1], flush=True)
            continue
        shutil.rmtree(place)
    print(f"{trials} trials, {len(failures)} failed; signals and exit codes: {dict(signals.most_common())}")
    return failures


def main() -> None:
    """Run and report; exit code 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Kill trainings at random moments and run them again.")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first trial, to run them in slices")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fersnet-soak-") as folder:
        failures = soak(arguments.trials, arguments.seed, Path(folder), arguments.first)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()

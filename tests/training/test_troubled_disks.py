"""Trainings on disks that are full or slow, and under a clock that jumps: nothing is lost, and little time."""

import errno
import itertools
import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fersnet.errors import UserError
from fersnet.training import checkpoint, loop
from fersnet.training.checkpoint import load_checkpoint, write_atomically
from fersnet.training.loop import train
from fersnet.training.task import Stage, TrainingRun, TrainingTask


class Line(TrainingTask):
    """A straight line fitted to noise."""

    def __init__(self, before_step: Any = lambda: None) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(4, 1)
        self.networks = {"line": self.network}
        self.optimizers = {"line": torch.optim.SGD(self.network.parameters(), lr=0.01)}
        self.before_step = before_step
        self.steps = 0

    def training_step(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        self.before_step()
        self.steps += 1
        loss = self.network(torch.randn(len(indices), 4)).square().mean()
        self.optimizers["line"].zero_grad()
        loss.backward()
        self.optimizers["line"].step()
        return {"loss": loss.detach()}


STAGES = (Stage("only", 4, 2, 10),)
STEPS = 20


def run_in(folder: Path) -> TrainingRun:
    return TrainingRun(folder, 3, torch.device("cpu"), "a")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("unbroken")
    train(Line(), STAGES, run_in(folder))
    return (folder / "checkpoint.pt").read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_in_the_middle_of_the_result_leaves_no_half_of_it_and_the_state_to_go_on(
    tmp_path: Path, unbroken: bytes, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(loop, "SAVE_SHARE", 1e9)
    flush = os.fsync

    def full(descriptor: int) -> None:
        # The content lies in the temporary file when the system finds that it has no room for it.
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "checkpoint.pt.part":
            raise OSError(number, os.strerror(number))
        flush(descriptor)

    with monkeypatch.context() as full_disk:
        full_disk.setattr(checkpoint.os, "fsync", full)
        with pytest.raises(UserError, match=r"checkpoint\.pt: cannot be written .*; make room"):
            train(Line(), STAGES, run_in(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]
    again = Line()
    train(again, STAGES, run_in(tmp_path))
    assert again.steps < STEPS
    assert (tmp_path / "checkpoint.pt").read_bytes() == unbroken
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "history.csv"]


def test_a_slow_network_file_system_takes_a_small_share_of_the_time(
    tmp_path: Path, unbroken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Time is pretended: a step takes a second, each of the three calls of a save ten.
    clock = {"now": 0.0, "saving": 0.0}

    def slowed(owner: Any, name: str) -> None:
        call = getattr(owner, name)

        def slow(*arguments: Any, **keywords: Any) -> Any:
            clock["now"] += 10.0
            clock["saving"] += 10.0
            return call(*arguments, **keywords)

        monkeypatch.setattr(owner, name, slow)

    def step() -> None:
        clock["now"] += 1.0

    for name in ("replace", "fsync"):
        slowed(checkpoint.os, name)
    slowed(Path, "open")
    monkeypatch.setattr(loop.time, "monotonic", lambda: clock["now"])
    steps = 3000
    train(Line(step), (Stage("only", steps // 5, 2, 10),), run_in(tmp_path))
    # Checkpoint and history are written once, at 30 s each.
    assert 0 < clock["saving"] - 60 <= loop.SAVE_SHARE * steps + 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "history.csv"]


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A reader on another host may look at any moment, so it looks before each call here.
    path, seen = tmp_path / "result.pt", []
    path.write_bytes(b"old")
    for name in ("replace", "fsync"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, call=call: (seen.append(path.read_bytes()), call(*a))[1])
    write_atomically(path, b"new")
    assert seen == [b"old", b"old"]
    assert path.read_bytes() == b"new"


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, unbroken: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = itertools.cycle([0.0, 4e9, -4e9, 1e5])
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    interrupted = Line()

    def stop() -> None:
        if interrupted.steps == 12:
            raise KeyboardInterrupt

    interrupted.before_step = stop
    with pytest.raises(KeyboardInterrupt):
        train(interrupted, STAGES, run_in(tmp_path))
    # The state may be from the future or from long ago by its file's time.
    for moment in (0, 4e9):
        os.utime(tmp_path / "resume.pt", (moment, moment))
    again = Line()
    history = train(again, STAGES, run_in(tmp_path))
    assert again.steps < STEPS
    assert (tmp_path / "checkpoint.pt").read_bytes() == unbroken
    assert (history["seconds"] >= 0).all()
    assert load_checkpoint(tmp_path / "checkpoint.pt")

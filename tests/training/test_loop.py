"""The training loop: exact resume, kills, signals, bad losses, selection, history."""

import logging
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from fersnet import __version__
from fersnet.errors import UserError
from fersnet.settings.training import ScheduleSettings
from fersnet.training import loop
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.loop import batches_of, best_so_far, train
from fersnet.training.signals import TrainingInterrupted
from fersnet.training.task import Stage, TrainingRun, TrainingTask, learning_rate_at, set_learning_rate


class NoisyTask(TrainingTask):
    """Random draws in the step, BatchNorm, dropout, two optimizers, a pool, averages: all the state a task may have."""

    averaging = 0.9

    def __init__(self, pause: float = 0.0) -> None:
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3))
        self.head = nn.Linear(8, 1)
        self.networks = {"body": self.body, "head": self.head}
        self.optimizers = {
            "body": torch.optim.Adam(self.body.parameters(), lr=1e-2),
            "head": torch.optim.Adam(self.head.parameters(), lr=1e-2),
        }
        self.data = torch.randn(23, 4)
        self.pool = torch.zeros(8)
        self.pause = pause
        self.seen: list[list[int]] = []
        self.poison_at: int | None = None

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        return ("body", "head") if stage.name == "first" else ("head",)

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        set_learning_rate(self.optimizers["head"], 1e-2 / epoch)

    def training_step(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        time.sleep(self.pause)
        self.seen.append(indices.tolist())
        features = self.body(self.data[indices] + 0.1 * torch.randn(len(indices), 4))
        self.pool = 0.5 * self.pool + features.detach().mean(dim=0)
        error = (self.head(features + self.pool) - self.data[indices].sum(dim=1, keepdim=True)).square().mean()
        for optimizer in self.optimizers.values():
            optimizer.zero_grad()
        error.backward()
        for optimizer in self.optimizers.values():
            optimizer.step()
        if self.poison_at == len(self.seen):
            error = error * float("nan")
        return {"error": error.detach(), "pool": self.pool.abs().mean()}

    def extra_state(self) -> dict[str, torch.Tensor]:
        return {"pool": self.pool}

    def load_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        self.pool = state["pool"]


STAGES = (Stage("first", 3, 5, 23), Stage("second", 2, 7, 23))


def run_in(folder: Path, seed: int = 3, fingerprint: str = "a") -> TrainingRun:
    return TrainingRun(folder, seed, torch.device("cpu"), fingerprint, {"kind": "noisy"})


def figures(stage: Stage, epoch: int) -> dict[str, float]:
    return {"score": float(torch.rand(()))}


def chosen(history: list[dict]) -> list[str]:
    return ["best"] if best_so_far(history, "score") else []


def outputs(folder: Path) -> tuple[bytes, bytes, pd.DataFrame]:
    history = pd.read_csv(folder / "history.csv").drop(columns="seconds")
    return (folder / "checkpoint.pt").read_bytes(), (folder / "best.pt").read_bytes(), history


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    train(NoisyTask(), STAGES, run_in(folder), figures, chosen)
    return folder


def assert_same(left: Path, right: Path) -> None:
    one, other = outputs(left), outputs(right)
    assert one[0] == other[0]
    assert one[1] == other[1]
    pd.testing.assert_frame_equal(one[2], other[2], check_exact=True)


def test_two_runs_give_the_same_bytes_and_another_seed_does_not(unbroken: Path, tmp_path: Path) -> None:
    train(NoisyTask(), STAGES, run_in(tmp_path / "again"), figures, chosen)
    assert_same(unbroken, tmp_path / "again")
    train(NoisyTask(), STAGES, run_in(tmp_path / "other", seed=4), figures, chosen)
    assert outputs(unbroken)[0] != outputs(tmp_path / "other")[0]


def test_files_and_history(unbroken: Path) -> None:
    assert sorted(path.name for path in unbroken.iterdir()) == ["best.pt", "checkpoint.pt", "history.csv"]
    history = pd.read_csv(unbroken / "history.csv")
    assert list(history.columns) == ["stage", "epoch", "seconds", "error", "pool", "score"]
    assert history["stage"].tolist() == ["first"] * 3 + ["second"] * 2
    assert history["epoch"].tolist() == [1, 2, 3, 1, 2]
    states, metadata = load_checkpoint(unbroken / "checkpoint.pt")
    assert set(states) == {"body", "head"}
    assert metadata == {"kind": "noisy", "stage": "second", "epoch": 2, "averaging": 0.9, "version": __version__}
    best = history.loc[history["score"].idxmax()]
    kept = load_checkpoint(unbroken / "best.pt")[1]
    assert (kept["stage"], kept["epoch"]) == (best["stage"], best["epoch"])


def states_of(task: NoisyTask) -> dict[str, dict[str, torch.Tensor]]:
    return {name: {k: v.clone() for k, v in part.state_dict().items()} for name, part in task.networks.items()}


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99])
def test_averages_are_those_of_the_formula_and_are_what_is_used(tmp_path: Path, decay: float) -> None:
    task, after_step, evaluated = NoisyTask(), [], []
    task.averaging = decay
    expected, step = states_of(task), task.training_step
    expected = {name: {key: value.double() for key, value in state.items()} for name, state in expected.items()}

    def followed(indices: torch.Tensor) -> dict[str, torch.Tensor]:
        losses = step(indices)
        done = len(task.seen) - 1
        # The first stage has 15 steps; the second, whose body is no longer averaged, begins to count anew.
        count, names = (done, ("body", "head")) if done < 15 else (done - 15, ("head",))
        keep = min(decay, count / (9 + count))
        for name in names:
            for key, value in task.networks[name].state_dict().items():
                whole = not value.is_floating_point()
                expected[name][key] = value.double() if whole else keep * expected[name][key] + (1 - keep) * value
        after_step.append(states_of(task))
        return losses

    def look(stage: Stage, epoch: int) -> dict[str, float]:
        evaluated.append(states_of(task))
        return {"score": -float(len(evaluated))}

    task.training_step = followed
    train(task, STAGES, run_in(tmp_path), look, chosen)
    used, metadata = load_checkpoint(tmp_path / "checkpoint.pt")
    assert metadata["averaging"] == decay
    for name, state in used.items():
        for key, value in state.items():
            torch.testing.assert_close(value.double(), expected[name][key], rtol=1e-5, atol=1e-6)
            assert torch.equal(value, task.networks[name].state_dict()[key]), "the task is left with what is used"
            assert torch.equal(value, evaluated[-1][name][key]), "what was evaluated is what is used"
    kept, _ = load_checkpoint(tmp_path / "best.pt")
    kept_last, _ = load_checkpoint(tmp_path / "best.pt", last=True)
    for name in kept:
        for key in kept[name]:
            assert torch.equal(kept[name][key], evaluated[0][name][key])
            assert torch.equal(kept_last[name][key], after_step[4][name][key]), "the last weights of the epoch"


def test_averages_change_nothing_of_the_training(unbroken: Path, tmp_path: Path) -> None:
    task = NoisyTask()
    task.averaging = None
    train(task, STAGES, run_in(tmp_path))
    plain, metadata = load_checkpoint(tmp_path / "checkpoint.pt")
    last, _ = load_checkpoint(unbroken / "checkpoint.pt", last=True)
    assert metadata["averaging"] is None
    for name, state in plain.items():
        assert all(torch.equal(value, last[name][key]) for key, value in state.items())
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert "averaged" not in content


@pytest.mark.parametrize("stop_after", [1, 4, 5, 6, 15, 16, 19, 22])
def test_stopping_at_any_step_and_going_on_gives_the_same_bytes(
    unbroken: Path, tmp_path: Path, stop_after: int
) -> None:
    task = NoisyTask()
    step = task.training_step

    def stopping(indices: torch.Tensor) -> dict[str, torch.Tensor]:
        losses = step(indices)
        if len(task.seen) == stop_after:
            os.kill(os.getpid(), random.Random(stop_after).choice((signal.SIGTERM, signal.SIGUSR1)))
        return losses

    task.training_step = stopping
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TrainingInterrupted) as caught:
        train(task, STAGES, run_in(tmp_path), figures, chosen)
    assert caught.value.code == 75
    assert signal.getsignal(signal.SIGTERM) == before
    assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]
    rest = NoisyTask()
    train(rest, STAGES, run_in(tmp_path), figures, chosen)
    assert len(task.seen) == stop_after
    assert len(rest.seen) == 3 * 5 + 2 * 4 - stop_after, "the steps already done are not done again"
    assert_same(unbroken, tmp_path)
    assert not (tmp_path / "resume.pt").exists()


CHILD = """
import sys, torch
sys.path.insert(0, {tests!r})
torch.set_num_threads(1)
from pathlib import Path
import test_loop
from fersnet.training import loop
loop.SAVE_SECONDS = 0.0
loop.SAVE_SHARE = 1e9
print("ready", flush=True)
run = test_loop.run_in(Path({folder!r}))
loop.train(test_loop.NoisyTask(0.02), test_loop.STAGES, run, test_loop.figures, test_loop.chosen)
"""


def test_killed_at_random_moments_a_training_ends_with_the_same_bytes(unbroken: Path, tmp_path: Path) -> None:
    draw = random.Random(11)
    code = CHILD.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    environment = os.environ | {"PYTHONPATH": str(Path(loop.__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    kills = 0
    for attempt in range(12):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        if attempt < 3:
            time.sleep(draw.uniform(0.02, 0.35))
            child.kill()
        child.wait()
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        kills += 1
    assert kills >= 1
    assert_same(unbroken, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "checkpoint.pt", "history.csv"]


def interrupted(folder: Path) -> None:
    task = NoisyTask()
    step = task.training_step

    def stopping(indices: torch.Tensor) -> dict[str, torch.Tensor]:
        if len(task.seen) == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(indices)

    task.training_step = stopping
    with pytest.raises(TrainingInterrupted):
        train(task, STAGES, run_in(folder), figures, chosen)


def test_state_of_another_configuration_is_ignored_with_one_line(
    unbroken: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interrupted(tmp_path)
    task = NoisyTask()
    with caplog.at_level(logging.INFO, logger="fersnet"):
        train(task, STAGES, run_in(tmp_path, fingerprint="b"), figures, chosen)
    assert len(task.seen) == 23
    assert sum("another configuration" in record.message for record in caplog.records) == 1
    assert_same(unbroken, tmp_path)


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_damaged_resume_state_is_ignored(unbroken: Path, tmp_path: Path, damage: bytes | None) -> None:
    interrupted(tmp_path)
    state = tmp_path / "resume.pt"
    state.write_bytes(state.read_bytes()[:900] if damage is None else damage)
    train(NoisyTask(), STAGES, run_in(tmp_path), figures, chosen)
    assert_same(unbroken, tmp_path)


def test_a_full_disk_costs_the_resume_state_not_the_training(
    unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replace_file = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == "resume.pt":
            raise OSError(28, "No space left on device")
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(loop, "SAVE_SHARE", 1e9)
    train(NoisyTask(), STAGES, run_in(tmp_path), figures, chosen)
    assert "No space left on device" in caplog.text
    assert_same(unbroken, tmp_path)


def test_a_loss_that_is_not_finite_names_the_place_and_leaves_the_last_good_networks(tmp_path: Path) -> None:
    train(NoisyTask(), [replace(STAGES[0], epochs=1)], run_in(tmp_path / "one epoch"))
    reference, _ = load_checkpoint(tmp_path / "one epoch" / "checkpoint.pt", last=True)
    task = NoisyTask()
    task.poison_at = 8
    with pytest.raises(UserError, match=r"loss error is nan in stage first, epoch 2, step 3 \(samples ") as caught:
        train(task, STAGES, run_in(tmp_path / "broken"))
    assert "\n" not in str(caught.value)
    good, metadata = load_checkpoint(tmp_path / "broken" / "last_good.pt")
    assert metadata["epoch"] == 1
    for name, state in reference.items():
        for key, value in state.items():
            assert torch.equal(good[name][key], value)


def test_out_of_memory_says_which_setting_to_lower(tmp_path: Path) -> None:
    task = NoisyTask()
    task.training_step = lambda indices: torch.empty(10**15)
    with pytest.raises(UserError, match="batch_size"):
        train(task, STAGES, run_in(tmp_path))


def test_other_errors_pass_through(tmp_path: Path) -> None:
    task = NoisyTask()
    task.training_step = lambda indices: torch.zeros(2) @ torch.zeros(3)
    with pytest.raises(RuntimeError, match="inconsistent"):
        train(task, STAGES, run_in(tmp_path))


def test_an_empty_fold_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="stage first"):
        train(NoisyTask(), [Stage("first", 1, 4, 0)], run_in(tmp_path))


@pytest.mark.parametrize(("samples", "size", "sizes"), [(23, 5, [5, 5, 5, 5, 3]), (21, 5, [5] * 4), (1, 5, [1])])
def test_the_last_batch(samples: int, size: int, sizes: list[int]) -> None:
    batches = batches_of(Stage("s", 1, size, samples), 1, 1)
    assert [len(batch) for batch in batches] == sizes
    seen = torch.cat(batches).tolist()
    assert len(set(seen)) == len(seen)
    assert max(seen) < samples


def test_epochs_have_orders_of_their_own() -> None:
    stage = Stage("s", 2, 23, 23)
    assert batches_of(stage, 1, 1)[0].tolist() != batches_of(stage, 1, 2)[0].tolist()
    assert batches_of(stage, 1, 1)[0].tolist() == batches_of(stage, 1, 1)[0].tolist()


def test_learning_rate_follows_the_published_schedule() -> None:
    schedule = ScheduleSettings()
    rates = {epoch: learning_rate_at(schedule, epoch) for epoch in (1, 150, 151, 400, 401, 500)}
    assert rates == pytest.approx({1: 1e-4, 150: 1e-4, 151: 1e-5, 400: 1e-5, 401: 1e-6, 500: 1e-6})


def test_one_line_per_epoch_with_the_time_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="fersnet"):
        train(NoisyTask(), STAGES, run_in(tmp_path))
    lines = [record.message for record in caplog.records if " left)" in record.message]
    assert len(lines) == 5
    assert lines[0].startswith("first epoch 1/3: error ")
    assert lines[-1].endswith("0:00:00 left)")


def test_the_deterministic_mode_does_not_outlive_the_training(tmp_path: Path) -> None:
    inside: list[bool] = []
    task = NoisyTask()
    step = task.training_step

    def looking(indices: torch.Tensor) -> dict[str, torch.Tensor]:
        inside.append(torch.are_deterministic_algorithms_enabled())
        return step(indices)

    task.training_step = looking
    train(task, STAGES, run_in(tmp_path))
    assert all(inside)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_training_spares_the_import_of_the_compiler(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from tests.training.test_loop import STAGES, NoisyTask, run_in, train
train(NoisyTask(), STAGES, run_in(Path({str(tmp_path)!r})))
sys.exit("torch._dynamo" in sys.modules)
"""
    root = Path(__file__).parent.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0

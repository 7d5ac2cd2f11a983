"""The one training loop: every network of the project is a task that runs in it."""

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.training.averaging import Averages
from fersnet.training.checkpoint import StateDict, save_checkpoint, write_atomically
from fersnet.training.environment import memory_errors_explained, reproducible, seed_generators
from fersnet.training.resume import LAST_GOOD_FILE, Progress, discard, load_progress, save_progress
from fersnet.training.signals import StopRequest, TrainingInterrupted, stop_on_signals
from fersnet.training.task import Stage, TrainingRun, TrainingTask

if TYPE_CHECKING:
    from pandas import DataFrame

logger = logging.getLogger(__name__)

SAVE_SECONDS = 20.0
"""Shortest time between two saves of the resume state."""
SAVE_SHARE = 0.05
"""Largest share of the time that saving may take."""
CHECK_EVERY_CUDA = 16
"""Steps between two looks at the losses on a GPU; each look waits for the device."""

Row = dict[str, Any]
Evaluate = Callable[[Stage, int], dict[str, float]]
Keep = Callable[[Sequence[Row]], Collection[str]]


def train(
    task: TrainingTask,
    stages: Sequence[Stage],
    run: TrainingRun,
    evaluate: Evaluate | None = None,
    keep: Keep | None = None,
) -> "DataFrame":
    """Trains a task to its end, from where an earlier run of the same fingerprint stopped, and writes its files.

    Each step's randomness comes from (seed, stage, epoch, step), and the order of an epoch from (seed, stage, epoch),
    so a resumed training needs no generator state and ends with the same bytes as an unbroken one. The last, partial
    batch is kept unless it has one sample and the epoch has other batches.

    Where the task has its weights averaged, the average is what is evaluated and what the checkpoint is to be used
    with; the checkpoint holds the last weights, too. At the end the task's networks have their averages.

    Args:
        evaluate: called after each epoch with the networks in eval mode and without gradients; its figures become
            columns of the history.
        keep: called after each epoch with all rows so far (the present one last); returns the names for which the
            present networks are the choice. They are written as `<name>.pt` at the end. The name `checkpoint`
            replaces the default, which is the networks of the last epoch.

    Returns:
        The history: a row per epoch with stage, epoch, seconds, the mean of each loss, and what `evaluate` gave.

    Raises:
        UserError: for an empty stage, a loss that is not finite (last_good.pt then holds the networks as they were
            at the start of that epoch), or too little memory.
        TrainingInterrupted: after SIGTERM or SIGUSR1, with the state saved.
    """
    import pandas as pd

    for stage in stages:
        if min(stage.samples, stage.batch_size, stage.epochs) < 1:
            raise UserError(f"stage {stage.name}: no sample, batch or epoch to train on; check folds and settings")
    with stop_on_signals() as stop, reproducible(), memory_errors_explained():
        trainer = _Trainer(task, stages, run, evaluate, keep, stop)
        progress = trainer.run_to_end()
    history = pd.DataFrame(progress.history)
    chosen = {"checkpoint": trainer.present(stages[-1], stages[-1].epochs)} | progress.kept
    for name, kept in chosen.items():
        path = run.folder / f"{name}.pt"
        save_checkpoint(path, kept["networks"], run.metadata | kept["at"], kept["averaged"])
    trainer.averages.put_in_place()
    write_atomically(run.folder / "history.csv", history.to_csv(index=False).encode())
    discard(run.folder)
    return history


def batches_of(stage: Stage, seed: int, epoch: int) -> list[Tensor]:
    """The batches of an epoch: int64 indices into range(stage.samples), in an order drawn from (seed, stage, epoch)."""
    generator = torch.Generator().manual_seed(derive_seed(seed, stage.name, epoch, "order"))
    batches = list(torch.randperm(stage.samples, generator=generator).split(stage.batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches.pop()
    return batches


def best_so_far(history: Sequence[Row], column: str) -> bool:
    """Whether the last row's figure is larger than every earlier one: among equals the first epoch counts."""
    last = history[-1][column]
    return all(last > row[column] for row in history[:-1] if column in row)


class _Trainer:
    """One call of `train`: the state that moves, and the acts on it."""

    def __init__(
        self,
        task: TrainingTask,
        stages: Sequence[Stage],
        run: TrainingRun,
        evaluate: Evaluate | None,
        keep: Keep | None,
        stop: StopRequest,
    ) -> None:
        self.task, self.stages, self.run = task, stages, run
        self.evaluate, self.keep, self.stop = evaluate, keep, stop
        averaged = {name for stage in stages for name in self._averaged(stage)}
        own = {name: network for name, network in task.networks.items() if name in averaged}
        self.averages = Averages(own, task.averaging or 0.0)
        self.progress = load_progress(run.folder, run.fingerprint, task, self.averages) or Progress()
        self.pending: list[tuple[int, Tensor, dict[str, Tensor]]] = []
        self.last_good: dict[str, StateDict] = {}
        self.saved_at, self.pause = time.monotonic(), SAVE_SECONDS
        self.started, self.steps_here = time.monotonic(), 0
        self.steps_left = self._count_steps_left()

    def run_to_end(self) -> Progress:
        while self.progress.stage < len(self.stages):
            stage = self.stages[self.progress.stage]
            self._run_epoch(stage)
            self.progress.next_epoch(last=self.progress.epoch == stage.epochs)
            self._save_if_due()
        return self.progress

    def present(self, stage: Stage, epoch: int) -> dict[str, Any]:
        """What a checkpoint of the end of an epoch is made of, as it stands in the networks and averages."""
        networks = {name: network.state_dict() for name, network in self.task.networks.items()}
        at = {"stage": stage.name, "epoch": epoch, "averaging": self.task.averaging}
        return {"networks": networks, "averaged": self.averages.states, "at": at}

    def _averaged(self, stage: Stage) -> Collection[str]:
        return () if self.task.averaging is None else self.task.averaged(stage)

    def _run_epoch(self, stage: Stage) -> None:
        progress, run = self.progress, self.run
        epoch, began = progress.epoch, time.monotonic() - progress.seconds
        for network in self.task.networks.values():
            network.train()
        seed_generators(derive_seed(run.seed, stage.name, epoch, "begin"), run.device)
        self.task.begin_epoch(stage, epoch)
        self.last_good = _on_cpu({name: network.state_dict() for name, network in self.task.networks.items()})
        batches, averaged = batches_of(stage, run.seed, epoch), self._averaged(stage)
        while progress.step < len(batches):
            indices = batches[progress.step]
            seed_generators(derive_seed(run.seed, stage.name, epoch, progress.step), run.device)
            losses = self.task.training_step(indices)
            self.averages.update(averaged, (epoch - 1) * len(batches) + progress.step)
            progress.step += 1
            self.steps_here += 1
            self.pending.append((progress.step, indices, losses))
            if run.device.type != "cuda" or len(self.pending) >= CHECK_EVERY_CUDA:
                self._read_losses(stage)
            progress.seconds = time.monotonic() - began
            if progress.step < len(batches):
                self._save_if_due(stage)
        self._read_losses(stage)
        if self.evaluate is not None or epoch == stage.epochs:
            self._measure(stage, batches)
        row: Row = {"stage": stage.name, "epoch": epoch, "seconds": 0.0, **progress.mean_losses()}
        row |= self._evaluated(stage, epoch)
        row["seconds"] = round(time.monotonic() - began, 3)
        progress.history.append(row)
        if self.keep is not None:
            for name in self.keep(progress.history):
                present = self.present(stage, epoch)
                progress.kept[name] = present | {part: _on_cpu(present[part]) for part in ("networks", "averaged")}
        self._log(stage, row)

    def _measure(self, stage: Stage, batches: list[Tensor]) -> None:
        """Statistics of its own for the average of a network that draws, before it is used."""
        task, name = self.task, self.task.drawing
        if name is not None and name in self._averaged(stage):
            seed_generators(derive_seed(self.run.seed, stage.name, self.progress.epoch, "statistics"), self.run.device)
            self.averages.measure(name, task.networks[name], task.pass_through, batches)

    def _evaluated(self, stage: Stage, epoch: int) -> dict[str, float]:
        if self.evaluate is None:
            return {}
        seed_generators(derive_seed(self.run.seed, stage.name, epoch, "evaluate"), self.run.device)
        for network in self.task.networks.values():
            network.eval()
        with torch.no_grad(), self.averages.in_place():
            return {name: float(value) for name, value in self.evaluate(stage, epoch).items()}

    def _read_losses(self, stage: Stage) -> None:
        for step, indices, losses in self.pending:
            values = torch.stack([value.detach().float() for value in losses.values()]).tolist() if losses else []
            for name, value in zip(losses, values, strict=True):
                if not math.isfinite(value):
                    self._give_up(stage, step, indices, name, value)
                self.progress.add_loss(name, value, len(indices))
        self.pending.clear()

    def _give_up(self, stage: Stage, step: int, indices: Tensor, name: str, value: float) -> None:
        path = self.run.folder / LAST_GOOD_FILE
        at = {"stage": stage.name, "epoch": self.progress.epoch - 1}
        save_checkpoint(path, self.last_good, self.run.metadata | at)
        samples = ", ".join(map(str, indices[:8].tolist())) + (", ..." if len(indices) > 8 else "")
        raise UserError(
            f"{self.run.folder}: loss {name} is {value} in stage {stage.name}, "
            f"epoch {self.progress.epoch}, step {step} (samples {samples}); "
            f"lower learning_rate or set gradient_clip; {path.name} holds the networks as that epoch began"
        )

    def _save_if_due(self, stage: Stage | None = None) -> None:
        if not self.stop and time.monotonic() - self.saved_at < self.pause:
            return
        if stage is not None:
            self._read_losses(stage)
        began = time.monotonic()
        saved = save_progress(self.run.folder, self.run.fingerprint, self.task, self.averages, self.progress)
        self.saved_at = time.monotonic()
        self.pause = max(SAVE_SECONDS, (self.saved_at - began) / SAVE_SHARE)
        if self.stop and self.progress.stage < len(self.stages):
            outcome = "state saved; run again to go on" if saved else "state could not be saved"
            message = f"{self.stop.name}: {outcome} from epoch {self.progress.epoch}, step {self.progress.step}"
            logger.warning("%s", message)
            raise TrainingInterrupted(message)

    def _count_steps_left(self) -> int:
        sizes = [len(batches_of(stage, self.run.seed, 1)) for stage in self.stages]
        total = sum(stage.epochs * size for stage, size in zip(self.stages, sizes, strict=True))
        done = sum(
            stage.epochs * size for stage, size in list(zip(self.stages, sizes, strict=True))[: self.progress.stage]
        )
        if self.progress.stage < len(self.stages):
            done += (self.progress.epoch - 1) * sizes[self.progress.stage] + self.progress.step
        return total - done

    def _log(self, stage: Stage, row: Row) -> None:
        elapsed = time.monotonic() - self.started
        left = elapsed / max(self.steps_here, 1) * (self.steps_left - self.steps_here)
        figures = " ".join(f"{name} {row[name]:.4g}" for name in row if name not in ("stage", "epoch", "seconds"))
        times = f"{row['seconds']:.1f} s, {_clock(left)} left"
        logger.info("%s epoch %d/%d: %s (%s)", stage.name, row["epoch"], stage.epochs, figures, times)


def _on_cpu(states: Mapping[str, StateDict]) -> dict[str, StateDict]:
    return {
        name: {key: value.detach().to("cpu", copy=True) for key, value in state.items()}
        for name, state in states.items()
    }


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(max(seconds, 0)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"

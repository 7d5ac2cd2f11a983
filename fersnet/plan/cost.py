"""What a training costs: operations, parameters and memory, counted on tensors that hold nothing."""

from contextlib import nullcontext
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from json import dumps, loads
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fersnet.models.describe import OperationCounter, count_parameters
from fersnet.plan.sizes import RunSizes
from fersnet.plan.trainings import planned_training
from fersnet.training.task import Stage, TrainingRun, TrainingTask

BYTES = 4
"""Of a float32."""
COPIES = 4
"""A parameter in training: itself, its gradient, and Adam's two means."""


@dataclass(frozen=True)
class TrainingCost:
    """The cost of one training job."""

    flop: float
    """Of convolutions and matrix products, backward passes included, from the first step to the last."""
    calls: float
    """Of tensor operations, from the first step to the last; the optimizers' own are left out."""
    parameters: int
    """In its checkpoint."""
    step_bytes: float
    """Parameters with gradients and moments, and what the largest step keeps for its backward passes."""


class _Counted(TrainingRun):
    """A run without autocast, which empty tensors do not have."""

    def autocast(self) -> Any:
        return nullcontext()


def training_cost(rule: str, dataset: str, fold: str, params: dict[str, Any], sizes: RunSizes) -> TrainingCost | None:
    """The cost of a training job; None where it trains no network or its dataset's size is unknown.

    Jobs of the same method, settings and data cost the same, so that each is counted once.
    """
    kept = {key: params[key] for key in sorted(params) if key not in ("code", "seed", "device", "precision")}
    settings = dumps(kept, sort_keys=True, default=str)
    # All folds but the zeroth, which trains on everybody, are of one size.
    return _Sized(sizes).cost(rule, dataset, "0" if fold == "0" else "1", settings)


class _Sized:
    """Sizes as a key of the cache: equal ones are one object's worth of work."""

    def __init__(self, sizes: RunSizes) -> None:
        self.sizes = sizes
        self.key = repr(sizes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sized) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    @cache  # noqa: B019 - a plan is made once per process
    def cost(self, rule: str, dataset: str, fold: str, settings: str) -> TrainingCost | None:
        run = _Counted(Path(), 0, torch.device("cpu"), "plan")
        training = planned_training(rule, dataset, fold, loads(settings), self.sizes, run)
        if training is None:
            return None
        parameters = sum(count_parameters(network) for network in training.task.networks.values())
        _empty(training.task)
        flop, kept, calls = 0.0, 0.0, 0.0
        measured: dict[str, _StepCost] = {}
        for stage in training.stages:
            kind = stage.kind or stage.name
            if kind not in measured:
                measured[kind] = _step(training.task, stage)
            one = measured[kind]
            flop += one.sample_flop * stage.samples * stage.epochs
            calls += one.calls * stage.epochs * ceil(stage.samples / stage.batch_size)
            kept = max(kept, one.kept_bytes)
        return TrainingCost(flop, calls, parameters, COPIES * BYTES * parameters + kept)


@dataclass(frozen=True)
class _StepCost:
    """What a step of a stage costs, as the mean of the cycle after which steps repeat."""

    sample_flop: float
    """Per sample."""
    calls: float
    kept_bytes: float
    """Of the largest step, for its backward passes."""


def _step(task: TrainingTask, stage: Stage) -> _StepCost:
    batch = min(stage.batch_size, stage.samples)
    indices = torch.arange(batch) % _rows(task)
    task.begin_epoch(stage, 1)
    kept: dict[int, Any] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage._cdata] = storage
        return tensor

    total, calls, most = 0, 0, 0
    for _ in range(task.cycle):
        kept.clear()
        with OperationCounter() as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            task.training_step(indices)
        total += counter.total
        calls += counter.calls
        most = max(most, sum(storage.nbytes() for storage in kept.values()))
    return _StepCost(total / (task.cycle * batch), calls / task.cycle, most)


def _rows(task: TrainingTask) -> int:
    held = next(vars(task)[name] for name in ("faces", "images", "clips") if name in vars(task))
    return len(held)


def _empty(task: TrainingTask) -> None:
    """Moves all that a task holds to the meta device, where nothing is computed, and stills its optimizers."""
    task.__dict__.update({name: _moved(value) for name, value in vars(task).items()})
    for optimizer in task.optimizers.values():
        optimizer.step = lambda closure=None: None  # type: ignore[method-assign,assignment]
    task.__dict__["run"] = _Counted(Path(), 0, torch.device("meta"), "plan")


def _moved(value: Any) -> Any:
    if isinstance(value, nn.Module | Tensor):
        return value.to("meta")
    if isinstance(value, dict):
        return {key: _moved(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple) and value and isinstance(value[0], nn.Module | Tensor):
        return type(value)(_moved(entry) for entry in value)
    if is_dataclass(value) and any(isinstance(getattr(value, entry.name), Tensor) for entry in fields(value)):
        return replace(value, **{entry.name: _moved(getattr(value, entry.name)) for entry in fields(value)})
    return value

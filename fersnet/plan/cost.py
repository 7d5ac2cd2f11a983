"""What a training costs: operations, parameters and memory, counted on tensors that hold nothing."""

from dataclasses import dataclass, fields, is_dataclass, replace
from json import dumps
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fersnet.models.describe import OperationCounter, count_parameters
from fersnet.plan.graph import Job
from fersnet.plan.sizes import RunSizes
from fersnet.plan.trainings import planned_training
from fersnet.training.task import Stage, TrainingRun, TrainingTask

BYTES = 4
"""Of a float32."""
COPIES = 4
"""A parameter in training: itself, its gradient, and Adam's two means."""


@dataclass(frozen=True)
class TrainingCost:
    """The cost of one training job, from its first step to its last."""

    flop: float
    """Of convolutions and matrix products, backward passes included."""
    calls: float
    """Of tensor operations; the optimizers' own are left out."""
    parameters: int
    """Of its networks."""
    averaged: int
    """Parameters that have a moving average, too."""
    step_bytes: float
    """Parameters with gradients, moments and averages, and what the largest step keeps for its backward passes."""


_counted: dict[str, TrainingCost | None] = {}


def training_cost(job: Job, sizes: RunSizes) -> TrainingCost | None:
    """The cost of a training job; None where it trains no network or its dataset's size is unknown.

    Jobs of the same method, settings and data cost the same, so that each is counted once.
    """
    kept = {key: value for key, value in job.params.items() if key not in ("code", "seed", "device", "precision")}
    # All folds but the zeroth, which trains on everybody, are of one size.
    same = f"{job.rule} {job.dataset} {job.fold == '0'} {dumps(kept, sort_keys=True, default=str)} {sizes}"
    if same not in _counted:
        _counted[same] = _count(job, sizes)
    return _counted[same]


def _count(job: Job, sizes: RunSizes) -> TrainingCost | None:
    planned = planned_training(job, sizes, TrainingRun(Path(), 0, torch.device("cpu"), "plan"))
    if planned is None:
        return None
    task, stages = planned
    parameters = {name: count_parameters(network) for name, network in task.networks.items()}
    names = set() if task.averaging is None else {name for stage in stages for name in task.averaged(stage)}
    total, averaged = sum(parameters.values()), sum(parameters[name] for name in names)
    _empty(task)
    steps: dict[str, tuple[float, float, int]] = {}
    flop, calls = 0.0, 0.0
    for stage in stages:
        kind = stage.kind or stage.name
        if kind not in steps:
            steps[kind] = _step(task, stage)
        sample_flop, step_calls, _ = steps[kind]
        flop += sample_flop * stage.samples * stage.epochs
        calls += step_calls * stage.epochs * ceil(stage.samples / stage.batch_size)
    most = max(kept for _, _, kept in steps.values())
    return TrainingCost(flop, calls, total, averaged, BYTES * (COPIES * total + averaged) + most)


def _step(task: TrainingTask, stage: Stage) -> tuple[float, float, int]:
    """Operations per sample and calls of a step, means of the cycle after which steps repeat, and the bytes it keeps.

    The bytes are those of the largest step, for its backward passes.
    """
    indices = torch.arange(min(stage.batch_size, stage.samples))
    task.begin_epoch(stage, 1)
    kept: dict[int, Any] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage._cdata] = storage
        return tensor

    flop, calls, most = 0, 0, 0
    for _ in range(task.cycle):
        kept.clear()
        # The optimizers know the parameters that were moved away, and so clear no gradient of an earlier stage.
        for network in task.networks.values():
            network.zero_grad()
        with OperationCounter() as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            task.training_step(indices)
        flop, calls = flop + counter.total, calls + counter.calls
        most = max(most, sum(storage.nbytes() for storage in kept.values()))
    return flop / task.cycle / len(indices), calls / task.cycle, most


def _empty(task: TrainingTask) -> None:
    """Moves all that a task holds to the meta device, where nothing is computed, and stills its optimizers."""
    held = vars(task)
    held.update({name: _moved(value) for name, value in held.items()})
    held["run"] = replace(held["run"], device=torch.device("meta"))
    for optimizer in task.optimizers.values():
        optimizer.step = lambda closure=None: None  # type: ignore[method-assign,assignment]


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

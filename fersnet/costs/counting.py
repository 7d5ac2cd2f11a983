"""What a training costs: operations, parameters and memory, counted at steps of two samples that change no weights."""

from dataclasses import dataclass
from json import dumps
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fersnet.costs.job import Job
from fersnet.costs.sizes import RunSizes
from fersnet.costs.trainings import planned_training
from fersnet.models.describe import OperationCounter, count_parameters
from fersnet.training.device import one_core
from fersnet.training.task import Stage, TrainingRun, TrainingTask

BYTES = 4
"""Of a float32."""
COPIES = 4
"""A parameter in training: itself, its gradient, and Adam's two means."""
SAMPLES = 2
"""Of a counted step, where its batch has as many: operations, and what is kept, grow with their number, and two have a
variance. On the meta device, where nothing is computed, the calls of a step take PyTorch three times as long."""


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
        with one_core():  # The jobs of a run have the others, where it is planned while it is on.
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
    for optimizer in task.optimizers.values():
        optimizer.step = lambda closure=None: None  # type: ignore[method-assign,assignment]
    steps: dict[str, tuple[float, float, float]] = {}
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


def _step(task: TrainingTask, stage: Stage) -> tuple[float, float, float]:
    """Operations per sample and calls of a step, means of the cycle after which steps repeat, and the bytes it keeps.

    The bytes are those of the largest step, for its backward passes.
    """
    batch = min(stage.batch_size, stage.samples)
    indices = torch.arange(min(batch, SAMPLES))
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
        with OperationCounter() as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            task.training_step(indices)
        flop, calls = flop + counter.total, calls + counter.calls
        most = max(most, sum(storage.nbytes() for storage in kept.values()))
    return flop / task.cycle / len(indices), calls / task.cycle, most * batch / len(indices)

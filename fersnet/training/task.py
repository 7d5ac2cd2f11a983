"""What is trained, and where: the interface between the training loop and the networks that run in it."""

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fersnet.settings.training import ScheduleSettings
from fersnet.training.environment import without_compiler

without_compiler()

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Stage:
    """A part of a training with its own number of samples, e.g. one network of several."""

    name: str
    epochs: int
    batch_size: int
    samples: int
    """Samples per epoch."""
    kind: str = ""
    """Stages of one kind cost the same per step; a stage without one is of a kind of its own."""


class TrainingTask:
    """What is trained. A subclass sets the two dicts and writes `training_step`; the rest has defaults.

    `networks` holds what goes into the checkpoint, `optimizers` what moves it; frozen helpers stay out of both.
    """

    networks: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    cycle: int = 1
    """Steps after which what a step does repeats."""
    averaging: float | None = None
    """Decay of the moving average of the weights that draw and recognise; None leaves that to the last weights."""
    drawing: str | None = None
    """The network whose average has BatchNorm statistics of its own, measured where it is used; None for none."""

    def averaged(self, stage: Stage) -> Collection[str]:
        """The networks that the stage trains and that draw or recognise once all is trained, by name."""
        return self.networks

    def pass_through(self, indices: Tensor) -> None:
        """Passes samples through the network that is `drawing`, as it draws and recognises; indices as below."""
        raise NotImplementedError

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        """Called before an epoch (from 1 within the stage), and again when one is resumed in its middle.

        Sets learning rates and the like as a pure function of stage and epoch.
        """

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        """One step on the samples `indices`, int64 on the CPU, out of range(stage.samples).

        Runs its own backward passes and optimizer steps, and returns detached scalar losses by name. Random draws use
        the torch global RNG, which is seeded from (seed, stage, epoch, step) before each step.
        """
        raise NotImplementedError

    def extra_state(self) -> dict[str, Any]:
        """State beyond networks and optimizers (tensors and plain values only), e.g. a pool of past images."""
        return {}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Takes back what `extra_state` returned."""


@dataclass(frozen=True)
class TrainingRun:
    """Where and how a training runs, and what identifies it."""

    folder: Path
    """Gets checkpoint.pt and history.csv, and resume.pt while the training runs."""
    seed: int
    device: torch.device
    fingerprint: str
    """Of settings, data and code: resume state of another fingerprint is ignored."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """JSON that goes into the checkpoint: all that is needed to build the networks again."""
    precision: Literal["fp32", "bf16"] = "fp32"
    cuda_graphs: bool = False
    """Whether a GPU plays steps back that it has recorded, where the task can."""

    @property
    def records_steps(self) -> bool:
        """Whether steps are recorded: on a GPU, where that is asked for."""
        return self.cuda_graphs and self.device.type == "cuda"

    def describing(self, metadata: dict[str, Any]) -> "TrainingRun":
        """The same run with more metadata."""
        return replace(self, metadata=self.metadata | metadata)

    def place(self, network: Network) -> Network:
        """The network, in place, on the device and in the order in memory that is fastest there.

        Channels-last feeds a GPU's tensor cores without copies. On a CPU pooling, normalisation and the narrow
        convolutions of a small network are faster with it in fp32, and the bf16 products of a wide one slower.
        """
        bf16_on_cpu = self.device.type == "cpu" and self.precision == "bf16"
        layout = torch.contiguous_format if bf16_on_cpu else torch.channels_last
        return network.to(device=self.device, memory_format=layout)

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of forward passes and losses: bf16 autocast, or nothing at fp32."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.precision == "bf16" else nullcontext()


def learning_rate_at(schedule: ScheduleSettings, epoch: int) -> float:
    """The learning rate of an epoch (from 1): multiplied by `decay` after each milestone's epoch."""
    return schedule.learning_rate * schedule.decay ** sum(epoch > milestone for milestone in schedule.milestones)


def set_learning_rate(optimizer: Optimizer, value: float) -> None:
    """Sets the learning rate of every parameter group, times the group's own `factor` where it has one."""
    for group in optimizer.param_groups:
        group["lr"] = value * group.get("factor", 1.0)

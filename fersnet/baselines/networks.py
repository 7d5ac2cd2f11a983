"""What the sequence networks share: clips as tensors, a training task, and prediction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fersnet.baselines.clips import ClipSet, training_parts
from fersnet.settings.methods import NetworkSettings
from fersnet.training.task import Stage, TrainingTask, learning_rate_at, set_learning_rate

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

PREDICTION_BATCH = 32


def clip_tensor(clips: np.ndarray) -> Tensor:
    """float32 (N, T, H, W) of clips uint8 (N, T, H, W), each clip with mean 0 and standard deviation 1.

    A constant clip becomes zeros.
    """
    values = torch.from_numpy(clips).to(torch.float32)
    values -= values.mean(dim=(1, 2, 3), keepdim=True)
    deviation = values.std(dim=(1, 2, 3), keepdim=True, correction=0)
    return values / deviation.clamp_min(1.0)


def mirrored(clips: Tensor) -> Tensor:
    """Each clip (B, T, H, W) mirrored left to right with probability 1/2, drawn from the torch global RNG."""
    flipped = torch.rand(len(clips)) < 0.5
    return torch.where(flipped.to(clips.device)[:, None, None, None], clips.flip(-1), clips)


def initialise(network: nn.Module) -> None:
    """Weights of convolutions and fully connected layers for ReLU (K. He and others, ICCV 2015), biases 0.

    Deep layers without normalisation then answer to the clip from the first step. The library's smaller weights leave
    all clips with nearly the same scores for hundreds of steps, more than a small dataset's schedule has.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class ClipTask(TrainingTask):
    """Cross-entropy training of one or several networks, one per stage, each on its own view of the clips."""

    def __init__(self, clips: ClipSet, settings: NetworkSettings, networks: dict[str, nn.Module], run: "TrainingRun"):
        self.settings, self.run = settings, run
        self.clips = clip_tensor(clips.clips).to(run.device)
        self.labels = torch.from_numpy(clips.labels).to(run.device)
        self.networks = {name: network.to(run.device) for name, network in networks.items()}
        self.optimizers = {name: self.adam(network.parameters()) for name, network in self.networks.items()}
        self.stage = ""
        self.averaging = settings.averaging

    def averaged(self, stage: Stage) -> tuple[str, ...]:
        """The stage's network."""
        return (stage.name,)

    def adam(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """An optimizer with the settings' rates."""
        settings = self.settings
        return torch.optim.Adam(
            parameters, lr=settings.learning_rate, betas=settings.betas, weight_decay=settings.weight_decay
        )

    def begin_epoch(self, stage: Stage, epoch: int) -> None:
        """The stage's network takes the learning rate of the epoch."""
        self.stage = stage.name
        set_learning_rate(self.optimizers[stage.name], learning_rate_at(self.settings, epoch))

    def training_step(self, indices: Tensor) -> dict[str, Tensor]:
        """One step of the stage's network."""
        here = indices.to(self.run.device)
        with self.run.autocast():
            losses = self.losses(here)
        optimizer = self.optimizers[self.stage]
        optimizer.zero_grad(set_to_none=True)
        total = torch.stack(list(losses.values())).sum()
        total.backward()
        if self.settings.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.trained_parameters(), self.settings.gradient_clip)
        optimizer.step()
        return {name: value.detach() for name, value in losses.items()}

    def trained_parameters(self) -> list[nn.Parameter]:
        """Those that the stage's optimizer moves."""
        return [parameter for group in self.optimizers[self.stage].param_groups for parameter in group["params"]]

    def losses(self, indices: Tensor) -> dict[str, Tensor]:
        """The terms of the stage's loss on a batch, weights included; the plain one is cross-entropy."""
        clips = self.clips[indices]
        if self.settings.flip:
            clips = mirrored(clips)
        logits = self.networks[self.stage](clips)
        return {"cross_entropy": functional.cross_entropy(logits.float(), self.labels[indices])}


@dataclass(frozen=True)
class NetworkModel:
    """Trained networks, and how they read a set of clips."""

    logits: Callable[[ClipSet], Tensor]
    """Logits (N, classes) of a set of clips of at least one."""
    classes: int
    seen: np.ndarray
    """bool (classes,): whether a class was seen in training."""

    def predict_proba(self, clips: ClipSet) -> np.ndarray:
        """Class probabilities float32 (N, classes); rows sum to 1, a class not seen in training gets 0."""
        parts = [np.zeros((0, self.classes), dtype=np.float32)]
        for start in range(0, len(clips), PREDICTION_BATCH):
            batch = clips.select(np.arange(start, min(start + PREDICTION_BATCH, len(clips))))
            with torch.no_grad():
                logits = self.logits(batch).double().cpu()
            logits[:, ~torch.from_numpy(self.seen)] = -torch.inf
            parts.append(logits.softmax(dim=1).to(torch.float32).numpy())
        return np.concatenate(parts)


def seen_classes(clips: ClipSet, classes: int) -> np.ndarray:
    """bool (classes,): whether a class has a clip."""
    return np.bincount(clips.labels, minlength=classes) > 0


def all_clips(train_clips: ClipSet, validation: ClipSet) -> ClipSet:
    """The clips a network is trained on: its schedule is fixed, so nothing is left to choose on the validation clips.

    Raises:
        UserError: if the training set is empty.
    """
    return training_parts(train_clips, validation)[1]


def classes_of(run: "TrainingRun") -> tuple[str, ...]:
    """The names of the classes in class-index order, as the run's metadata have them; clips have numbers alone."""
    return tuple(run.metadata.get("expressions", ()))


def description(name: str, clips: ClipSet, settings: NetworkSettings, classes: int) -> dict[str, Any]:
    """What a checkpoint says of itself, beside the run's classes: enough to build its networks again."""
    shape = [int(extent) for extent in clips.clips.shape[1:]]
    return {"method": name, "classes": classes, "clip": shape, "settings": settings.model_dump(mode="json")}

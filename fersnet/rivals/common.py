"""What the four rivals share: training faces in [-1, 1], the learning-rate ramp, and reading a checkpoint back."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.settings.methods import AugmentationOfFaces, GeneratorNormalisation
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.checkpoint import StateDict, load_checkpoint, restore
from fersnet.training.task import TrainingRun


def to_symmetric(images: Tensor) -> Tensor:
    """Images from [0, 1] to the networks' [-1, 1]."""
    return images * 2 - 1


def to_unit(images: Tensor) -> Tensor:
    """Images from the networks' [-1, 1] to [0, 1]."""
    return ((images.float() + 1) / 2).clamp(0, 1)


@dataclass(frozen=True)
class RivalFaces:
    """The training faces of a rival, on its device."""

    images: Tensor
    """uint8 (N, C, H, W)."""
    labels: Tensor
    """int64 (N,): positions in `expressions`."""
    image_size: int
    """Side of the network input."""
    expressions: tuple[str, ...]
    """The classes in class-index order."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def channels(self) -> int:
        """Image channels: 1 or 3."""
        return self.images.shape[1]

    @property
    def classes(self) -> int:
        """Number of expressions."""
        return len(self.expressions)

    def one_hot(self, indices: Tensor) -> Tensor:
        """The labels of some faces (B,), as float32 (B, K) of 0 and 1."""
        return one_hot(self.labels[indices.to(self.labels.device)], self.classes)

    def draw(self, indices: Tensor, changes: AugmentationOfFaces) -> Tensor:
        """Network inputs (B, C, S, S) in [-1, 1]; the random changes come from the torch global RNG of the CPU."""
        cut = self._cut(indices, train=changes.augmentation == "crop_and_flip")
        if changes.augmentation == "flip":
            flipped = (torch.rand(len(cut), 1, 1, 1) < 0.5).to(cut.device)
            cut = torch.where(flipped, cut.flip(3), cut)
        if changes.brightness != (1.0, 1.0):
            factors = torch.empty(len(cut), 1, 1, 1).uniform_(*changes.brightness)
            cut = (cut * factors.to(cut.device)).clamp(max=1.0)
        return to_symmetric(cut)

    def unchanged(self, indices: Tensor) -> Tensor:
        """Network inputs (B, C, S, S) in [-1, 1], cut from the middle."""
        return to_symmetric(self._cut(indices, train=False))

    def _cut(self, indices: Tensor, train: bool) -> Tensor:
        return crop_and_flip(self.images[indices.to(self.images.device)], self.image_size, train=train)


def prepare(faces: FaceSet, run: TrainingRun) -> RivalFaces:
    """The faces on the run's device. The input size is `run.metadata["image_size"]`.

    Raises:
        UserError: if there are fewer than two faces, or the stored faces are smaller than the input.
    """
    size = int(run.metadata["image_size"])
    if len(faces) < 2:
        names = ", ".join(faces.expressions)
        raise UserError(f"{run.folder}: {len(faces)} training faces of {names} are too few; lower folds.count")
    if min(faces.images.shape[2:]) < size:
        raise UserError(f"model.image_size: {size} is larger than the stored faces; raise faces.size")
    return RivalFaces(faces.images.to(run.device), faces.labels.to(run.device), size, faces.expressions)


def seed_networks(run: TrainingRun, method: str) -> None:
    """Seeds the torch global RNG for the initial weights."""
    torch.manual_seed(derive_seed(run.seed, method, "initial weights"))


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Labels (B,) as float32 (B, classes) of 0 and 1."""
    return F.one_hot(labels, classes).float()


def verdict(logits: Tensor, real: bool) -> Tensor:
    """Mean binary cross-entropy of logits that ought to say `real`."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def total_variation(images: Tensor) -> Tensor:
    """Half the sum of squared differences between neighbours over the differences of one image, per batch element.

    Vertical and horizontal differences are divided by their own number and added, as in the code of CAAE.
    """
    down = (images[:, :, 1:] - images[:, :, :-1]).square().mean()
    across = (images[..., 1:] - images[..., :-1]).square().mean()
    return (down + across) / 2


def adam(parameters: Iterable[nn.Parameter], rate: float, betas: tuple[float, float]) -> Adam:
    """Adam without weight decay, as all four methods use it."""
    return Adam(parameters, lr=rate, betas=betas, fused=True)


def gradients(loss: Tensor, *networks: nn.Module, keep_graph: bool = False) -> None:
    """Adds the gradients of a loss to the parameters of the given networks and to no others."""
    loss.backward(
        inputs=[parameter for network in networks for parameter in network.parameters()], retain_graph=keep_graph
    )


def ramp(rate: float, epoch: int, epochs: int, decay_from: float) -> float:
    """The learning rate of an epoch (from 1): constant, then falling linearly, with zero one epoch after the last."""
    constant = round(decay_from * epochs)
    return rate * (1 - max(0, epoch - constant) / (epochs - constant + 1))


def read_rival(path: Path, method: str) -> tuple[dict[str, StateDict], dict[str, Any]]:
    """Networks and metadata of a rival's checkpoint.

    Raises:
        UserError: if it is unreadable or of another method.
    """
    states, metadata = load_checkpoint(path)
    if metadata.get("method") != method:
        found = metadata.get("method", "another network")
        raise UserError(f"{path}: a checkpoint of {found}, not of {method}; train {method} or correct the path")
    return states, metadata


def number(metadata: dict[str, Any], key: str, path: Path) -> int:
    """A positive whole number of a checkpoint's metadata.

    Raises:
        UserError: if it is missing or something else.
    """
    value = metadata.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f"{path}: the metadata gives no {key}; train again to replace the checkpoint")
    return value


def normalisation(metadata: dict[str, Any], path: Path) -> GeneratorNormalisation:
    """The normalisation of a generator that a checkpoint's metadata names.

    Raises:
        UserError: if it is missing or something else.
    """
    value = metadata.get("normalisation")
    if value not in get_args(GeneratorNormalisation):
        raise UserError(f"{path}: the metadata gives no normalisation; train again to replace the checkpoint")
    return value


def class_names(metadata: dict[str, Any], path: Path) -> tuple[str, ...]:
    """The expressions in class-index order that a checkpoint's metadata names.

    Raises:
        UserError: if they are missing or something else.
    """
    value = metadata.get("expressions")
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
        raise UserError(f"{path}: the metadata gives no expressions; train again to replace the checkpoint")
    return tuple(value)


def rebuild(network: nn.Module, states: dict[str, StateDict], name: str, path: Path, device: torch.device) -> nn.Module:
    """A network with its trained weights, frozen, in evaluation mode, on the device.

    Raises:
        UserError: if the checkpoint does not hold it.
    """
    if name not in states:
        raise UserError(f"{path}: the checkpoint holds no {name}; train again to replace it")
    restore(network, states[name], path)
    return network.eval().requires_grad_(False).to(device)


def check_request(images: Tensor, target: Tensor, channels: int, image_size: int, expressions: tuple[str, ...]) -> None:
    """Refuses what a network was not made for.

    Raises:
        UserError: if images are not (B, channels, size, size), or targets are not B positions in `expressions`.
    """
    if images.ndim != 4 or tuple(images.shape[1:]) != (channels, image_size, image_size):
        raise UserError(
            f"images: the model was trained on (B, {channels}, {image_size}, {image_size}), got {tuple(images.shape)}"
        )
    last = len(expressions) - 1
    if target.shape != images.shape[:1] or (len(target) and not 0 <= int(target.min()) <= int(target.max()) <= last):
        raise UserError(f"target: give one class index from 0 to {last} per image ({', '.join(expressions)})")

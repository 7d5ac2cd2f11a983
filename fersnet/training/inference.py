"""Using a trained FERSNet: recognition, synthesis and gates from a checkpoint."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fersnet.errors import UserError
from fersnet.models.fersnet import FERSNet, FERSNetOutput
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.checkpoint import load_checkpoint, restore
from fersnet.training.predictions import accuracies, face_probabilities, prediction_table

BATCH = 64
"""Faces per pass; only memory depends on it."""

UNKNOWN = "unknown"

KIND = "fersnet"
"""The checkpoint's metadata names the kind of network that it holds."""


@dataclass(frozen=True)
class Prediction:
    """What the recognition branch says of a set of faces."""

    probabilities: NDArray[np.float64]
    """(N, K), rows sum to one; columns in class-index order."""
    gates: dict[str, NDArray[np.float32]]
    """`<level>/<task that receives>/<leaky or memory>`: (N, h, w) in (0, 1), the mean over channels of r or z."""


class Synthesizer:
    """A trained FERSNet in evaluation mode: deterministic, without gradients."""

    def __init__(
        self,
        network: FERSNet,
        expressions: tuple[str, ...],
        device: torch.device,
        faces: dict[str, Any] | None = None,
        trained_on: str = UNKNOWN,
    ) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.expressions = expressions
        """The classes in class-index order; targets are positions in it."""
        self.device = device
        self.faces = faces
        """Settings that its faces were aligned with (backend, size, channels, lighting); None if not known."""
        self.trained_on = trained_on
        """`rendered` or `real` faces; `unknown` for a checkpoint of a version that did not note it."""

    @property
    def image_size(self) -> int:
        """Side S of the images it takes and gives."""
        return self.network.image_size

    def synthesize(self, images: Tensor, target: Tensor) -> Tensor:
        """Faces with the target expression, float32 in [0, 1], in the shape of `images` and on its device.

        images: float (B, C, S, S) in [0, 1]; target: int64 (B,), positions in `expressions`.

        Raises:
            UserError: for a network without a synthesis branch, images of another shape, NaN pixels, or a target that
                is no class of the network.
        """
        if not self.network.synthesises:
            raise UserError("this checkpoint is of a single-task network (sharing: none), which cannot synthesise")
        self._check(images)
        if target.shape != images.shape[:1] or not bool(((target >= 0) & (target < self.network.classes)).all()):
            raise UserError(f"each image needs a target among {', '.join(self.expressions)}")
        wanted = functional.one_hot(target.to(self.device), self.network.classes).float()
        with torch.no_grad():
            encoding = self.network.encode(images.to(self.device))
            return self.network.guided(encoding, wanted).clamp(0, 1).to(images.device)

    def recognise(self, images: Tensor) -> Tensor:
        """Probabilities (B, K) of the expressions, float32. images: float (B, C, S, S) in [0, 1].

        Raises:
            UserError: for images of another shape, or NaN pixels.
        """
        self._check(images)
        with torch.no_grad():
            return self.network(images.to(self.device)).logits.softmax(dim=1).to(images.device)

    def _check(self, images: Tensor) -> None:
        expected = (self.network.channels, self.image_size, self.image_size)
        if images.ndim != 4 or tuple(images.shape[1:]) != expected or not images.is_floating_point():
            raise UserError(
                f"the network takes float images of shape (B, {', '.join(map(str, expected))}), "
                f"not {str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
            )
        if not bool(torch.isfinite(images).all()):
            raise UserError("an image holds pixels that are not finite; align and store the face again")


def load(checkpoint: Path, device: torch.device | str = "cpu") -> Synthesizer:
    """The network of a checkpoint that `fit` wrote.

    Raises:
        UserError: if the file is missing, damaged, hostile, of another kind, or does not fit its own metadata.
    """
    states, metadata = load_checkpoint(checkpoint)
    network = build(metadata, checkpoint)
    if "fersnet" not in states:
        raise UserError(f"{checkpoint}: holds no FERSNet weights; train again to replace it")
    restore(network, states["fersnet"], checkpoint)
    trained_on = metadata.get("trained_on", UNKNOWN)
    return Synthesizer(network, tuple(metadata["expressions"]), torch.device(device), metadata.get("faces"), trained_on)


def build(metadata: dict[str, Any], checkpoint: Path) -> FERSNet:
    """An untrained network of the make that a checkpoint's metadata describes.

    Raises:
        UserError: if the metadata is of another kind or incomplete.
    """
    if metadata.get("kind") != KIND:
        raise UserError(f"{checkpoint}: not a FERSNet (kind {metadata.get('kind')!r}); give one of a FERSNet variant")
    expressions, make = metadata.get("expressions"), metadata.get("network")
    try:
        if len(expressions) != make["classes"] or not all(isinstance(name, str) for name in expressions):
            raise ValueError("expressions")
        return FERSNet(**make)
    except (KeyError, TypeError, ValueError, RuntimeError):
        raise UserError(f"{checkpoint}: its metadata describes no FERSNet; train again to replace it") from None


def predict(checkpoint: Path, faces: FaceSet, device: torch.device | str = "cpu") -> Prediction:
    """Recognise every face (its centre crop), and report the gates.

    Raises:
        UserError: if the checkpoint cannot be used, or was trained on other classes or another kind of image.
    """
    model = load(checkpoint, device)
    if model.expressions != faces.expressions:
        raise UserError(
            f"{checkpoint}: trained on the classes {', '.join(model.expressions)}, but the faces have "
            f"{', '.join(faces.expressions)}; use a checkpoint of this dataset"
        )
    check_channels(model.network, faces)
    if not len(faces):
        return Prediction(np.zeros((0, len(model.expressions))), {})
    probabilities, gates = [], []
    for images in _batches(faces, model.image_size):
        with torch.no_grad():
            output = model.network(images.to(model.device))
        probabilities.append(output.logits.double().softmax(dim=1).cpu())
        gates.append(gate_maps(output))
    joined = {name: torch.cat([batch[name] for batch in gates]).numpy() for name in gates[0]}
    return Prediction(torch.cat(probabilities).numpy(), joined)


def gate_maps(output: FERSNetOutput) -> dict[str, Tensor]:
    """What the gates of a network let through, on the CPU: names and shapes as in `Prediction.gates`."""
    maps = {}
    for place, pair in output.gates.items():
        maps[f"{place}/leaky"], maps[f"{place}/memory"] = pair.leaky.mean(dim=1).cpu(), pair.memory.mean(dim=1).cpu()
    return maps


def judge(network: FERSNet, faces: FaceSet, device: torch.device) -> tuple[float, NDArray[np.float64]]:
    """Sequence accuracy in [0, 1] and probabilities (N, K) of a network in evaluation mode."""
    probabilities = face_probabilities(lambda images: network(images.to(device)).logits, faces, network.image_size)
    return accuracies(prediction_table(faces, probabilities))["sequence_accuracy"], probabilities


def check_channels(network: FERSNet, faces: FaceSet) -> None:
    """Raises a UserError if the faces are colour and the network grey, or the other way round."""
    if faces.images.shape[1] != network.channels:
        raise UserError(
            f"faces.channels: the faces have {faces.images.shape[1]} and the network takes {network.channels}; "
            "build both with the same setting"
        )


def _batches(faces: FaceSet, size: int) -> Iterator[Tensor]:
    for images in faces.images.split(BATCH):
        yield crop_and_flip(images, size, train=False)

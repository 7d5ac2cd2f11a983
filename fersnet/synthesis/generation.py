"""Synthetic faces from any trained system: every test face with every expression."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.training.batches import FaceSet, crop_and_flip
from fersnet.training.checkpoint import write_atomically


class Synthesizer(Protocol):
    """FERSNet or a rival, trained."""

    @property
    def expressions(self) -> tuple[str, ...]:
        """Its classes in class-index order."""
        ...

    def synthesize(self, images: Tensor, target: Tensor) -> Tensor:
        """Faces float (B, C, S, S) in [0, 1] and class indices int64 (B,) -> faces of the same shape and range."""
        ...


@dataclass(frozen=True)
class SyntheticFaces:
    """Synthetic faces and where they come from."""

    images: NDArray[np.uint8]
    """(M, H, W, C)."""
    source: NDArray[np.int64]
    """(M,) rows of the dataset's faces."""
    target: NDArray[np.str_]
    """(M,) expression keys."""


def synthesize_faces(
    synthesizer: Synthesizer, faces: FaceSet, size: int, seed: int = 0, batch_size: int = 32
) -> SyntheticFaces:
    """Each face's centre crop with each expression of `faces`, its own included; ordered by face, then expression.

    Args:
        synthesizer: the trained system.
        faces: test faces, on the synthesizer's device.
        size: side of the network's input.
        seed: of the noise that a system may draw; each batch gets its own.
        batch_size: faces per pass.

    Raises:
        UserError: if the system does not know an expression, or returns something that is not such images.
    """
    indices = target_indices(synthesizer.expressions, faces.expressions)
    if not len(faces):
        empty = np.zeros((0, size, size, faces.images.shape[1]), dtype=np.uint8)
        return SyntheticFaces(empty, np.zeros(0, dtype=np.int64), np.array([], dtype=np.str_))
    which = torch.arange(len(faces)).repeat_interleave(len(indices))
    wanted = indices.repeat(len(faces))
    parts = []
    for number, (chosen, target) in enumerate(zip(which.split(batch_size), wanted.split(batch_size), strict=True)):
        torch.manual_seed(derive_seed(seed, "synthesize", number))
        images = crop_and_flip(faces.images[chosen.to(faces.images.device)], size, train=False)
        parts.append(to_bytes(checked_synthesis(synthesizer, images, target.to(images.device))))
    return SyntheticFaces(
        images=torch.cat(parts).permute(0, 2, 3, 1).contiguous().numpy(),
        source=faces.rows.cpu()[which].numpy(),
        target=np.array(list(faces.expressions) * len(faces)),
    )


def target_indices(classes: Sequence[str], targets: Sequence[str]) -> Tensor:
    """Class indices int64 of the target expressions.

    Raises:
        UserError: if one is not among the classes.
    """
    for target in targets:
        if target not in classes:
            raise UserError(f"synthesis: the trained system has no {target!r}, only {', '.join(classes)}")
    return torch.tensor([list(classes).index(target) for target in targets], dtype=torch.int64)


def checked_synthesis(synthesizer: Synthesizer, images: Tensor, target: Tensor) -> Tensor:
    """What the synthesizer returns, without gradients, clipped to [0, 1].

    Raises:
        UserError: if it has another shape or is not finite.
    """
    with torch.no_grad():
        result = synthesizer.synthesize(images, target).float()
    if result.shape != images.shape:
        raise UserError(f"synthesis: faces came back as {tuple(result.shape)}, not {tuple(images.shape)}; train again")
    if not bool(torch.isfinite(result).all()):
        raise UserError("synthesis: the trained system returns values that are not finite; lower its learning_rate")
    return result.clamp(0, 1)


def to_bytes(images: Tensor) -> Tensor:
    """uint8 on the CPU from floats in [0, 1], rounded to the nearest level."""
    return (images * 255).round().to(torch.uint8).cpu()


def write_synthetic(path: Path, faces: SyntheticFaces) -> None:
    """Writes an npz with `images`, `source` and `target`, atomically; equal faces give equal bytes.

    Raises:
        UserError: if the disk does not take it.
    """
    buffer = BytesIO()
    np.savez_compressed(buffer, images=faces.images, source=faces.source, target=faces.target)
    write_atomically(path, buffer.getbuffer())


def read_synthetic(path: Path) -> SyntheticFaces:
    """Reads what `write_synthetic` wrote.

    Raises:
        UserError: if the file is missing, damaged or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            images, source, target = content["images"], content["source"], content["target"]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the synthesis first") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile, AttributeError):
        raise UserError(f"{path}: damaged or not a file of synthetic faces; delete it and run again") from None
    if images.dtype != np.uint8 or images.ndim != 4 or not len(images) == len(source) == len(target):
        raise UserError(f"{path}: holds no uint8 faces (M, H, W, C) with source and target; delete it and run again")
    return SyntheticFaces(images, source, target)

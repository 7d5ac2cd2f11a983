"""Faces as tensors, and the draws of a training step: crops, flips and paired targets."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, overload

import numpy as np
import torch
from torch import Tensor

from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL

if TYPE_CHECKING:
    from fersnet.faces.store import FaceStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FaceSet:
    """Labelled faces in memory; every per-face field has the same length and order."""

    images: Tensor
    """uint8 (N, C, H, W)."""
    labels: Tensor
    """int64 (N,): positions in `expressions`."""
    subjects: Tensor
    """int64 (N,): positions in `subject_names`."""
    subject_names: tuple[str, ...]
    """Sorted names of the subjects."""
    rows: Tensor
    """int64 (N,): rows of the face store; for a synthetic face the row of its source."""
    sequence_ids: tuple[str, ...]
    """(N,) sequence of each face."""
    frames: Tensor
    """int64 (N,): positions of the frames in their sequences."""
    expressions: tuple[str, ...]
    """The classes in class-index order."""
    synthetic: Tensor
    """bool (N,): whether the face was generated."""
    landmarks: Tensor | None = None
    """float32 (N, 68, 2): x and y in the images' pixels, NaN where a face has none; None where nobody asked."""

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> "FaceSet":
        """The same faces with their tensors on another device."""
        moved = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{key: value.to(device) for key, value in moved.items() if isinstance(value, Tensor)})

    def select(self, chosen: Tensor) -> "FaceSet":
        """The faces of a bool mask (N,) or of an int64 index, in the index's order; subject ids keep their meaning."""
        index = chosen.nonzero().squeeze(1) if chosen.dtype == torch.bool else chosen
        here = index.to(self.labels.device)
        return replace(
            self,
            images=self.images[here],
            labels=self.labels[here],
            subjects=self.subjects[here],
            rows=self.rows[here],
            sequence_ids=tuple(self.sequence_ids[position] for position in index.tolist()),
            frames=self.frames[here],
            synthetic=self.synthetic[here],
            landmarks=None if self.landmarks is None else self.landmarks[here],
        )

    def class_counts(self) -> dict[str, int]:
        """Number of faces per expression, in class-index order."""
        counts = torch.bincount(self.labels.cpu(), minlength=len(self.expressions)).tolist()
        return dict(zip(self.expressions, counts, strict=True))


def face_set(
    store: "FaceStore",
    subjects: Collection[str],
    expressions: tuple[str, ...],
    role: str | Collection[str] | None = "peak",
    *,
    may_be_empty: bool = False,
) -> FaceSet:
    """The faces of the given subjects and expressions, in the store's order.

    `role` is one role, several, or None for all. Where several roles hold one and the same frame, it enters once.
    `subject_names` are the sorted names of those subjects that have such faces. A test fold `may_be_empty`: where one
    subject is left out, that one may show none of the expressions.

    Raises:
        UserError: if no face is left and the set may not be empty.
    """
    table = store.table
    wanted = table["subject"].isin(list(subjects)) & table["expression"].isin(list(expressions))
    if role is not None:
        wanted &= table["role"].isin([role] if isinstance(role, str) else list(role))
    if role is None or not isinstance(role, str):
        wanted &= ~table[wanted].duplicated(["sequence_id", "frame"]).reindex(table.index, fill_value=True)
    rows = np.flatnonzero(wanted.to_numpy())
    if not len(rows) and not may_be_empty:
        people = ", ".join(sorted(subjects)[:5]) + ("" if len(subjects) <= 5 else f" and {len(subjects) - 5} others")
        raise UserError(
            f"no {role or 'usable'} face of {people} in {', '.join(expressions)}: see rejected.csv of the dataset, "
            "take less folds, or leave the subject out of the data"
        )
    chosen = table.iloc[rows]
    names = tuple(sorted(set(chosen["subject"])))
    number = {name: position for position, name in enumerate(names)}
    label = {name: position for position, name in enumerate(expressions)}
    images = np.ascontiguousarray(np.asarray(store.images[rows]).transpose(0, 3, 1, 2))
    if images.dtype != np.uint8:
        raise UserError(f"faces.npy: expected uint8 images, found {images.dtype}; build the face store again")
    return FaceSet(
        images=torch.from_numpy(images),
        labels=torch.tensor([label[name] for name in chosen["expression"]], dtype=torch.int64),
        subjects=torch.tensor([number[name] for name in chosen["subject"]], dtype=torch.int64),
        subject_names=names,
        rows=torch.from_numpy(rows.astype(np.int64)),
        sequence_ids=tuple(map(str, chosen["sequence_id"])),
        frames=torch.tensor(chosen["frame"].to_numpy(dtype=np.int64)),
        expressions=tuple(expressions),
        synthetic=torch.zeros(len(rows), dtype=torch.bool),
    )


def neutral_faces(store: "FaceStore", subjects: Collection[str], expressions: tuple[str, ...]) -> FaceSet | None:
    """The neutral faces of the given subjects: of their sequences of these expressions, which may begin with one, and
    of those that are neutral, whether that is a class or not. None where there are none."""
    table, classes = store.table, tuple(dict.fromkeys((*expressions, NEUTRAL)))
    wanted = table["subject"].isin(list(subjects)) & table["expression"].isin(list(classes))
    return face_set(store, subjects, classes, "neutral") if (wanted & table["role"].eq("neutral")).any() else None


def with_landmarks(faces: FaceSet, store: "FaceStore") -> FaceSet:
    """Faces of a store with their landmarks."""
    return replace(faces, landmarks=torch.from_numpy(np.asarray(store.landmarks[faces.rows.numpy()], np.float32)))


def join_faces(first: FaceSet, second: FaceSet) -> FaceSet:
    """All faces of the first set, then those of the second, of the same classes; a subject of both keeps one number.

    There are landmarks where both sets have some.
    """
    names = tuple(sorted({*first.subject_names, *second.subject_names}))
    number = {name: position for position, name in enumerate(names)}
    subjects = [
        torch.tensor([number[name] for name in faces.subject_names], dtype=torch.int64)[faces.subjects]
        for faces in (first, second)
    ]
    marks = [faces.landmarks for faces in (first, second) if faces.landmarks is not None]
    return FaceSet(
        images=torch.cat((first.images, second.images)),
        labels=torch.cat((first.labels, second.labels)),
        subjects=torch.cat(subjects),
        subject_names=names,
        rows=torch.cat((first.rows, second.rows)),
        sequence_ids=first.sequence_ids + second.sequence_ids,
        frames=torch.cat((first.frames, second.frames)),
        expressions=first.expressions,
        synthetic=torch.cat((first.synthetic, second.synthetic)),
        landmarks=torch.cat(marks) if len(marks) == 2 else None,
    )


def loose_faces(images: Tensor, labels: Tensor, subjects: Tensor, expressions: tuple[str, ...]) -> FaceSet:
    """Faces that belong to no store: each is a sequence of its own, and its row is its place.

    images: uint8 (N, C, H, W). labels: int64 (N,), positions in `expressions`. subjects: int64 (N,), from 0; the
    numbers are the names.
    """
    count = len(labels)
    return FaceSet(
        images=images,
        labels=labels,
        subjects=subjects,
        subject_names=tuple(map(str, range(int(subjects.max()) + 1))),
        rows=torch.arange(count),
        sequence_ids=tuple(map(str, range(count))),
        frames=torch.zeros(count, dtype=torch.int64),
        expressions=expressions,
        synthetic=torch.zeros(count, dtype=torch.bool),
    )


def warn_of_missing_classes(faces: FaceSet) -> None:
    """Logs a warning that names the classes without a face: they can be trained around, but never be recognised."""
    missing = [expression for expression, count in faces.class_counts().items() if count == 0]
    if missing:
        logger.warning("no training face of %s: the model cannot learn it from this fold", ", ".join(missing))


@overload
def crop_and_flip(images: Tensor, size: int, *, train: bool, extra: None = None) -> Tensor: ...
@overload
def crop_and_flip(images: Tensor, size: int, *, train: bool, extra: Tensor) -> tuple[Tensor, Tensor]: ...
def crop_and_flip(
    images: Tensor, size: int, *, train: bool, extra: Tensor | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    """Square crops as floats in [0, 1], (B, C, size, size), on the images' device.

    For training, a crop at a random offset and a horizontal flip with probability 1/2, drawn per image from the torch
    global RNG of the CPU, so that every device sees the same draws; otherwise the centre crop (offset 7 of 110 -> 96).
    `extra` (B, C, S, S), the target faces, gets the same crops and flips, and is returned second. Crop and flip are
    those of the published training.

    Raises:
        UserError: if the images are not uint8, not (B, C, S, S), or smaller than the crop.
    """
    _check_images(images, size)
    crops = draw_crops(images, size) if train else centre_crops(images, size)
    if extra is None:
        return cut(images, size, crops)
    if extra.shape != images.shape:
        raise UserError(f"target faces are {tuple(extra.shape)} and source faces {tuple(images.shape)}; rebuild both")
    _check_images(extra, size)
    return cut(images, size, crops), cut(extra, size, crops)


@dataclass(frozen=True)
class Crops:
    """Where the square crops of a batch lie, and which of them are mirrored."""

    top: Tensor
    """int64 (B, 1): the crop's first row."""
    left: Tensor
    """int64 (B, 1): its first column."""
    flipped: Tensor
    """bool (B, 1)."""


def draw_crops(images: Tensor, size: int) -> Crops:
    """A random offset and, with probability 1/2, a mirror for each image, from the torch global RNG of the CPU."""
    count, side_y, side_x = len(images), images.shape[2], images.shape[3]
    top = torch.randint(side_y - size + 1, (count, 1))
    left = torch.randint(side_x - size + 1, (count, 1))
    return Crops(top, left, torch.rand(count, 1) < 0.5)


def centre_crops(images: Tensor, size: int) -> Crops:
    """The middle of each image, none of them mirrored."""
    count, side_y, side_x = len(images), images.shape[2], images.shape[3]
    top, left = (torch.full((count, 1), (side - size) // 2) for side in (side_y, side_x))
    return Crops(top, left, torch.zeros(count, 1, dtype=torch.bool))


def cut(images: Tensor, size: int, crops: Crops) -> Tensor:
    """Crops of uint8 images (B, C, S, S) as floats in [0, 1], (B, C, size, size), on the images' device."""
    steps = torch.arange(size)
    across = crops.left + torch.where(crops.flipped, size - 1 - steps, steps)
    return _gather(images, crops.top + steps, across)


def draw_targets(
    labels: Tensor, subjects: Tensor, indices: Tensor, wanted: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """For each face of a batch another face of the same subject with another expression, uniformly at random.

    Args:
        labels: int64 (N,) of all training faces.
        subjects: int64 (N,) of all training faces.
        indices: int64 (B,), the batch.
        wanted: int64 (B,), the only label of each face's target; None leaves all labels but the face's own.

    Returns:
        Positions int64 (B,) among the N faces and `has_pair` bool (B,), on the device of `labels`. Where a subject
        has no such face, the position is the face itself and `has_pair` is False: paired losses are masked there. The
        draw comes from the torch global RNG of the CPU.
    """
    indices = indices.to(labels.device)
    fits = labels[indices, None] != labels if wanted is None else wanted[:, None] == labels
    fits &= subjects[indices, None] == subjects
    has_pair = fits.any(dim=1)
    chance = torch.rand(fits.shape).to(labels.device).masked_fill(~fits, -1.0)
    return torch.where(has_pair, chance.argmax(dim=1), indices), has_pair


def _check_images(images: Tensor, size: int) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4:
        found = f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        raise UserError(f"faces must be uint8 (B, C, H, W), found {found}; build the face store again")
    if min(images.shape[2:]) < size:
        raise UserError(f"model.image_size: a crop of {size} does not fit into faces of {tuple(images.shape[2:])}")


def _gather(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    device = images.device
    which = torch.arange(len(images), device=device)[:, None, None]
    cut = images[which, :, down.to(device)[:, :, None], across.to(device)[:, None, :]]
    return cut.permute(0, 3, 1, 2).contiguous().to(torch.float32).div_(255.0)

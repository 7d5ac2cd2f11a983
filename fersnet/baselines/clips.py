"""Clips: the sequences of a face store, brought to one length and one size."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fersnet.errors import UserError
from fersnet.folds import Split
from fersnet.settings.methods import ClipSettings

if TYPE_CHECKING:
    from fersnet.faces.store import FaceStore


@dataclass(frozen=True)
class ClipSet:
    """Labelled clips in memory; every field has the same length and order."""

    clips: np.ndarray
    """uint8 (N, T, H, W), grey."""
    landmarks: np.ndarray
    """float32 (N, T, 68, 2): x and y in clip pixels; NaN throughout a clip that has no landmarks."""
    labels: np.ndarray
    """int64 (N,): class indices."""
    subjects: list[str]
    """(N,) subject of each clip."""
    sequence_ids: list[str]
    """(N,) sequence of each clip."""

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, chosen: np.ndarray) -> "ClipSet":
        """The clips of a bool mask (N,) or of an int64 index, in the index's order."""
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return ClipSet(
            clips=self.clips[index],
            landmarks=self.landmarks[index],
            labels=self.labels[index],
            subjects=[self.subjects[position] for position in index],
            sequence_ids=[self.sequence_ids[position] for position in index],
        )


def join(first: ClipSet, second: ClipSet) -> ClipSet:
    """All clips of the first set, then those of the second.

    Raises:
        UserError: if the clips differ in length or size.
    """
    if first.clips.shape[1:] != second.clips.shape[1:]:
        raise UserError(
            f"clips of {first.clips.shape[1:]} and {second.clips.shape[1:]} (frames, height, width) do not mix: "
            "cut both with the same baselines.size and faces.clip_frames"
        )
    return ClipSet(
        clips=np.concatenate([first.clips, second.clips]),
        landmarks=np.concatenate([first.landmarks, second.landmarks]),
        labels=np.concatenate([first.labels, second.labels]),
        subjects=[*first.subjects, *second.subjects],
        sequence_ids=[*first.sequence_ids, *second.sequence_ids],
    )


def training_parts(train: ClipSet, validation: ClipSet) -> tuple[ClipSet, ClipSet]:
    """The clips on which candidates are fitted, and all clips on which the chosen one is.

    The first are `train` without the validation subjects, whether or not the caller left them in; the second are
    `train` and `validation` together, each sequence once.

    Raises:
        UserError: if the training set is empty.
    """
    if not len(train):
        raise UserError("the training folds hold no clip: see rejected.csv of the dataset, or lower folds.count")
    held_out = set(validation.subjects)
    known = set(train.sequence_ids)
    fitted = train.select(np.array([subject not in held_out for subject in train.subjects], dtype=bool))
    added = validation.select(np.array([name not in known for name in validation.sequence_ids], dtype=bool))
    return fitted, join(train, added) if len(added) else train


def check_clips(method: str, settings: ClipSettings, clips: ClipSet) -> None:
    """Raises UserError, naming the key, where the clips are too short or too small for a handcrafted method."""
    frames, height, width = clips.clips.shape[1:]
    try:
        settings.check_clips(frames, min(height, width))
    except ValueError as error:
        raise UserError(f"baselines.{method}.{error}") from None


def clip_set(
    store: "FaceStore",
    subjects: Collection[str],
    expressions: Sequence[str],
    *,
    size: int = 64,
    frames: int = 12,
    crop: int | None = None,
) -> ClipSet:
    """The clips of the given subjects and expressions, one per sequence, sorted by sequence.

    The stored `clip` frames of a sequence are cut to the central `crop` x `crop` pixels (null keeps the whole face),
    resized to `size` and turned grey. Where these are exactly `frames`, they are the clip; otherwise they are
    interpolated linearly in time, at equal steps from the first to the last. So a sequence shorter than the clip is
    stretched, a gap (a rejected frame) is bridged, and a single frame stands still. Landmarks go the same way. Where
    single frames of a sequence have no (finite) landmarks, those of its other frames are interpolated; where none has,
    all stay NaN.

    Subjects without a clip are left out, and no clip at all gives a set of length zero.

    Raises:
        UserError: if `crop` does not fit into the stored faces.
    """
    table = store.table
    height, width = store.images.shape[1:3]
    side = min(height, width) if crop is None else crop
    if not 0 < side <= min(height, width):
        raise UserError(f"a clip's crop of {side} pixels does not fit into faces of {width} x {height}: see faces.size")
    wanted = table["role"].eq("clip") & table["subject"].isin(list(subjects))
    chosen = table[wanted & table["expression"].isin(list(expressions))].drop_duplicates(["sequence_id", "frame"])
    rows_of = {name: rows for name, rows in chosen.groupby("sequence_id", sort=True).indices.items() if len(rows)}
    positions = table.index.get_indexer(chosen.index)
    clips = np.zeros((len(rows_of), frames, size, size), dtype=np.uint8)
    landmarks = np.full((len(rows_of), frames, 68, 2), np.nan, dtype=np.float32)
    label = {name: index for index, name in enumerate(expressions)}
    labels, names = np.zeros(len(rows_of), dtype=np.int64), []
    for number, members in enumerate(rows_of.values()):
        part = chosen.iloc[members]
        order = np.argsort(part["frame"].to_numpy(), kind="stable")
        times, rows = part["frame"].to_numpy()[order], positions[members][order]
        faces, points = cut_faces(np.asarray(store.images[rows]), np.asarray(store.landmarks[rows]), side, size)
        # Sampling has rounded full clips to whole frames already; interpolating them again would only blur.
        wanted_times = times if len(times) == frames else np.linspace(times[0], times[-1], frames)
        # Half a grey level added before truncation rounds to the nearest.
        clips[number] = (in_time(faces.astype(np.float32), times, wanted_times) + 0.5).astype(np.uint8)
        seen = np.isfinite(points).all(axis=(1, 2))
        if seen.any():
            landmarks[number] = in_time(points[seen], times[seen], wanted_times)
        labels[number] = label[part["expression"].iloc[0]]
        names.append(str(part["subject"].iloc[0]))
    return ClipSet(clips, landmarks, labels, names, [str(name) for name in rows_of])


def fold_clips(
    store: "FaceStore",
    split: Split,
    expressions: Sequence[str],
    *,
    size: int,
    frames: int,
    crop: int,
) -> tuple[ClipSet, ClipSet, ClipSet]:
    """The training, validation and test clips of a fold, see `clip_set`."""

    def clips(subjects: Collection[str]) -> ClipSet:
        return clip_set(store, subjects, expressions, size=size, frames=frames, crop=crop)

    return clips(split.train), clips(split.validation), clips(split.test)


def cut_faces(images: np.ndarray, landmarks: np.ndarray, side: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Central crops, grey and resized by area averaging.

    Args:
        images: uint8 (T, H, W, C), C 1 or 3 (red, green, blue).
        landmarks: float32 (T, 68, 2) in the images' pixels, the centre of the first pixel at 0.
        side: Side of the crop in pixels.
        size: Side of the result in pixels.

    Returns:
        uint8 (T, size, size) and float32 (T, 68, 2) in the result's pixels.
    """
    import cv2

    top, left = (images.shape[1] - side) // 2, (images.shape[2] - side) // 2
    cut = images[:, top : top + side, left : left + side]
    method = cv2.INTER_AREA if size <= side else cv2.INTER_LINEAR
    faces = np.empty((len(images), size, size), dtype=np.uint8)
    for position, face in enumerate(cut):
        grey = cv2.cvtColor(np.ascontiguousarray(face), cv2.COLOR_RGB2GRAY) if face.shape[2] == 3 else face[..., 0]
        faces[position] = cv2.resize(np.ascontiguousarray(grey), (size, size), interpolation=method)
    moved = (landmarks - np.array([left, top], dtype=np.float32) + 0.5) * (size / side) - 0.5
    return faces, moved.astype(np.float32)


def in_time(values: np.ndarray, times: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Linear interpolation along the first axis, from ascending `times` (T,) to `wanted` (S,); constant beyond them."""
    place = np.interp(wanted, times, np.arange(len(times)))
    before = np.floor(place).astype(np.int64)
    after = np.minimum(before + 1, len(times) - 1)
    share = (place - before).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
    return values[before] * (1 - share) + values[after] * share

"""Small clips whose classes differ in where and how a spot moves, and small faces that differ in where one is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fersnet.baselines.clips import ClipSet
from fersnet.training.batches import FaceSet
from fersnet.training.task import TrainingRun

SIDE, FRAMES, CLASSES = 32, 8, 4


def moving_spots(subjects: int, classes: int = 3, seed: int = 0) -> ClipSet:
    """One clip per subject and class: a bright spot that starts at the class's corner and grows or shrinks."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    clips, landmarks, labels, names = [], [], [], []
    for subject in range(subjects):
        for label in range(classes):
            centre = np.array([9 + 14 * (label % 2), 9 + 14 * (label // 2)]) + rng.uniform(-1, 1, 2)
            radius = np.linspace(2, 6, FRAMES) if label % 2 else np.linspace(6, 2, FRAMES)
            distance = np.hypot(x - centre[0], y - centre[1])
            spot = 180 * np.exp(-((distance / radius[:, None, None]) ** 2))
            clips.append((40 + spot + rng.uniform(0, 12, (FRAMES, SIDE, SIDE))).astype(np.uint8))
            base = np.stack([np.linspace(4, 28, 68), 16 + 8 * np.sin(np.arange(68))], axis=1)
            motion = np.linspace(0, 1, FRAMES)[:, None, None] * np.sin(np.arange(68) * (label + 1))[:, None] * 4
            landmarks.append(base + motion + rng.normal(0, 0.2, (FRAMES, 68, 2)))
            labels.append(label)
            names.append(f"S{subject:02d}")
    return ClipSet(
        np.stack(clips),
        np.stack(landmarks).astype(np.float32),
        np.array(labels),
        names,
        [f"{name}-{label}" for name, label in zip(names, labels, strict=True)],
    )


FACE, EXPRESSIONS = 18, ("anger", "disgust", "fear", "surprise")


def spotted_faces(subjects: int, classes: int = 3, frames: int = 2, seed: int = 0, prefix: str = "S") -> FaceSet:
    """Frames of one sequence per subject and class: a spot whose height tells the class, landmarks that move with it.

    A subject has its own grey and the spots its own breadth; mirroring changes neither.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:FACE, :FACE]
    images, landmarks, places = [], [], []
    base = np.stack([np.linspace(2, 16, 68), 9 + 4 * np.sin(np.arange(68))], axis=1)
    for subject, label, frame in np.ndindex(subjects, classes, frames):
        height, breadth, grey = 4 + 4 * label, 3 + subject % 4, 20 + 17 * (subject % 5)
        spot = 150 * np.exp(-(((y - height) / 1.5) ** 2) - ((x - 8.5) / breadth) ** 2)
        images.append((grey + spot + rng.uniform(0, 12, (FACE, FACE))).astype(np.uint8)[None])
        landmarks.append(base + [0, label] * (np.arange(68) >= 48)[:, None] + rng.normal(0, 0.1, (68, 2)))
        places.append((subject, label, frame))
    subject, label, frame = map(torch.tensor, zip(*places, strict=True))
    names = tuple(f"{prefix}{number:02d}" for number in range(subjects))
    return FaceSet(
        images=torch.from_numpy(np.stack(images)),
        labels=label,
        subjects=subject,
        subject_names=names,
        rows=torch.arange(len(images)) + 1000 * seed,
        sequence_ids=tuple(f"{names[subject]}-{label}" for subject, label, _ in places),
        frames=frame,
        expressions=EXPRESSIONS,
        synthetic=torch.zeros(len(images), dtype=torch.bool),
        landmarks=torch.from_numpy(np.stack(landmarks).astype(np.float32)),
    )


@pytest.fixture
def faces() -> Callable[..., FaceSet]:
    return spotted_faces


@pytest.fixture
def spots() -> Callable[..., ClipSet]:
    return moving_spots


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[], TrainingRun]:
    """A run with a folder of its own on every call."""
    count = iter(range(1000))

    def make() -> TrainingRun:
        folder = tmp_path / str(next(count))
        return TrainingRun(folder, seed=1, device=torch.device("cpu"), fingerprint="test", metadata={"image_size": 16})

    return make

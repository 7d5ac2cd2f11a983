"""Small clips whose classes differ in where and how a spot moves."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fersnet.baselines.clips import ClipSet
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


@pytest.fixture
def spots() -> Callable[..., ClipSet]:
    return moving_spots


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[], TrainingRun]:
    """A run with a folder of its own on every call."""
    count = iter(range(1000))

    def make() -> TrainingRun:
        folder = tmp_path / str(next(count))
        return TrainingRun(folder, seed=1, device=torch.device("cpu"), fingerprint="test", metadata={})

    return make

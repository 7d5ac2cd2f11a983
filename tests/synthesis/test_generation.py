"""Synthetic test faces: what is made of what, and the file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.synthesis.generation import read_synthetic, synthesize_faces, write_synthetic
from fersnet.training.batches import FaceSet

SIZE = 8


def faces_of(count: int = 5, side: int = 10, expressions: tuple[str, ...] = SIX) -> FaceSet:
    return FaceSet(
        images=torch.randint(
            0, 200, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
        ),
        labels=torch.zeros(count, dtype=torch.int64),
        subjects=torch.zeros(count, dtype=torch.int64),
        subject_names=("a",),
        rows=torch.arange(count) * 10,
        sequence_ids=("s",) * count,
        frames=torch.arange(count),
        expressions=expressions,
        synthetic=torch.zeros(count, dtype=torch.bool),
    )


class Brighter:
    """Adds five levels per class index."""

    expressions = SEVEN

    def synthesize(self, images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return images + 5 * target[:, None, None, None] / 255


class Noisy:
    expressions = SIX

    def synthesize(self, images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return images + 0.1 * torch.randn_like(images)


@pytest.mark.parametrize("batch_size", [4, 100])
def test_every_face_gets_every_expression(batch_size: int) -> None:
    faces = faces_of()
    made = synthesize_faces(Brighter(), faces, SIZE, batch_size=batch_size)
    assert made.images.shape == (30, SIZE, SIZE, 3)
    assert made.source.tolist() == [row for row in faces.rows.tolist() for _ in SIX]
    assert made.target.tolist() == list(SIX) * 5
    for position in range(30):
        crop = faces.images[position // 6, :, 1:9, 1:9].permute(1, 2, 0).numpy().astype(int)
        added = 5 * SEVEN.index(made.target[position])
        assert np.array_equal(made.images[position], crop + added)


def test_b1_a_fold_without_a_face_is_a_file_without_images(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "fold1.npz", synthesize_faces(Brighter(), faces_of(0), SIZE))
    made = read_synthetic(tmp_path / "fold1.npz")
    assert made.images.shape == (0, SIZE, SIZE, 3) and len(made.source) == len(made.target) == 0


def test_class_indices_are_the_systems_own() -> None:
    made = synthesize_faces(Brighter(), faces_of(1, expressions=("surprise",)), SIZE)
    crop = faces_of(1).images[0, :, 1:9, 1:9].permute(1, 2, 0).numpy().astype(int)
    assert np.array_equal(made.images[0], crop + 30)
    with pytest.raises(UserError, match="no 'contempt'"):
        synthesize_faces(Noisy(), faces_of(1, expressions=SEVEN), SIZE)


def test_c3_each_face_gets_the_expressions_that_there_are() -> None:
    """Case C3: with two classes, two synthetic faces of each."""
    made = synthesize_faces(Brighter(), faces_of(3, expressions=("happiness", "sadness")), SIZE)
    assert made.target.tolist() == ["happiness", "sadness"] * 3


def test_noise_follows_the_seed_alone() -> None:
    results = []
    for seed, disturbance in ((1, 5), (1, 6), (2, 5)):
        torch.manual_seed(disturbance)
        results.append(synthesize_faces(Noisy(), faces_of(), SIZE, seed=seed).images)
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


class Constant:
    expressions = SIX

    def __init__(self, value: float, size: int = SIZE) -> None:
        self.value, self.size = value, size

    def synthesize(self, images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return torch.full((len(images), 3, self.size, self.size), self.value)


def test_values_are_clipped_and_rounded() -> None:
    for value, level in ((1.7, 255), (-0.2, 0), (0.5, 128)):
        assert (synthesize_faces(Constant(value), faces_of(1), SIZE).images == level).all()


@pytest.mark.parametrize("system", [Constant(float("nan")), Constant(0.5, size=4)])
def test_a_broken_system_is_named(system: Constant) -> None:
    with pytest.raises(UserError, match="synthesis: "):
        synthesize_faces(system, faces_of(1), SIZE)


def test_the_file(tmp_path: Path) -> None:
    made = synthesize_faces(Brighter(), faces_of(), SIZE)
    write_synthetic(tmp_path / "fold1.npz", made)
    write_synthetic(tmp_path / "other.npz", made)
    assert (tmp_path / "fold1.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    again = read_synthetic(tmp_path / "fold1.npz")
    assert np.array_equal(again.images, made.images)
    assert again.images.dtype == np.uint8
    assert np.array_equal(again.source, made.source)
    assert again.target.tolist() == made.target.tolist()


def test_damaged_and_hostile_files(tmp_path: Path) -> None:
    path = tmp_path / "fold1.npz"
    with pytest.raises(UserError, match="no such file"):
        read_synthetic(path)
    write_synthetic(path, synthesize_faces(Brighter(), faces_of(), SIZE))
    whole = path.read_bytes()
    for content in (whole[:200], whole[:-30], b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"fold1\.npz"):
            read_synthetic(path)
    np.savez(path, images=np.array([{}], dtype=object), source=[0], target=["anger"])
    with pytest.raises(UserError, match=r"fold1\.npz"):
        read_synthetic(path)
    np.savez(path, images=np.zeros((2, 4, 4, 1)), source=[0, 1], target=["anger", "fear"])
    with pytest.raises(UserError, match="no uint8 faces"):
        read_synthetic(path)

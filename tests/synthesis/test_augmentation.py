"""FES-based augmentation: balance, order, filter, record, and no subject but those given."""

import logging
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fersnet.errors import UserError
from fersnet.settings.training import AugmentationSettings
from fersnet.synthesis.augmentation import augment, plan, synthesize_whole
from fersnet.synthesis.augmented_files import with_augmented, write_augmented
from fersnet.training.batches import FaceSet

EXPRESSIONS = ("anger", "disgust", "fear", "happiness")
SIZE, SIDE = 8, 10


def faces_of(pairs: list[tuple[int, int]], side: int = SIDE) -> FaceSet:
    """Three faces per (subject, label)."""
    rows = [pair for pair in pairs for _ in range(3)]
    count = len(rows)
    generator = torch.Generator().manual_seed(2)
    return FaceSet(
        images=torch.randint(0, 200, (count, 1, side, side), dtype=torch.uint8, generator=generator),
        labels=torch.tensor([label for _, label in rows]),
        subjects=torch.tensor([subject for subject, _ in rows]),
        subject_names=tuple("abcdefgh"),
        rows=torch.arange(count) + 1000,
        sequence_ids=tuple(f"s{position // 3}" for position in range(count)),
        frames=torch.arange(count) % 3,
        expressions=EXPRESSIONS,
        synthetic=torch.zeros(count, dtype=torch.bool),
    )


# anger 12 faces, disgust 6, fear 3, happiness 3
FACES = faces_of([(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 2), (0, 3)])


class Painter:
    """Paints the target's own level over the whole crop, and counts."""

    def __init__(self, expressions: tuple[str, ...] = EXPRESSIONS) -> None:
        self.calls, self.expressions = 0, expressions

    def synthesize(self, images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return torch.zeros_like(images) + (201 + target[:, None, None, None]) / 255


def sure(images: torch.Tensor) -> torch.Tensor:
    """Reads the painted level back."""
    label = images.double().mean(dim=(1, 2, 3)).round().long() - 201
    return 10 * torch.nn.functional.one_hot(label, 4).float()


def augmented(factor: float = 1.0, minimum: float = 0.0, logits_of=sure, seed: int = 1) -> tuple[FaceSet, pd.DataFrame]:
    settings = AugmentationSettings(factor=factor, minimum_confidence=minimum)
    return augment(FACES, Painter(), logits_of, settings, SIZE, seed, batch_size=4)


@pytest.mark.parametrize(("factor", "count"), [(1.0, 12), (1.5, 18)])
def test_classes_are_balanced_and_enlarged(factor: float, count: int) -> None:
    enlarged, table = augmented(factor)
    counts = enlarged.class_counts()
    assert {name: counts[name] for name in EXPRESSIONS[1:]} == dict.fromkeys(EXPRESSIONS[1:], count)
    assert counts["anger"] == min(count, 12 + 12)
    assert len(table) == len(enlarged) - len(FACES) == int(enlarged.synthetic.sum())


def test_real_faces_come_first_and_unchanged() -> None:
    enlarged, _ = augmented()
    assert torch.equal(enlarged.images[: len(FACES)], FACES.images)
    assert torch.equal(enlarged.labels[: len(FACES)], FACES.labels)
    assert enlarged.synthetic.tolist() == [False] * len(FACES) + [True] * (len(enlarged) - len(FACES))


def test_every_synthetic_face_knows_its_source_target_and_confidence() -> None:
    enlarged, table = augmented()
    synthetic = enlarged.select(enlarged.synthetic)
    names = [FACES.subject_names[subject] for subject in synthetic.subjects.tolist()]
    assert table["source"].tolist() == synthetic.rows.tolist()
    assert table["subject"].tolist() == names
    assert table["target"].tolist() == [EXPRESSIONS[label] for label in synthetic.labels.tolist()]
    assert table["kept"].all()
    assert table["confidence"].min() > 0.99
    for position, row in enumerate(table.itertuples()):
        source = row.source - 1000
        assert row.sequence_id == FACES.sequence_ids[source]
        assert row.subject == FACES.subject_names[FACES.subjects[source]]
        assert row.source_expression == EXPRESSIONS[FACES.labels[source]] != row.target
        level = 201 + EXPRESSIONS.index(row.target)
        assert (synthetic.images[position] == level).all(), "the image is of the target, in the stored size"
    assert not table.duplicated(["source", "target"]).any()


def test_only_given_subjects_are_used() -> None:
    enlarged, table = augmented(1.5)
    assert set(table["subject"]) <= {"a", "b", "c", "d"}
    assert set(table["source"]) <= set(FACES.rows.tolist())
    assert enlarged.subject_names == FACES.subject_names


def test_missing_expressions_of_a_subject_come_first_and_subjects_take_turns() -> None:
    positions, missing = plan(FACES, 1, seed=1)
    subjects = FACES.subjects[positions].tolist()
    assert missing.tolist() == sorted(missing.tolist(), reverse=True)
    assert set(subjects[: int(missing.sum())]) == {2, 3}, "a and b show disgust already"
    assert set(subjects[:2]) == {2, 3}
    assert not (FACES.labels[positions] == 1).any()
    assert len(set(positions.tolist())) == len(positions) == int((FACES.labels != 1).sum())


def test_the_filter_replaces_what_it_drops_and_keeps_the_record() -> None:
    def doubtful(images: torch.Tensor) -> torch.Tensor:
        logits = sure(images)
        logits[1::2] = 0
        return logits

    enlarged, table = augmented(minimum=0.5, logits_of=doubtful)
    assert set(enlarged.class_counts().values()) == {12}
    assert table["kept"].sum() == int(enlarged.synthetic.sum()) < len(table)
    assert (table.loc[~table["kept"], "confidence"] < 0.5).all()
    assert (table.loc[table["kept"], "confidence"] >= 0.5).all()
    kept = table[table["kept"]]
    assert kept["source"].tolist() == enlarged.rows[enlarged.synthetic].tolist()


def test_a_system_of_other_classes_draws_those_that_both_have_by_its_own_numbers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    painter = Painter(("happiness", "sadness", "disgust"))
    with caplog.at_level(logging.WARNING):
        enlarged, table = augment(FACES, painter, None, AugmentationSettings(), SIZE, 1)
    assert enlarged.class_counts() == {"anger": 12, "disgust": 12, "fear": 3, "happiness": 12}
    assert "fear is not drawn, and has 3 faces of 12" in caplog.text
    levels = {"happiness": 201, "disgust": 203}
    synthetic = enlarged.select(enlarged.synthetic)
    for image, target in zip(synthetic.images, table["target"], strict=True):
        assert (image == levels[target]).all()
    assert table["kept"].all() and table[["confidence", "predicted"]].isna().all(axis=None), "nothing reads them"


def test_targets_leave_classes_as_they_are() -> None:
    enlarged, table = augment(FACES, Painter(), sure, AugmentationSettings(factor=2.0), SIZE, 1, ("fear", "disgust"))
    assert set(table["target"]) == {"fear", "disgust"}
    assert enlarged.class_counts() == {"anger": 12, "disgust": 24, "fear": 24, "happiness": 3}
    assert (table["predicted"] == table["target"]).all()


def test_a_training_with_no_synthetic_face_is_the_training_without(tmp_path: Path) -> None:
    """So that what the faces of a system are worth is measured from the very training on real faces."""
    write_augmented(tmp_path / "none.npz", FACES)
    joined = with_augmented(FACES, tmp_path / "none.npz")
    for field in fields(FaceSet):
        first, second = getattr(joined, field.name), getattr(FACES, field.name)
        assert torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second


def test_a_source_that_does_not_train_in_this_fold_is_refused(tmp_path: Path) -> None:
    enlarged, _ = augmented()
    write_augmented(tmp_path / "faces.npz", enlarged)
    others = FACES.select(FACES.subjects != 3)
    with pytest.raises(UserError, match="is no training face of this fold"):
        with_augmented(others, tmp_path / "faces.npz")


def test_nothing_passes_the_filter(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        enlarged, table = augmented(minimum=1.0, logits_of=lambda images: torch.zeros(len(images), 4))
    assert len(enlarged) == len(FACES)
    assert not table["kept"].any()
    assert "fear stays 9 faces short of 12" in caplog.text


def test_balanced_classes_need_nothing() -> None:
    balanced = faces_of([(0, 0), (1, 1), (2, 2), (3, 3)])
    painter = Painter()
    enlarged, table = augment(balanced, painter, sure, AugmentationSettings(), SIZE, 1)
    assert painter.calls == 0
    assert len(enlarged) == len(balanced)
    assert list(table.columns)[:1] == ["source"]
    assert table.empty


def test_same_seed_same_faces() -> None:
    first, again, other = augmented(seed=1), augmented(seed=1), augmented(seed=2)
    pd.testing.assert_frame_equal(first[1], again[1], check_exact=True)
    assert torch.equal(first[0].images, again[0].images)
    assert first[1]["source"].tolist() != other[1]["source"].tolist()


def test_synthetic_sources_are_refused() -> None:
    enlarged, _ = augmented()
    with pytest.raises(UserError, match="sources must be real"):
        augment(enlarged, Painter(), sure, AugmentationSettings(), SIZE, 1)


class Copier:
    expressions = EXPRESSIONS

    def synthesize(self, images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return images


@hypothesis_settings(max_examples=30)
@given(st.integers(4, 24), st.data())
def test_the_blend_of_crops_gives_a_copier_its_face_back(side: int, data: st.DataObject) -> None:
    size = data.draw(st.integers((side + 1) // 2, side))
    images = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(side))
    assert torch.equal(synthesize_whole(Copier(), images, 0, size), images)


def test_crops_that_cannot_cover_the_face_are_named() -> None:
    with pytest.raises(UserError, match="at least half"):
        synthesize_whole(Copier(), torch.zeros(1, 1, 20, 20, dtype=torch.uint8), 0, 8)

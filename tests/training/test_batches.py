"""Face sets, crops, flips and paired targets."""

import logging
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fersnet.errors import UserError
from fersnet.training.batches import crop_and_flip, draw_targets, face_set, neutral_faces, warn_of_missing_classes
from fersnet.training.predictions import accuracies, prediction_table

EXPRESSIONS = ("anger", "disgust", "happiness")


def store_of(rows: list[tuple[str, str, str, int, str]], channels: int = 3) -> SimpleNamespace:
    table = pd.DataFrame(rows, columns=["sequence_id", "subject", "expression", "frame", "role"])
    images = np.random.default_rng(0).integers(0, 256, (len(rows), 12, 12, channels), dtype=np.uint8)
    return SimpleNamespace(images=images, table=table, landmarks=None)


STORE = store_of(
    [
        ("a1", "zoe", "anger", 0, "neutral"),
        ("a1", "zoe", "anger", 8, "clip"),
        ("a1", "zoe", "anger", 8, "peak"),
        ("a1", "zoe", "anger", 9, "peak"),
        ("b1", "ann", "happiness", 5, "peak"),
        ("b2", "ann", "disgust", 6, "peak"),
        ("c1", "kim", "surprise", 6, "peak"),
        ("d1", "tom", "anger", 6, "peak"),
    ]
)


def test_a_face_set_holds_the_asked_faces_and_nobody_else() -> None:
    faces = face_set(STORE, frozenset({"ann", "zoe", "kim"}), EXPRESSIONS)
    assert faces.rows.tolist() == [2, 3, 4, 5]
    assert faces.subject_names == ("ann", "zoe")
    assert faces.subjects.tolist() == [1, 1, 0, 0]
    assert faces.labels.tolist() == [0, 0, 2, 1]
    assert faces.sequence_ids == ("a1", "a1", "b1", "b2")
    assert faces.frames.tolist() == [8, 9, 5, 6]
    assert faces.class_counts() == {"anger": 2, "disgust": 1, "happiness": 1}
    assert not faces.synthetic.any()
    for position, row in enumerate(faces.rows.tolist()):
        assert np.array_equal(faces.images[position].permute(1, 2, 0).numpy(), STORE.images[row])


def test_every_frame_enters_once_where_roles_are_mixed() -> None:
    assert face_set(STORE, {"zoe"}, EXPRESSIONS, role=None).rows.tolist() == [0, 1, 3]
    assert face_set(STORE, {"zoe"}, EXPRESSIONS, role=("peak", "neutral")).rows.tolist() == [0, 2, 3]


def test_neutral_faces_are_those_that_sequences_begin_with_and_neutral_sequences() -> None:
    begins = [("a1", "zoe", "anger", 0, "neutral"), ("a1", "zoe", "anger", 8, "peak")]
    whole = [("n1", "ann", "neutral", 0, "neutral"), ("n1", "ann", "neutral", 0, "peak")]
    store = store_of([*begins, *whole, ("c2", "zoe", "fear", 0, "neutral")])
    assert neutral_faces(store, {"zoe", "ann"}, ("anger",)).rows.tolist() == [0, 2]
    assert neutral_faces(store, {"zoe", "ann"}, ("anger", "neutral")).rows.tolist() == [0, 2]
    assert neutral_faces(store, {"zoe"}, ("happiness",)) is None


def test_no_face_is_named() -> None:
    with pytest.raises(UserError, match="no peak face of nobody in anger"):
        face_set(STORE, {"nobody"}, EXPRESSIONS)
    nothing = face_set(STORE, {"nobody"}, EXPRESSIONS, may_be_empty=True)
    assert len(nothing) == 0 and nothing.subject_names == ()
    assert accuracies(prediction_table(nothing, np.zeros((0, len(EXPRESSIONS))))) == {}


def test_selection_by_mask_and_by_index() -> None:
    faces = face_set(STORE, {"ann", "zoe"}, EXPRESSIONS)
    assert faces.select(faces.labels == 0).rows.tolist() == [2, 3]
    chosen = faces.select(torch.tensor([3, 0]))
    assert chosen.rows.tolist() == [5, 2]
    assert chosen.sequence_ids == ("b2", "a1")
    assert len(chosen) == 2
    assert torch.equal(chosen.images[0], faces.images[3])


def test_a_class_without_faces_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of_missing_classes(face_set(STORE, {"ann"}, EXPRESSIONS))
    assert "no training face of anger" in caplog.text


def test_the_test_crop_is_the_centre() -> None:
    images = torch.randint(0, 256, (3, 1, 110, 110), dtype=torch.uint8)
    cropped = crop_and_flip(images, 96, train=False)
    assert torch.equal(cropped, images[:, :, 7:103, 7:103].float() / 255)
    assert cropped.is_contiguous()


def test_training_crops_are_windows_of_the_face_or_their_mirror_images() -> None:
    side, size = 12, 9
    image = torch.arange(side * side, dtype=torch.uint8).reshape(1, 1, side, side)
    torch.manual_seed(0)
    cropped = (crop_and_flip(image.expand(400, 1, side, side), size, train=True) * 255).round().to(torch.uint8)
    windows = {}
    for top in range(side - size + 1):
        for left in range(side - size + 1):
            window = image[0, 0, top : top + size, left : left + size]
            windows[window.numpy().tobytes()] = (top, left, False)
            windows[window.flip(1).numpy().tobytes()] = (top, left, True)
    seen = {windows[one[0].numpy().tobytes()] for one in cropped}
    assert len(seen) == 2 * 16, "every offset and both mirror images come up"


def test_source_and_target_are_cut_alike() -> None:
    images = torch.randint(0, 256, (16, 3, 12, 12), dtype=torch.uint8)
    one, other = crop_and_flip(images, 8, train=True, extra=images)
    assert torch.equal(one, other)


def test_crops_follow_the_global_generator() -> None:
    images = torch.randint(0, 256, (16, 1, 12, 12), dtype=torch.uint8)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(crop_and_flip(images, 8, train=True))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize(
    "images", [torch.full((1, 1, 12, 12), float("nan")), torch.zeros(1, 12, 12, dtype=torch.uint8)]
)
def test_images_of_the_wrong_type_or_shape(images: torch.Tensor) -> None:
    with pytest.raises(UserError, match="faces must be uint8"):
        crop_and_flip(images, 8, train=False)


def test_images_of_the_wrong_size() -> None:
    images = torch.zeros(2, 1, 12, 12, dtype=torch.uint8)
    with pytest.raises(UserError, match="crop of 16"):
        crop_and_flip(images, 16, train=True)
    with pytest.raises(UserError, match="target faces"):
        crop_and_flip(images, 8, train=True, extra=images[:1])


def test_targets_are_the_same_subject_with_another_expression() -> None:
    torch.manual_seed(0)
    labels = torch.tensor([0, 0, 1, 2, 0, 1, 1])
    subjects = torch.tensor([0, 0, 0, 0, 1, 1, 2])
    indices = torch.tensor([0, 2, 4, 6]).repeat(200)
    targets, has_pair = draw_targets(labels, subjects, indices)
    assert has_pair.tolist() == [True, True, True, False] * 200
    assert torch.equal(subjects[targets], subjects[indices])
    assert bool((labels[targets] != labels[indices])[has_pair].all())
    assert torch.equal(targets[~has_pair], indices[~has_pair])
    drawn = targets[indices == 2].bincount(minlength=7)
    assert drawn[[0, 1, 3]].min() > 40, "all fitting faces are drawn about equally often"


@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(2, 6), st.integers(1, 5))
@settings(max_examples=60)
def test_a_wanted_target_is_of_the_same_subject_and_taken_where_there_is_one(
    seed: int, count: int, classes: int, people: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=generator)
    subjects = torch.randint(people, (count,), generator=generator)
    indices = torch.arange(count)
    wanted = (labels + torch.randint(1, classes, (count,), generator=generator)) % classes
    targets, has_pair = draw_targets(labels, subjects, indices, wanted)
    shown = {(subject, label) for subject, label in zip(subjects.tolist(), labels.tolist(), strict=True)}
    for face, (target, paired) in enumerate(zip(targets.tolist(), has_pair.tolist(), strict=True)):
        assert paired == ((int(subjects[face]), int(wanted[face])) in shown)
        assert subjects[target] == subjects[face]
        assert labels[target] == wanted[face] if paired else target == face

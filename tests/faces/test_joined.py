"""The joined faces of several datasets: nobody of the set that is tested is among the training faces."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fersnet.baselines.clips import fold_clips
from fersnet.errors import UserError
from fersnet.faces.joined import join_stores
from fersnet.faces.store import COLUMNS, FaceStore, open_store
from fersnet.folds import check_folds, folds_across, read_folds, split_subjects, write_folds
from fersnet.training.batches import face_set

SHARED = ("anger", "fear")
ROLES = ("peak", "neutral", "clip", "clip")


def set_of(people: list[str], tone: int) -> tuple[FaceStore, pd.DataFrame]:
    """Faces of one grey for each set, two shared expressions and a third; and the set's own three folds."""
    rows, sequences = [], []
    for place, person in enumerate(people):
        for expression in (*SHARED, "contempt"):
            name = f"{person}_{expression}"
            sequences.append((name, person, expression, place % 3 + 1))
            rows += [
                (name, person, expression, frame, role, "dlib", 1.0, "", [0.0]) for frame, role in enumerate(ROLES)
            ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    images = np.full((len(rows), 8, 8, 1), tone, np.uint8)
    folds = pd.DataFrame(sequences, columns=["sequence_id", "subject", "expression", "fold"])
    return FaceStore(images, table, np.full((len(rows), 68, 2), tone, np.float32)), folds


SETS = {"one": set_of(["005", "a", "b"], 10), "two": set_of(["a", "c", "d", "e"], 20), "three": set_of(["f"] * 1, 30)}
READERS = {"one": "ckplus", "two": "mmi", "three": "folder"}


def shared_folds() -> dict[str, pd.DataFrame]:
    return {key: folds[folds["expression"].isin(SHARED)] for key, (_, folds) in SETS.items()}


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("joined")
    assert join_stores({key: store for key, (store, _) in SETS.items()}, SHARED, folder) == 8 * 2 * len(ROLES)
    write_folds(folds_across(shared_folds(), READERS), folder / "folds.csv")
    return folder


@pytest.mark.parametrize("hold_out", [False, True])
@pytest.mark.parametrize("fold", [1, 2, 3])
def test_no_face_of_the_test_set_is_read_in_training(joined: Path, fold: int, hold_out: bool) -> None:
    store, folds = open_store(joined), read_folds(joined / "folds.csv")
    check_folds(folds, 3)
    split = split_subjects(folds, fold, hold_out)
    tone = 10 * fold
    for role in ("peak", None):
        assert tone not in face_set(store, split.train, SHARED, role).images
        assert set(face_set(store, split.test, SHARED, role).images.unique().tolist()) == {tone}
        assert tone not in face_set(store, split.validation, SHARED, role).images
    train, _, test = fold_clips(store, split, SHARED, size=8, frames=2, crop=8)
    assert tone not in train.clips and set(np.unique(test.clips)) == {tone}
    assert bool(split.validation & split.train) != hold_out
    assert set(face_set(store, split.train, SHARED).images.unique().tolist()) == {10, 20, 30} - {tone} - (
        {30} if hold_out else set()  # Its one subject validates.
    )


def test_faces_and_landmarks_are_those_of_the_sets(joined: Path) -> None:
    store = open_store(joined)
    assert set(store.table["expression"]) == set(SHARED)
    of_set = store.table["subject"].str.partition("/")[0]
    for number, key in enumerate(SETS, start=1):
        rows = np.flatnonzero(of_set == key)
        assert (store.images[rows] == 10 * number).all() and (store.landmarks[rows] == 10 * number).all()
    assert {"one/a", "two/a", "one/005"} <= set(store.table["subject"])


@given(some.lists(some.lists(some.sampled_from("abcdefgh"), min_size=1, unique=True), min_size=2, max_size=4))
@settings(max_examples=50)
def test_every_set_is_tested_once_by_others_and_validated_by_those_trained_on(people: list[list[str]]) -> None:
    sets = {f"set{number}": set_of(names, number)[1] for number, names in enumerate(people)}
    folds = folds_across(sets, {key: key for key in sets})
    check_folds(folds, len(sets))
    everybody = set(folds["subject"])
    for fold, (key, own) in enumerate(sets.items(), start=1):
        split = split_subjects(folds, fold, False)
        assert split.test == {f"{key}/{name}" for name in own["subject"]}
        assert split.train == everybody - split.test
        assert split.validation <= split.train


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folds: (folds, READERS | {"two": "ckplus"}), "cross: subject a is in one and in two"),
        (lambda folds: (folds | {"three": folds["three"].iloc[:0]}, READERS), "cross: three has no sequence"),
    ],
)
def test_sets_that_do_not_go_together_are_one_line(change, message: str) -> None:
    with pytest.raises(UserError, match=message):
        folds_across(*change(shared_folds()))

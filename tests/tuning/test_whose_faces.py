"""Whose faces a search sees: nobody's of whom a run reports a figure."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fersnet.datasets.index import read_index, write_index
from fersnet.datasets.sequences import SequenceIndex
from fersnet.embedded.writers import bu4dfe, ckplus, mmi, oulu_casia
from fersnet.errors import UserError
from fersnet.faces.store import COLUMNS, open_store
from fersnet.folds import assign_folds, split_subjects
from fersnet.seeds import derive_seed
from fersnet.settings.data import EmbeddedSettings, FoldsSettings
from fersnet.settings.load import load_settings
from fersnet.tuning.people import check_enough, copy_people, people_of, split_people, tuning_folds

WRITERS = {"ckplus": ckplus, "oulu_casia": oulu_casia, "mmi": mmi, "bu4dfe": bu4dfe}
RUN = load_settings({"preset": "embedded"}, [])
OWN = {"reader": "folder", "root": "faces/lab", "expressions": ["anger", "fear"]}


def people(rule: str, dataset: str, seed: int, embedded: EmbeddedSettings) -> set[int]:
    """The people whom a job of this rule renders, by the seeds of their identities."""
    return {one.take.person for one in WRITERS[dataset].plan(embedded, derive_seed(seed, rule, dataset, "", ""))}


def test_no_run_contains_the_people_of_a_search() -> None:
    theirs: set[int] = set()
    ours: set[int] = set()
    for key, dataset in RUN.datasets.items():
        for seed in (RUN.seed, RUN.tuning.seed, 0, 2, 3, 5, 2026):
            theirs |= people("render_dataset", key, seed, dataset.embedded)
            ours |= people("tune_render", key, seed, dataset.embedded)
    assert len(theirs) == len(ours) > 300 and not theirs & ours


def test_people_of_a_search_are_rendered_or_the_training_subjects_of_a_fold() -> None:
    run = load_settings({"preset": "embedded", "datasets": {"mmi": None, "lab": OWN}}, [])
    found = people_of(run, {"ckplus": 3, "oulu_casia": 3, "lab": 3})
    assert found == ["ckplus", "oulu_casia", "lab.fold1", "lab.fold2", "lab.fold3"]
    assert [split_people(key) for key in found[1:3]] == [("oulu_casia", None), ("lab", 1)]


@given(st.integers(2, 40), st.integers(3, 6), st.integers(1, 6))
def test_every_draw_is_read_on_two_people_who_trained_nothing(subjects: int, parts: int, read: int) -> None:
    read = min(read, parts)
    names = [f"s{number:02}" for number in range(subjects)]
    sequences = pd.DataFrame({"sequence_id": names, "subject": names, "expression": "anger"})
    rendered = RUN.datasets["ckplus"].model_copy(update={"embedded": EmbeddedSettings(subjects=subjects)})
    tuning = RUN.tuning.model_copy(update={"parts": parts, "folds": read})
    run = RUN.model_copy(update={"datasets": {"ckplus": rendered}, "tuning": tuning})
    if (subjects - read) // parts + 1 < 2:
        with pytest.raises(UserError, match=r"tuning: \d+ people in \d parts"):
            tuning_folds(sequences, parts, read)
        with pytest.raises(UserError, match=r"datasets\.ckplus\.embedded\.subjects: \d+ people in \d parts"):
            check_enough(run)
        return
    check_enough(run)
    folds = tuning_folds(sequences, parts, read)
    for fold in range(1, read + 1):
        split = split_subjects(folds, fold, hold_out_validation=False)
        assert len(split.test) >= 2 and not split.test & split.train


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Six people with two sequences each, whose faces have their person's number as grey value."""
    names = [(f"s{person}", f"s{person}_{number}") for person in range(6) for number in range(2)]
    index = pd.DataFrame({"sequence_id": [name for _, name in names], "subject": [who for who, _ in names]})
    index = index.assign(expression="anger", n_frames=1, neutral=-1, view="", age=pd.array([30] * 12, dtype="Int64"))
    index["frames"], index["apex"] = [["1.png"]] * 12, [[0]] * 12
    rejected = pd.DataFrame({"sequence_id": ["x"], "frame": [""], "reason": ["no face"]})
    write_index(SequenceIndex(index, rejected), tmp_path / "lab")
    table = index[["sequence_id", "subject", "expression"]].assign(frame=0, role="peak", detector="d", quality=1.0)
    table = table.assign(source="1.png", matrix=[[1.0, 0, 0, 0, 1, 0]] * 12)
    table[list(COLUMNS)].to_parquet(tmp_path / "lab" / "faces.parquet", index=False)
    grey = np.repeat(np.arange(6, dtype=np.uint8), 2)
    np.save(tmp_path / "lab" / "faces.npy", np.broadcast_to(grey[:, None, None, None], (12, 8, 8, 1)))
    np.save(tmp_path / "lab" / "landmarks.npy", np.zeros((12, 68, 2), dtype=np.float32))
    return tmp_path / "lab"


@pytest.mark.parametrize("fold", [1, 2, 3])
def test_the_files_of_a_search_hold_no_test_subject_of_its_fold(stored: Path, fold: int) -> None:
    folds = assign_folds(read_index(stored).sequences, FoldsSettings(count=3))
    split = split_subjects(folds, fold, hold_out_validation=False)
    target = stored.with_name(f"lab.fold{fold}")
    assert copy_people(stored, target, split.train) == 8
    store, index = open_store(target), read_index(target)
    assert set(store.table["subject"]) == set(index.sequences["subject"]) == split.train
    assert set(np.unique(store.images)) == {int(name[1:]) for name in split.train}
    assert len(store.landmarks) == 8 and index.rejected.empty
    assert not split.test & set(tuning_folds(index.sequences, 3, 1)["subject"])


def test_people_of_pre_training_are_copied_whole(stored: Path) -> None:
    assert copy_people(stored, stored.with_name("all"), None) == 12
    assert set(open_store(stored.with_name("all")).table["subject"]) == {f"s{person}" for person in range(6)}

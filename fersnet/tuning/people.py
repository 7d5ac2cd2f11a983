"""The people of a search: rendered ones whom no run has, or the training subjects of one fold of a run."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.errors import UserError
from fersnet.folds import assign_folds, check_folds
from fersnet.settings.data import FoldsSettings
from fersnet.settings.tree import Settings

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 2
"""People on whom a draw is read: of one alone, no other could be told apart from him."""
_KEY = re.compile(r"(?P<dataset>.+)\.fold(?P<fold>\d+)")


def people_key(dataset: str, fold: int) -> str:
    """The name of the training subjects of a dataset's fold, as a dataset of their own."""
    return f"{dataset}.fold{fold}"


def split_people(key: str) -> tuple[str, int | None]:
    """Dataset and fold of such a name; None for people who are rendered, or of no fold."""
    found = _KEY.fullmatch(key)
    return (found["dataset"], int(found["fold"])) if found else (key, None)


def people_of(settings: Settings, fold_counts: Mapping[str, int]) -> list[str]:
    """The names of all people of a run's search: a rendered dataset's are rendered anew, and of a copy of one's own
    each fold has its training subjects.

    Args:
        fold_counts: number of folds by recognition dataset.
    """
    found = []
    for key in settings.recognition_datasets:
        own = settings.datasets[key].root is not None
        found += [people_key(key, fold) for fold in range(1, fold_counts[key] + 1)] if own else [key]
    return found


def check_enough(settings: Settings) -> None:
    """Check that there are enough rendered people to read draws on; of others `tuning_folds` does so.

    Raises:
        UserError: naming the key to change.
    """
    for key in settings.recognition_datasets:
        dataset, tuning = settings.datasets[key], settings.tuning
        if dataset.root is None:
            place = f"datasets.{key}.embedded.subjects"
            _check_enough(dataset.embedded.subjects, tuning.parts, tuning.folds, place)


def _check_enough(people: int, parts: int, read: int, place: str) -> None:
    # The last of the folds in which draws are read is the smallest.
    left = len(range(read - 1, people, parts))
    if left < FEWEST:
        raise UserError(
            f"{place}: {people} people in {parts} parts (tuning.parts) leave {left} in part {read} to read a draw on, "
            f"and {FEWEST} are needed; take more people, or lower tuning.parts or tuning.folds"
        )


def tuning_folds(sequences: "pd.DataFrame", parts: int, read: int) -> "pd.DataFrame":
    """The folds of the people of a search.

    Args:
        sequences: labelled ones, as for `assign_folds`.
        parts: how many folds.
        read: in how many of them draws are read.

    Raises:
        UserError: if one of these has too few people.
    """
    _check_enough(sequences["subject"].nunique(), parts, read, "tuning")
    folds = assign_folds(sequences, FoldsSettings(count=parts))
    check_folds(folds, parts)
    return folds


def copy_people(source: Path, target: Path, subjects: frozenset[str] | None) -> int:
    """Copy the index and the aligned faces of some subjects of a dataset, of all where None are given.

    Returns:
        The number of faces.
    """
    import numpy as np

    from fersnet.datasets.index import read_index, write_index
    from fersnet.datasets.sequences import SequenceIndex
    from fersnet.faces.store import open_store

    index, store = read_index(source), open_store(source)
    if subjects is None:
        subjects = frozenset(index.sequences["subject"])
    theirs = index.sequences["subject"].isin(subjects)
    write_index(SequenceIndex(index.sequences[theirs].reset_index(drop=True), index.rejected.iloc[:0]), target)
    kept = np.flatnonzero(store.table["subject"].isin(subjects))
    store.table.iloc[kept].reset_index(drop=True).to_parquet(target / "faces.parquet", index=False)
    np.save(target / "faces.npy", store.images[kept])
    np.save(target / "landmarks.npy", store.landmarks[kept])
    return len(kept)

"""What every draw reached, and which one is chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fersnet.report.files import EVALUATION_COLUMNS, PREDICTION_COLUMNS, SET_COLUMNS, fold_of, read_table
from fersnet.tuning.draws import Searched, split_draw
from fersnet.tuning.people import split_people

RENDERED = ""
"""The name of all rendered people together, by whom one choice is made for all datasets."""
SCORES = ("people", "method", "draw", "accuracy", "read", "identity_auc", "n_images", "n_subjects")


@dataclass(frozen=True)
class Choice:
    """The draw of a method that was chosen on some people."""

    people: str
    """`RENDERED`, or the training subjects of a dataset's fold, see `people_key`."""
    method: str
    draw: int
    figures: pd.DataFrame
    """By draw: `figure` by which it was chosen, and what is behind it, as fractions: `accuracy, read, identity_auc`."""
    kept_the_person: bool
    """Whether it reaches the floor of the identity; where no draw does, the nearest to it is chosen."""


def read_scores(predictions: Iterable[Path], evaluations: Iterable[Path], sets: Iterable[Path]) -> pd.DataFrame:
    """What every draw reached on every set of people, with the columns `SCORES`; shares of 1, and NaN for what a draw
    is not judged by.

    Args:
        predictions: files `predictions/<people>/<draw>/fold<k>.parquet`.
        evaluations: files `evaluation/<people>/<draw>/fold<k>.parquet`.
        sets: files `evaluation/<people>/<draw>/fold<k>_sets.csv`.
    """
    read = _read(predictions, PREDICTION_COLUMNS)
    read["accuracy"] = (read["predicted"] == read["expression"]).astype(float)
    judged = _read(evaluations, EVALUATION_COLUMNS)
    judged["read"] = (judged["predicted"] == judged["target"]).astype(float)
    keys = ["people", "method", "draw"]
    parts = [
        read.groupby(keys).agg(accuracy=("accuracy", "mean"), n_images=("accuracy", "size"), who=("subject", set)),
        judged.groupby(keys).agg(read=("read", "mean"), n_judged=("read", "size"), who_judged=("subject", set)),
        _read(sets, SET_COLUMNS).groupby(keys).agg(identity_auc=("identity_auc", "mean")),
    ]
    found = pd.concat(parts, axis=1)
    found["n_images"] = found["n_images"].fillna(found["n_judged"]).astype(int)
    who = found["who"].where(found["who"].notna(), found["who_judged"])
    found["n_subjects"] = who.map(len)
    return found.reset_index().sort_values(keys, ignore_index=True)[list(SCORES)]


def _read(paths: Iterable[Path], columns: tuple[str, ...]) -> pd.DataFrame:
    """Files of single draws in one frame, with `people, method, draw`; of an evaluation the draw's own rows."""
    parts = []
    for path in paths:
        key = path.parent.name
        method, number = split_draw(key)
        frame = read_table(path, columns)
        frame = frame[frame["method"] == key] if "method" in columns else frame
        parts.append(frame.assign(people=path.parent.parent.name, method=method, draw=number, fold=fold_of(path)))
    filled = [part for part in parts if len(part)]
    empty = pd.DataFrame(columns=list(dict.fromkeys((*columns, "people", "method", "draw", "fold"))))
    return pd.concat(filled, ignore_index=True) if filled else empty


def choose(
    scores: pd.DataFrame, methods: Mapping[str, Searched], rendered: Iterable[str], floor: float
) -> list[Choice]:
    """The chosen draw of every method: one for all rendered people together, and one for each fold of other sets.

    A draw's figure is the mean over the sets of people: of the accuracy for what recognises, of what the judge reads
    for what synthesises, and of the two means for what does both. The highest one counts among the draws that keep the
    person, and at a tie the draw with the lower number.

    Args:
        scores: as `read_scores` returns them.
        methods: those that are searched.
        rendered: the sets of people who are rendered.
        floor: identity AUC from which on a draw keeps the person.
    """
    kinds = dict.fromkeys(rendered, RENDERED)
    grouped = scores.assign(group=[kinds.get(people, people) for people in scores["people"]])
    found = []
    for (group, method), rows in grouped.groupby(["group", "method"], sort=False):
        figures = rows.groupby("draw")[["accuracy", "read", "identity_auc"]].mean()
        counted = [
            name
            for name, counts in (("accuracy", methods[method].recognises), ("read", methods[method].synthesises))
            if counts
        ]
        figures.insert(0, "figure", figures[counted].mean(axis=1))
        found.append(_best(str(group), str(method), figures, floor))
    order = {method: place for place, method in enumerate(methods)}
    return sorted(found, key=lambda one: (one.people != RENDERED, *_place(one.people), order[one.method]))


def _best(people: str, method: str, figures: pd.DataFrame, floor: float) -> Choice:
    # Where the identity cannot be measured, as for what only recognises, nothing is held against a draw.
    keeps = figures["identity_auc"].fillna(1.0) >= floor
    if keeps.any():
        draw = figures["figure"][keeps].sort_index().idxmax()
    else:
        draw = figures["identity_auc"].sort_index().idxmax()
    return Choice(people, method, int(draw), figures, bool(keeps[draw]))


def _place(people: str) -> tuple[str, int]:
    dataset, fold = split_people(people)
    return dataset, fold or 0

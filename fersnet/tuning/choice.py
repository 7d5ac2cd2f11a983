"""What every draw reached, and which one is chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fersnet.report.files import EVALUATION_COLUMNS, PREDICTION_COLUMNS, SET_COLUMNS, fold_of, read_table
from fersnet.tuning.draws import AS_IT_IS, Searched, split_draw
from fersnet.tuning.people import split_people

RENDERED = ""
"""The name of all rendered people together, by whom one choice is made for all datasets."""
SCORES = ("people", "method", "draw", "subject", "accuracy", "n_images", "read", "n_judged", "identity_auc")
POOLED = ("people", "method", "draw", "accuracy", "read", "identity_auc", "n_images", "n_subjects")


@dataclass(frozen=True)
class Choice:
    """The draw of a method that was chosen on some people."""

    people: str
    """`RENDERED`, or the training subjects of a dataset's fold, see `people_key`."""
    method: str
    draw: int
    figures: pd.DataFrame
    """By draw: `figure` by which it was chosen, and what is behind it, as fractions: `accuracy, read` as means over the
    sets of people, `identity_auc` as the least of them."""
    kept_the_person: bool
    """Whether it reaches the floor of the identity on each set; where no draw does, the nearest to it is chosen."""


def read_scores(predictions: Iterable[Path], evaluations: Iterable[Path], sets: Iterable[Path]) -> pd.DataFrame:
    """What every draw reached on every person, with the columns `SCORES`; shares of 1 of the person's images, and NaN
    for what a draw is not judged by. The identity AUC is of all people of a set together.

    Args:
        predictions: files `predictions/<people>/<draw>/fold<k>.parquet`.
        evaluations: files `evaluation/<people>/<draw>/fold<k>.parquet`.
        sets: files `evaluation/<people>/<draw>/fold<k>_sets.csv`.
    """
    read = _read(predictions, PREDICTION_COLUMNS)
    read["accuracy"] = (read["predicted"] == read["expression"]).astype(float)
    judged = _read(evaluations, EVALUATION_COLUMNS)
    judged["read"] = (judged["predicted"] == judged["target"]).astype(float)
    draw = ["people", "method", "draw"]
    person = [*draw, "subject"]
    parts = [
        read.groupby(person).agg(accuracy=("accuracy", "mean"), n_images=("accuracy", "size")),
        judged.groupby(person).agg(read=("read", "mean"), n_judged=("read", "size")),
    ]
    found = pd.concat(parts, axis=1).reset_index()
    found[["n_images", "n_judged"]] = found[["n_images", "n_judged"]].fillna(0).astype(int)
    kept = _read(sets, SET_COLUMNS).groupby(draw).agg(identity_auc=("identity_auc", "mean"))
    return found.join(kept, on=draw).sort_values(person, ignore_index=True)[list(SCORES)]


def pooled(scores: pd.DataFrame) -> pd.DataFrame:
    """What every draw reached on every set of people, with the columns `POOLED`; as shares of the images.

    Args:
        scores: as `read_scores` returns them.
    """
    keys = ["people", "method", "draw"]
    sums = scores.assign(right=scores["accuracy"] * scores["n_images"], met=scores["read"] * scores["n_judged"])
    found = sums.groupby(keys, sort=False).agg(
        right=("right", "sum"),
        met=("met", "sum"),
        n_images=("n_images", "sum"),
        n_judged=("n_judged", "sum"),
        identity_auc=("identity_auc", "first"),
        n_subjects=("subject", "nunique"),
    )
    found["accuracy"], found["read"] = found["right"] / found["n_images"], found["met"] / found["n_judged"]
    found["n_images"] = found["n_images"].where(found["n_images"] > 0, found["n_judged"])
    return found.reset_index()[list(POOLED)]


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
    person on each of the sets. The settings as they stand are left unless it is above theirs by more than the standard
    error of the difference: a search of a few draws on a few people always finds one that looks a little better (after
    the one-standard-error rule of Breiman et al., Classification and Regression Trees, 1984, section 3.4.3, with the
    error of the difference in the place of that of the best figure).

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
        counted = [
            name
            for name, counts in (("accuracy", methods[method].recognises), ("read", methods[method].synthesises))
            if counts
        ]
        figures = pooled(rows).groupby("draw").agg({"accuracy": "mean", "read": "mean", "identity_auc": "min"})
        figures.insert(0, "figure", figures[counted].mean(axis=1))
        draw, kept = _best(rows, figures, counted, floor)
        found.append(Choice(str(group), str(method), draw, figures, kept))
    order = {method: place for place, method in enumerate(methods)}
    return sorted(found, key=lambda one: (one.people != RENDERED, *_place(one.people), order[one.method]))


def _best(rows: pd.DataFrame, figures: pd.DataFrame, counted: Sequence[str], floor: float) -> tuple[int, bool]:
    """The draw, and whether it keeps the person."""
    # Where the identity cannot be measured, as for what only recognises, nothing is held against a draw.
    keeps = figures["identity_auc"].fillna(1.0) >= floor
    if not keeps.any():
        return int(figures["identity_auc"].sort_index().idxmax()), False
    best = int(figures["figure"][keeps].sort_index().idxmax())
    gain = figures["figure"][best] - figures["figure"][AS_IT_IS]
    stays = keeps[AS_IT_IS] and not gain > difference_error(rows, best, counted)
    return AS_IT_IS if stays else best, True


def difference_error(scores: pd.DataFrame, draw: int, counted: Sequence[str]) -> float:
    """The standard error, over the people, of a draw's figure minus that of the settings as they stand; NaN where a
    set has one person only.

    People count alike here, whatever their number of images. What another training from the same settings would
    change is not in it.

    Args:
        scores: of one method, as `read_scores` returns them.
        draw: the draw.
        counted: the figures of which its own is the mean, each the mean over the sets that have it.
    """
    sets = {name: scores["people"][scores[name].notna()].nunique() for name in counted}
    shares = sum(scores[name].fillna(0.0) / sets[name] / len(counted) for name in counted if sets[name])
    by_draw = scores.assign(share=shares).set_index(["people", "subject", "draw"])["share"].unstack("draw")
    differences = (by_draw[draw] - by_draw[AS_IT_IS]).groupby("people")
    return float((differences.var(ddof=1) / differences.size()).sum(min_count=differences.ngroups) ** 0.5)


def _place(people: str) -> tuple[str, int]:
    dataset, fold = split_people(people)
    return dataset, fold or 0

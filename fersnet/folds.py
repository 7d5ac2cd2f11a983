"""Subject-wise folds: every subject is tested in exactly one of them."""

import csv
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fersnet.csv_files import read_csv
from fersnet.errors import UserError
from fersnet.settings.data import FoldsSettings

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: tuple[str, ...] = ("sequence_id", "subject", "expression", "fold")
"""Columns of `folds.csv`; `fold`, from 1, is the one in which the subject is tested."""


VALIDATION = "validation"
"""Column of the folds of trainings across datasets."""
FEWEST = 3
"""One subject tests, another validates, and somebody must be left to train on."""


@dataclass(frozen=True)
class Split:
    """Subjects of one fold. `test` shares none with the others; `validation` may lie inside `train`, see
    `split_subjects`."""

    train: frozenset[str]
    validation: frozenset[str]
    test: frozenset[str]


def read_fold_list(path: Path) -> dict[str, int]:
    """The fold of every subject that a list names: a CSV file with the columns `subject` and `fold`. Lines that begin
    with `#` are passed over.

    Raises:
        UserError: if it cannot be read, a subject has two folds, or the folds are not 1 to n with n of at least three.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        pairs = {(unicodedata.normalize("NFC", row["subject"].strip()), int(row["fold"])) for row in rows}
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError, AttributeError):
        raise UserError(f"{path}: not a CSV file with the columns subject and fold, whole numbers from 1") from None
    folds = dict(sorted(pairs))
    twice = next((subject for subject, fold in sorted(pairs) if folds[subject] != fold), None)
    if twice is not None:
        raise UserError(f"{path}: subject {twice} is in two folds; leave one")
    numbers = sorted(set(folds.values()))
    if len(numbers) < FEWEST or numbers != list(range(1, len(numbers) + 1)):
        raise UserError(f"{path}: its folds are {numbers}; they must be 1 to n, with n of at least {FEWEST}")
    return folds


def listed_folds(subjects: list[str], listed: Mapping[str, int]) -> dict[str, int]:
    """The fold of every subject by a list, which may name more people than there are.

    Raises:
        UserError: if it does not name a subject, or leaves a fold without one.
    """
    missing = sorted(set(subjects) - set(listed))
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise UserError(f"folds.lists: the list has no fold for {', '.join(missing[:5])}{more}; add them to it")
    empty = sorted(set(listed.values()) - {listed[subject] for subject in subjects})
    if empty:
        raise UserError(f"folds.lists: nobody of fold {empty[0]} is there; complete the data, or number the folds anew")
    return {subject: listed[subject] for subject in subjects}


def fold_of_subjects(subjects: list[str], settings: FoldsSettings) -> dict[str, int]:
    """The fold, from 1, of every subject.

    `strided` is `sorted(subjects)[k::n]`, the rule of the public CK+ lists; `blocks` cuts the sorted list into n
    blocks whose sizes differ by at most one; `leave_one_subject_out` gives each subject its own fold and does not
    look at `count`.

    Args:
        subjects: Labelled subjects; order and repetition do not matter.
        settings: Scheme and number of folds.

    Raises:
        UserError: if there are fewer subjects than folds, or fewer than two subjects.
    """
    ordered = sorted(set(subjects))
    if len(ordered) < 2:
        raise UserError(f"folds: {len(ordered)} labelled subject(s); subject-wise folds need at least two")
    if settings.scheme == "leave_one_subject_out":
        return {subject: fold for fold, subject in enumerate(ordered, start=1)}
    if settings.count > len(ordered):
        raise UserError(
            f"folds.count: {settings.count} folds but only {len(ordered)} labelled subjects; "
            f"set it to {len(ordered)} or less"
        )
    if settings.scheme == "strided":
        return {subject: place % settings.count + 1 for place, subject in enumerate(ordered)}
    blocks = np.array_split(np.arange(len(ordered)), settings.count)
    return {ordered[place]: fold for fold, block in enumerate(blocks, start=1) for place in block}


def assign_folds(
    sequences: "pd.DataFrame", settings: FoldsSettings, listed: Mapping[str, int] | None = None
) -> "pd.DataFrame":
    """The folds of all sequences, sorted by `sequence_id`.

    Args:
        sequences: Labelled sequences with `sequence_id`, `subject` and `expression`.
        settings: Scheme and number of folds.
        listed: The fold of every subject, where a list gives it; see `read_fold_list`.

    Returns:
        Data frame with `COLUMNS`.

    Raises:
        UserError: see `fold_of_subjects`, `listed_folds` and `check_folds`.
    """
    subjects = [str(subject) for subject in sequences["subject"]]
    fold = listed_folds(subjects, listed) if listed else fold_of_subjects(subjects, settings)
    table = sequences[["sequence_id", "subject", "expression"]].astype(str)
    table = table.sort_values("sequence_id", kind="stable", ignore_index=True)
    table["fold"] = [fold[subject] for subject in table["subject"]]
    check_folds(table)
    return table


def check_folds(folds: "pd.DataFrame", planned: int | None = None) -> None:
    """Check that the folds are subject-disjoint and complete.

    Args:
        folds: Table with `COLUMNS`.
        planned: Number of folds that the run trains.

    Raises:
        UserError: if a column is missing, a value is empty, a sequence occurs twice, a subject lies in more than one
            fold, the fold numbers are not 1 to n with n of at least 2, or other folds are there than planned.
    """
    missing = [name for name in COLUMNS if name not in folds.columns]
    if missing:
        raise UserError(f"folds.csv: no column {missing[0]}; run the folds stage again")
    for name in COLUMNS:
        empty = folds[name].isna() | (folds[name].astype(str).str.strip() == "")
        if empty.any():
            raise UserError(f"folds.csv: empty {name} in row {int(np.flatnonzero(empty)[0]) + 1}; build it anew")
    twice = folds["sequence_id"][folds["sequence_id"].duplicated()]
    if len(twice):
        raise UserError(f"folds.csv: sequence {twice.iloc[0]} occurs twice; run the folds stage again")
    spread = folds.groupby("subject")["fold"].nunique()
    if (spread > 1).any():
        subject = spread.index[spread > 1][0]
        raise UserError(f"folds.csv: subject {subject} lies in {spread[subject]} folds; run the folds stage again")
    numbers = sorted(set(folds["fold"].tolist()))
    if len(numbers) < 2 or numbers != list(range(1, len(numbers) + 1)):
        raise UserError(f"folds.csv: folds {numbers} are not 1 to n; run the folds stage again")
    if planned is not None and len(numbers) != planned:
        raise UserError(f"folds.csv: {len(numbers)} folds, {planned} were planned; the data have changed: run again")


def split_subjects(folds: "pd.DataFrame", fold: int, hold_out_validation: bool) -> Split:
    """Training, validation and test subjects of a fold.

    The validation subjects of fold k are those tested in fold k + 1, cyclically; across datasets, where that would be a
    whole set, those of the other sets whom the column `validation` names.

    Args:
        folds: Table with `COLUMNS`.
        fold: Test fold, from 1.
        hold_out_validation: Whether the validation subjects leave the training set. Where they stay, `validation`
            still names them, and a figure measured on them says nothing about new subjects.

    Raises:
        UserError: if there is no such fold, or no training subject is left.
    """
    count = int(folds["fold"].max())
    if not 1 <= fold <= count:
        raise UserError(f"fold {fold}: there are folds 1 to {count}")
    following = folds[VALIDATION] if VALIDATION in folds else folds["fold"] == fold % count + 1
    test = frozenset(folds["subject"][folds["fold"] == fold])
    validation = frozenset(folds["subject"][following]) - test
    train = frozenset(folds["subject"]) - test - (validation if hold_out_validation else frozenset())
    if not train:
        raise UserError(f"folds.count: {count} folds leave no training subject beside validation; use at least 3")
    return Split(train, validation, test)


def folds_across(folds: Mapping[str, "pd.DataFrame"], readers: Mapping[str, str]) -> "pd.DataFrame":
    """The folds of trainings across datasets: one for each set, in which all of its subjects are tested.

    Of the sets that are trained on, those of the first subject-wise fold of each validate; a column `validation` says
    who that is, see `split_subjects`.

    Args:
        folds: By dataset, its subject-wise folds, in the order of the result's.
        readers: By dataset, what has read it: in two sets of one kind, subjects of one name are one person.

    Returns:
        Data frame with `COLUMNS` and `validation`; sequences and subjects are named `<dataset>/<name>`.

    Raises:
        UserError: if a set has no sequence, or a person is in two sets.
    """
    import pandas as pd

    parts, homes = [], {}
    for number, (dataset, table) in enumerate(folds.items(), start=1):
        if table.empty:
            raise UserError(f"cross: {dataset} has no sequence of the expressions that all sets share; leave it out")
        for subject in dict.fromkeys(table["subject"]):
            home = homes.setdefault((readers[dataset], subject), dataset)
            if home != dataset:
                raise UserError(
                    f"cross: subject {subject} is in {home} and in {dataset}, so that one would be trained on and "
                    "tested; give other people other names, leave one of the sets out, or set cross to false"
                )
        named = {column: f"{dataset}/" + table[column] for column in ("sequence_id", "subject")}
        parts.append(table.assign(**named, fold=number, validation=table["fold"] == 1))
    return pd.concat(parts, ignore_index=True)[[*COLUMNS, VALIDATION]]


def fold_groups(rule: str, folds: Mapping[str, tuple[int, ...]]) -> list[tuple[str, tuple[int, ...], tuple[str, ...]]]:
    """How often a rule is needed whose job does several folds of a dataset: it has as many outputs as there are folds.

    Args:
        rule: its name.
        folds: those of each dataset; equal numbers of them are the same ones, and a dataset without any is left out.

    Returns:
        For all that is different the rule's name (its own where all datasets have the same folds), the folds, and the
        datasets that have them.
    """
    different = dict.fromkeys(filter(None, folds.values()))
    return [
        (
            rule if len(different) == 1 else f"{rule}_{len(some)}_folds",
            some,
            tuple(dataset for dataset, own in folds.items() if own == some),
        )
        for some in different
    ]


def judged_subjects(folds: "pd.DataFrame", chosen: Collection[int] | None) -> set[str]:
    """The test subjects of the folds in which synthesis systems are judged; None stands for all folds."""
    return set(folds["subject"] if chosen is None else folds["subject"][folds["fold"].isin(list(chosen))])


def check_chosen(dataset: str, chosen: Sequence[str], subjects: Collection[str]) -> None:
    """Check that the subjects that are to be shown are among those who can be.

    Raises:
        UserError: naming the key and some who can.
    """
    missing = [subject for subject in chosen if subject not in subjects]
    if missing:
        raise UserError(
            f"report.chosen_subjects.{dataset}: {missing[0]!r} is no test subject that may be shown; "
            f"choose among {', '.join(sorted(subjects)[:8]) or 'none'}"
        )


def write_folds(folds: "pd.DataFrame", path: Path) -> None:
    """Write `folds.csv`."""
    columns = [*COLUMNS, VALIDATION] if VALIDATION in folds else [*COLUMNS]
    folds.loc[:, columns].to_csv(path, index=False, lineterminator="\n")


def read_folds(path: Path) -> "pd.DataFrame":
    """Read and check `folds.csv`; subjects such as `005` stay text.

    Raises:
        UserError: if it is missing, not such a table, or fails `check_folds`.
    """
    try:
        folds = read_csv(path)
        folds["fold"] = folds["fold"].astype(int)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run the folds stage first") from None
    except (KeyError, ValueError) as error:
        raise UserError(f"{path}: not a table of folds ({error}); run the folds stage again") from None
    check_folds(folds)
    return folds

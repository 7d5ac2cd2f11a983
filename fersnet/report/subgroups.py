"""Accuracy by sex, age and ethnicity, where a dataset says so of its people."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fersnet.report.description import RunDescription
from fersnet.report.rows import PLACE, SCORE, Row, frame_of, place_of, score_columns
from fersnet.report.statistics import clustered_bootstrap, sequence_predictions
from fersnet.report.table import Column, Table, columns
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

ATTRIBUTES = ("sex", "age", "ethnicity")
"""Columns of an index that tell of the people."""
AGE_GROUPS = {0: "under 18", 18: "18 to 29", 30: "30 to 44", 45: "45 to 59", 60: "60 and over"}
"""Names of the age groups by their first year."""
NOT_STATED = "not stated"
FEW_PEOPLE = 10
"""Groups of fewer people say little, and are named as such."""


def group_order(attribute: str, values: pd.Series) -> tuple[str, ...]:
    """The groups that occur, in the order in which they are printed."""
    order = list(AGE_GROUPS.values()) if attribute == "age" else sorted(set(values) - {NOT_STATED})
    return tuple(group for group in (*order, NOT_STATED) if group in set(values))


def people_groups(index: pd.DataFrame) -> dict[str, pd.Series]:
    """By attribute, the group of each sequence's person; an attribute that is stated of nobody is left out.

    Args:
        index: Rows of `index.parquet`.
    """
    found = {}
    for attribute in ATTRIBUTES:
        if attribute not in index:
            continue
        values = index[attribute]
        if attribute == "age":
            years = pd.to_numeric(values, errors="coerce").astype(float)
            bounds = [*AGE_GROUPS, float("inf")]
            groups = pd.cut(years, bounds, right=False, labels=list(AGE_GROUPS.values())).astype(object)
        else:
            text = values.astype(object).where(values.notna(), "").astype(str).str.strip()
            groups = text.where(text != "")
        if groups.notna().any():
            found[attribute] = pd.Series(groups.fillna(NOT_STATED).to_numpy(), index=index["sequence_id"].astype(str))
    return found


def subgroups_table(
    predictions: pd.DataFrame,
    indexes: Mapping[str, pd.DataFrame],
    description: RunDescription,
    settings: ReportSettings,
    methods: Sequence[str],
) -> Table:
    """Sequence accuracy of every method for each group of people; without rows where no index tells of them.

    Args:
        predictions: As `read_predictions` returns them.
        indexes: By dataset, the rows of `index.parquet`.
        methods: Keys in the order of the rows; those without predictions are left out.
    """
    rows: list[Row] = []
    for dataset, index in indexes.items():
        groups = people_groups(index)
        here = predictions[predictions["dataset"] == dataset]
        for method in methods:
            tested = here[here["method"] == method].dropna(axis=1, how="all")
            if groups and len(tested):
                rows += _rows(dataset, method, sequence_predictions(tested), groups, description, settings)
    own = ("attribute", "group", "reported", *SCORE, "n_sequences", "n_subjects", "repeats")
    frame = frame_of(rows, [*PLACE, *own], description)
    told = [dataset for dataset in indexes if dataset in set(frame["dataset"])]
    return Table(
        "subgroups",
        frame,
        "Recognition accuracy (%) by groups of people",
        description.words(told or indexes, f"n = {_tested(frame)} sequences"),
        (
            f"`accuracy` is the sequence accuracy pooled over folds with a {100 * settings.confidence:g} % bootstrap "
            "interval over subjects, `n people` the subjects behind it. Sex, age and ethnicity are what the dataset "
            f"says of its people. A group of fewer than {FEW_PEOPLE} people says little, and no interval is corrected "
            "for the number of groups.",
            *_widest_gaps(frame, description),
        )
        if rows
        else ("No dataset of this run says sex, age or ethnicity of its people.",),
        columns=(
            *columns("dataset_name", "name"),
            Column("attribute", "By", "text"),
            Column("group", "Group", "text"),
            *columns(*SCORE, "n_sequences"),
            Column("n_subjects", "n people"),
        ),
        group="dataset",
    )


def _rows(
    dataset: str,
    method: str,
    sequences: pd.DataFrame,
    groups: Mapping[str, pd.Series],
    description: RunDescription,
    settings: ReportSettings,
) -> list[Row]:
    rows = []
    for attribute, by_sequence in groups.items():
        belongs = sequences["sequence_id"].astype(str).map(by_sequence)
        for group in group_order(attribute, belongs):
            chosen = sequences[belongs == group]
            correct, subjects = chosen["correct"].to_numpy(), chosen["subject"].to_numpy()
            seed = derive_seed(description.seed, "bootstrap", "subgroups", dataset, method, attribute, group)
            options = (settings.bootstrap_samples, settings.confidence, seed)
            row = place_of(method, dataset, description) | {"attribute": attribute, "group": group}
            row |= score_columns(float(correct.mean()), clustered_bootstrap(correct, subjects, *options))
            row |= {"n_sequences": chosen["sequence_id"].nunique(), "n_subjects": chosen["subject"].nunique()}
            rows.append(row | {"repeats": sequences["repeat"].nunique()})
    return rows


def _tested(frame: pd.DataFrame) -> int:
    """Sequences behind the table, each counted once."""
    sums = frame.groupby(["dataset", "method", "attribute"])["n_sequences"].sum()
    return int(sums.groupby("dataset").max().sum()) if len(sums) else 0


def _widest_gaps(frame: pd.DataFrame, description: RunDescription) -> list[str]:
    """A line for each dataset: between which groups the accuracy of one method differs most."""
    stated = frame[(frame["group"] != NOT_STATED) & (frame["n_subjects"] >= FEW_PEOPLE)]
    lines = []
    for dataset, here in stated.groupby("dataset", sort=False):
        sides = here.groupby(["method", "attribute"], sort=False)["accuracy"].agg(["idxmin", "idxmax"])
        gaps = [(here.loc[high], here.loc[low]) for low, high in sides.itertuples(index=False) if low != high]
        if not gaps:
            continue
        high, low = max(gaps, key=lambda pair: pair[0]["accuracy"] - pair[1]["accuracy"])
        apart = "do not overlap" if high["ci_low"] > low["ci_high"] else "overlap"
        lines.append(
            f"Widest gap on {description.name_of(str(dataset))} between groups of at least {FEW_PEOPLE} people: "
            f"{high['name']} by {high['attribute']}, {high['accuracy']:.1f} % ({high['group']}, n = "
            f"{high['n_sequences']}) against {low['accuracy']:.1f} % ({low['group']}, n = {low['n_sequences']}); the "
            f"intervals {apart}."
        )
    return lines

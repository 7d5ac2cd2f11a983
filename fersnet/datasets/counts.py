"""Sequences per expression: what was found beside what was published."""

from pathlib import Path
from typing import TYPE_CHECKING

from fersnet.datasets.sequences import labelled
from fersnet.errors import UserError
from fersnet.expressions import SEVEN, VOCABULARY
from fersnet.project import CONFIG

if TYPE_CHECKING:
    from pandas import DataFrame

    from fersnet.datasets.sequences import SequenceIndex

PUBLISHED = CONFIG / "sequence_counts.csv"
"""The counts in the paper."""


def count_table(sequences: "DataFrame") -> "DataFrame":
    """One row: a column of int per expression of the vocabulary, `total`, and `subjects`."""
    from pandas import DataFrame

    found = sequences["expression"].value_counts()
    row = {expression: int(found.get(expression, 0)) for expression in VOCABULARY}
    return DataFrame([row | {"total": len(sequences), "subjects": int(sequences["subject"].nunique())}])


def compare_counts(sequences: "DataFrame", dataset: str, published: Path) -> "DataFrame":
    """What was found beside what was published: `expression` (and `total`), `found`, `published`, `difference`.

    Args:
        sequences: the labelled ones of the index.
        dataset: key of the dataset.
        published: CSV with the columns `dataset`, the expressions and `total`; an empty cell means that the dataset
            has no such class.

    Returns:
        A row per published figure; no rows for a dataset without published figures.

    Raises:
        UserError: if the CSV cannot be read or lacks a column.
    """
    from pandas import DataFrame, read_csv

    try:
        table = read_csv(published).set_index("dataset")
        figures = table.loc[dataset, [*SEVEN, "total"]].dropna() if dataset in table.index else {}
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{published}: not a table of published counts ({error}); restore it") from error
    found = count_table(sequences).iloc[0]
    rows = [(name, int(found[name]), int(value), int(found[name]) - int(value)) for name, value in figures.items()]
    return DataFrame(rows, columns=["expression", "found", "published", "difference"])


def describe_index(index: "SequenceIndex", dataset: str, comparison: "DataFrame") -> list[str]:
    """The lines that a run prints: what was found, every difference from the published counts, what was left out."""
    sequences = labelled(index.sequences)
    neutral = len(index.sequences) - len(sequences)
    lines = [f"{dataset}: {len(sequences)} labelled sequences of {sequences['subject'].nunique()} subjects"]
    lines += [
        f"{dataset}: {row.expression} {row.found}, published {row.published} ({row.difference:+d})"
        for row in comparison[comparison["difference"] != 0].itertuples()
    ]
    lines += [f"{dataset}: {neutral} neutral sequences, which are no class here, give neutral faces"] * bool(neutral)
    if "apex_rule" in sequences:
        rules = sequences["apex_rule"].value_counts().sort_index()
        lines += [f"{dataset}: peak found by the rule {rule} in {count} clips" for rule, count in rules.items()]
    return lines + [f"{dataset}: left out: {line}" for line in commonest_reasons(index.rejected)]


def commonest_reasons(rejected: "DataFrame", count: int = 10) -> list[str]:
    """The commonest reasons in a table of rejections, as "3 x reason", most frequent first, ties in alphabetical order.

    What stands behind a semicolon is detail and cut off, so that like meets like.
    """
    heads = rejected["reason"].str.split("; ").str[0]
    found = heads.value_counts().rename_axis("reason").reset_index(name="n")
    found = found.sort_values(["n", "reason"], ascending=[False, True]).head(count)
    return [f"{row.n} x {row.reason}" for row in found.itertuples()]

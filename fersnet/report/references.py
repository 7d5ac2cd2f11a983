"""The works behind the rows of a table: a column with their keys, and the list of them."""

from collections.abc import Mapping
from dataclasses import replace

from fersnet.methods.bibtex import bibtex_file
from fersnet.methods.cited_work import Work, plain_citation
from fersnet.report.table import COLUMNS, Table

REFERENCE = "reference"
BIBTEX = "references.bib"
"""File beside the tables that has the entries of their keys."""
_NAMES = ("name", "claim")
"""Printed columns after which the references stand."""


def referring_columns(table: Table) -> tuple[str, ...]:
    """The columns whose keys a row's references belong to: its methods, or its dataset where it is about no method."""
    return ("method", "better_than") if (table.frame["method"] != "").any() else ("dataset",)


def cited(table: Table, works: Mapping[str, Work]) -> Table:
    """A table with a column `reference`, and with the list of the works that it names.

    Args:
        works: By key of a method or dataset.
    """
    columns = [column for column in referring_columns(table) if table.has(column)]
    rows = [
        list(dict.fromkeys(works[key] for column in columns if (key := str(row[column])) in works))
        for row in table.frame.to_dict("records")
    ]
    keys = [list(dict.fromkeys(work.key for work in row)) for row in rows]
    by_key = {work.key: plain_citation(work.reference) for row in rows for work in row}
    place = next(at for at, column in enumerate(table.columns, start=1) if column.key in _NAMES)
    return replace(
        table,
        frame=table.frame.assign(**{REFERENCE: [", ".join(row) for row in keys]}),
        columns=(*table.columns[:place], COLUMNS[REFERENCE], *table.columns[place:]),
        references={key: by_key[key] for key in sorted(by_key)},
    )


def to_bibtex(works: Mapping[str, Work]) -> str:
    """The file of all works, each once."""
    return bibtex_file({work.key: work.reference for work in works.values()})

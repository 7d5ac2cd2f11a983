"""Pages: one file each that loads nothing from outside, with tables that sort, filter and fold."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from fersnet.report.layout import group_column, interval_ends, interval_words, is_needed
from fersnet.report.references import REFERENCE, referring_columns
from fersnet.report.table import Column, Table

_NAMES = ("name", "claim")
"""Columns that carry the references of their row."""


@dataclass(frozen=True)
class ShownColumn:
    """A column as a page shows it."""

    key: str
    heading: str
    kind: str
    """`quoted` or `re-run` below the heading, where a table has both."""
    kind_class: str
    classes: str


@dataclass(frozen=True)
class ShownCell:
    """A cell as a page shows it."""

    text: str
    bold: bool
    interval: str
    value: str
    """What the column is sorted by; empty where there is nothing."""


@dataclass(frozen=True)
class ShownRow:
    """A row as a page shows it."""

    kind: str
    """`row`, or `reference` for what is no competitor, such as a ceiling."""
    cells: list[ShownCell]
    references: list[tuple[int, str]]
    """Numbers and keys of the works behind the row."""


@dataclass(frozen=True)
class ShownGroup:
    """Rows that stay together."""

    heading: str
    rows: list[ShownRow]


@dataclass(frozen=True)
class ShownTable:
    """A table as a page shows it."""

    key: str
    caption: str
    provenance: str
    notes: tuple[str, ...]
    columns: list[ShownColumn]
    groups: list[ShownGroup]


def shown_table(table: Table, references: Mapping[str, tuple[int, str]]) -> ShownTable:
    """A table for a page.

    Args:
        references: By method or dataset key, the number and the key of its work in the page's list.
    """
    ends, grouped = interval_ends(table), group_column(table)
    # The names carry the numbers of their references.
    kept = [column for column in table.columns if column.key not in {*ends, grouped, REFERENCE}]
    both_kinds = len({column.quoted for column in kept if column.is_number}) > 1
    columns = [_shown_column(column, both_kinds, is_needed(table, column)) for column in kept]
    printed = {column.key: place for place, column in enumerate(table.columns)}
    groups: dict[str, ShownGroup] = {}
    referring = referring_columns(table)
    for row, cells in zip(table.frame.to_dict("records"), table.cells(), strict=True):
        heading = str(row[grouped]) if grouped else ""
        shown = [
            ShownCell(
                cells[printed[column.key]].text,
                cells[printed[column.key]].bold,
                interval_words(row, column, ends).strip(),
                "" if pd.isna(row[column.key]) else str(row[column.key]),
            )
            for column in kept
        ]
        works = [references[str(row[key])] for key in referring if str(row.get(key)) in references]
        kind = "reference" if row["method"] in table.unranked else "row"
        numbers = list(dict.fromkeys(works))
        groups.setdefault(heading, ShownGroup(heading, [])).rows.append(ShownRow(kind, shown, numbers))
    return ShownTable(table.key, table.caption, table.provenance, table.notes, columns, list(groups.values()))


def render(template: str, *, styles: tuple[str, ...] = ("page.css",), program: str = "page.js", **values: Any) -> str:
    """A page from one of the templates of this folder, with its style sheets and its script."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("fersnet.report.page", ".")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = (
        "".join(loader.get_source(environment, name)[0] for name in names) for names in (styles, [program])
    )
    own = {"style": style, "script": script}
    own |= {"style_hash": _content_hash(style), "script_hash": _content_hash(script)}
    return environment.get_template(template).render(**own, **values, ticked=ticked, carries_references=_NAMES)


def ticked(text: str) -> list[tuple[bool, str]]:
    """A note in parts: (is it back-ticked, text)."""
    return [(index % 2 == 1, part) for index, part in enumerate(text.split("`")) if part]


def part_of(table: Table, chosen: Iterable[bool]) -> Table:
    """Some of a table's rows."""
    return replace(table, frame=table.frame[list(chosen)].reset_index(drop=True))


def _shown_column(column: Column, both_kinds: bool, first: bool) -> ShownColumn:
    classes = ["number" if column.is_number else "words", *(["quoted"] if column.quoted else [])]
    kind = ("quoted" if column.quoted else "re-run") if both_kinds and column.is_number else ""
    kind = "quoted" if column.quoted and both_kinds else kind
    return ShownColumn(
        column.key,
        column.heading,
        kind,
        "quoted" if column.quoted else "own",
        " ".join([*classes, *([] if first else ["later"])]),
    )


def _content_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

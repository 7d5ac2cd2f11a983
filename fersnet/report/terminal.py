"""The end of a run on the terminal: tables of at most a hundred columns, the claims, and where the report is."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fersnet.report.claims import CONTRADICTED, HOLDS, NOT_RUN, OPEN, VERDICTS
from fersnet.report.layout import interval_ends, interval_words, is_needed
from fersnet.report.table import Table, read_json
from fersnet.settings.tree import CROSS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Printed

WIDEST = 100
_STYLES = {HOLDS: "green", OPEN: "yellow", CONTRADICTED: "red"}


def print_results(results: Path) -> None:
    """Print the ablation, accuracies across datasets, what is read in synthetic faces, and the claims; link the report.

    Raises:
        UserError: if a file is missing or no such table.
    """
    folder = results / "tables"
    across = [CROSS] if (folder / f"{CROSS}.json").is_file() else []
    tables = {name: read_json(folder / f"{name}.json") for name in ("ablation", *across, "synthesis", "claims")}
    console = results_console()
    for name in ("ablation", *across, "synthesis"):
        print_accuracies(tables[name], console)
    print_claims(tables["claims"], console)
    print_link("Report", results / "report.html", console)


def results_console() -> "Console":
    """The standard output, as wide as the terminal but never wider than a hundred columns."""
    from rich.console import Console

    found = Console()
    return Console(width=min(found.width, WIDEST) if found.is_terminal else WIDEST, highlight=False)


def print_accuracies(table: Table, console: "Console") -> None:
    """A table of accuracies: name, the paper's figure, ours in its unit where that is another, ours with its interval.

    References stand apart.
    """
    printed = _new_table(table)
    printed.add_column("")
    printed.add_column("Paper", justify="right", style="yellow", no_wrap=True)
    in_unit = table.has("accuracy_in_unit")
    if in_unit:
        units = {str(unit).split(" (")[0] for unit in table.frame["unit"].dropna()}
        printed.add_column(f"Here, by {units.pop()[:-1]}" if len(units) == 1 else "Here, its unit", justify="right")
    printed.add_column("Here, by sequence" if in_unit else "Here", justify="right", no_wrap=True)
    for dataset, rows in table.frame.groupby("dataset_name", sort=False):
        printed.add_row(f"[bold]{_escaped(dataset)}[/bold]")
        competing = ~rows["method"].isin(table.unranked)
        for kind, style in ((competing, ""), (~competing, "dim italic")):
            for row in rows[kind].to_dict("records"):
                figures = [row["reported"], *([row["accuracy_in_unit"]] if in_unit else [])]
                name = f"  {_escaped(row['name'])}"
                printed.add_row(name, *map(_figure, figures), _with_interval(row), style=style)
        printed.add_section()
    console.print(printed)


def print_claims(table: Table, console: "Console") -> None:
    """The claims that were tried, each with the data it was tried on and its verdict, and how many were not."""
    tried = table.frame[table.frame["verdict"] != NOT_RUN]
    kinds = {"embedded": "rendered", "real": "real"}
    same = tried["data"].nunique() == 1
    printed = _new_table(table)
    printed.add_column("Claim")
    printed.add_column(
        f"On {kinds[tried['data'].iloc[0]]} faces" if same else "On faces",
        min_width=10,
        max_width=20 if not same else 11,
    )
    printed.add_column("Paper", justify="right", style="yellow", no_wrap=True)
    printed.add_column("Here", justify="right", no_wrap=True)
    printed.add_column("Verdict", no_wrap=True)
    printed.add_column("Seen from", justify="right", max_width=5)
    for _, rows in tried.groupby("statement", sort=False):
        for row in rows.to_dict("records"):
            ends = f" ({row['difference_low']:+.1f} to {row['difference_high']:+.1f})"
            printed.add_row(
                _escaped(_short_claim(row["name"], row["better_than_name"])),
                _escaped(row["dataset_name"]) + ("" if same else f", {kinds[row['data']]}"),
                f"{row['reported_difference']:+.2f}",
                f"{row['difference']:+.1f}{'' if pd.isna(row['difference_low']) else ends}",
                f"[{_STYLES[row['verdict']]}]{row['verdict']}[/]",
                "" if pd.isna(row["visible"]) else f"{row['visible']:.1f}",
            )
        printed.add_section()
    if len(tried):
        console.print(printed)
    counts = table.frame["verdict"].value_counts()
    said = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS)
    console.print(f"Claims of the paper: {said}.\n", soft_wrap=True)


def print_comparison(tables: Iterable[Table], console: "Console") -> None:
    """Tables of compared runs: accuracies with differences, settings that differ, time and memory."""
    for table in tables:
        ends = interval_ends(table)
        hidden = {*ends, table.group}
        shown = [column for column in table.columns if is_needed(table, column) and column.key not in hidden]
        printed = _new_table(table)
        for column in shown:
            justify: Any = "right" if column.is_number else "left"
            printed.add_column(_escaped(column.heading), justify=justify, no_wrap=column.is_number)
        groups = table.frame.groupby(table.group, sort=False) if table.group else [("", table.frame)]
        for heading, rows in groups:
            if heading:
                printed.add_row(f"[bold]{_escaped(heading)}[/bold]")
            for row in rows.to_dict("records"):
                cells = [column.text_of(row[column.key]) + interval_words(row, column, ends) for column in shown]
                printed.add_row(*map(_escaped, cells))
            printed.add_section()
        console.print(printed)


def print_link(name: str, path: Path, console: "Console") -> None:
    """A file's path, which terminals that know links open at a click."""
    from rich.style import Style
    from rich.text import Text

    path = path.resolve()
    missing = "" if path.is_file() else " (not made yet)"
    link = Text(str(path), style=Style(link=path.as_uri()))
    console.print(Text.assemble(f"{name}: ", link, missing), soft_wrap=True)


def _new_table(table: Table) -> "Printed":
    from rich import box
    from rich.table import Table as Printed

    texts: dict[str, Any] = {"title": _escaped(table.caption), "caption": _escaped(table.provenance)}
    return Printed(
        **texts, title_justify="left", caption_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )


def _short_claim(better: str, other: str) -> str:
    """`FERSNet w/o ConvFLU > w/o MTL`: the first word of both stands once."""
    first, _, rest = other.partition(" ")
    return f"{better} > {rest}" if rest and better.split()[0] == first else f"{better} > {other}"


def _escaped(text: object) -> str:
    from rich.markup import escape

    return escape(str(text))


def _figure(value: object) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"


def _with_interval(row: dict[Any, Any]) -> str:
    """An accuracy with half the width of its interval."""
    if pd.isna(row["accuracy"]):
        return "not run"
    if pd.isna(row["ci_low"]):
        return f"{row['accuracy']:.2f}"
    return f"{row['accuracy']:.2f} ± {(row['ci_high'] - row['ci_low']) / 2:5.2f}"

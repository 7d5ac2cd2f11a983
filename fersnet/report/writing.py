"""The forms in which a table is written: all of it as JSON and csv, and its print as Markdown and, shorter, LaTeX."""

from collections.abc import Iterable
from itertools import compress
from pathlib import Path

from fersnet.report.layout import group_column, interval_ends, interval_words, is_needed
from fersnet.report.references import BIBTEX, REFERENCE
from fersnet.report.table import Cell, Column, Table, to_json

_MARKDOWN = "\\|*_<>`"
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def write_table(table: Table, folder: Path) -> tuple[Path, ...]:
    """Write `folder/<key>.csv`, `.json`, `.md` and `.tex`, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    forms = {"csv": to_csv, "json": to_json, "md": to_markdown, "tex": to_latex}
    for suffix, form in forms.items():
        (folder / f"{table.key}.{suffix}").write_text(form(table), encoding="utf-8", newline="\n")
    return tuple(folder / f"{table.key}.{suffix}" for suffix in forms)


def to_csv(table: Table) -> str:
    """All columns as csv; floats in the shortest form that reads back the same."""
    return table.frame.to_csv(index=False, lineterminator="\n")


def escape_markdown(text: str) -> str:
    """Text that stays in its cell of a Markdown table and has no meaning there."""
    return "".join("\\" + character if character in _MARKDOWN else character for character in " ".join(text.split()))


def to_markdown(table: Table) -> str:
    """The printed columns under the caption, with provenance, notes and references below."""
    lines = [f"**{escape_markdown(table.caption)}**", ""]
    lines.append(_row(escape_markdown(column.heading) for column in table.columns))
    lines.append(_row("---:" if column.is_number else ":---" for column in table.columns))
    for row in table.cells():
        texts = [(escape_markdown(cell.text), cell.bold) for cell in row]
        lines.append(_row(f"**{text}**" if bold else text for text, bold in texts))
    lines += ["", escape_markdown(table.provenance), ""]
    # Notes are written for people: their back-ticked column names are meant as such.
    lines += [line for note in table.notes for line in (note, "")]
    if table.references:
        works = (f"- {escape_markdown(key)}: {escape_markdown(text)}" for key, text in table.references.items())
        lines += ["References:", "", *works, ""]
    return "\n".join(lines)


def escape_latex(text: str) -> str:
    """Text in which no character has a meaning to LaTeX."""
    return "".join(_LATEX.get(character, character) for character in text)


def to_latex(table: Table) -> str:
    """The columns that a reader needs first as a LaTeX table (packages booktabs and graphicx), with caption and notes.

    It cites by the keys of `references.bib`, which is written beside the tables.
    """
    notes = [escape_latex(note.replace("`", "")) for note in table.notes]
    ends, grouped = interval_ends(table), group_column(table)
    needed = [column.key == REFERENCE or is_needed(table, column) for column in table.columns]
    shown = [first and column.key not in {*ends, grouped} for first, column in zip(needed, table.columns, strict=True)]
    columns = list(compress(table.columns, shown))
    lines = [
        r"\begin{table}[t]",
        r"  \centering",
        rf"  \caption{{{escape_latex(table.caption)}. {escape_latex(table.provenance)}}}",
        rf"  \label{{tab:{table.key}}}",
        r"  \resizebox{\linewidth}{!}{%",
        rf"  \begin{{tabular}}{{{''.join('r' if column.is_number else 'l' for column in columns)}}}",
        r"    \toprule",
        "    " + " & ".join(escape_latex(column.heading) for column in columns) + r" \\",
    ]
    heading = None
    for row, cells in zip(table.frame.to_dict("records"), table.cells(), strict=True):
        if heading != (heading := str(row[grouped]) if grouped else ""):
            lines.append(r"    \midrule")
            if heading:
                lines.append(rf"    \multicolumn{{{len(columns)}}}{{l}}{{\textit{{{escape_latex(heading)}}}}} \\")
        texts = [
            _latex_cell(column, cell, interval_words(row, column, ends))
            for column, cell in zip(columns, compress(cells, shown), strict=True)
        ]
        lines.append("    " + " & ".join(texts) + r" \\")
    lines += [r"    \bottomrule", r"  \end{tabular}}"]
    lines += [f"  % The keys are those of {BIBTEX}."] if table.references else []
    lines += [rf"  \par\smallskip{{\footnotesize\raggedright {' '.join(notes)}\par}}", r"\end{table}", ""]
    return "\n".join(lines)


def _latex_cell(column: Column, cell: Cell, interval: str) -> str:
    if column.key == REFERENCE:
        return rf"\cite{{{cell.text.replace(' ', '')}}}" if cell.text else ""
    text = escape_latex(cell.text)
    return (rf"\textbf{{{text}}}" if cell.bold else text) + interval


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"

"""What a table is, and its forms as csv and LaTeX."""

from dataclasses import dataclass

import pandas as pd

from fersnet.expressions import ABBREVIATIONS

HEADINGS: dict[str, str] = {
    **ABBREVIATIONS,
    "name": "Method",
    "dataset_name": "Dataset",
    "rule": "Epoch selection",
    "pretrained": "Pre-trained",
    "rerun_pretrained": "Pre-trained (re-run)",
    "setting": "Setting",
    "reported": "Reported",
    "accuracy": "Accuracy",
    "ci_low": "CI low",
    "ci_high": "CI high",
    "frame_accuracy": "Frame accuracy",
    "uar": "UAR",
    "macro_f1": "Macro F1",
    "mcnemar_p": "p (McNemar)",
    "core_hours": "Core-hours",
    "gpu_hours": "GPU-hours",
    "n_sequences": "n sequences",
    "n_images": "n images",
    "n_subjects": "n subjects",
    "total": "Total",
    "subjects": "Subjects",
    "published_total": "Published total",
    "difference": "Difference",
    "ssim": "SSIM",
    "psnr": "PSNR (dB)",
    "identity_cosine": "Identity cosine",
    "identity_auc": "Identity AUC",
    "kid_fer": "KID (FER features)",
    "epoch": "Epoch (median)",
    "optimism": "Optimism",
    "optimism_low": "Optimism low",
    "optimism_high": "Optimism high",
}
"""Printed column heads."""

_DECIMALS: dict[str, int] = {
    "mcnemar_p": 3,
    "ssim": 3,
    "identity_cosine": 3,
    "identity_auc": 3,
    "kid_fer": 4,
    "core_hours": 3,
    "gpu_hours": 3,
    "epoch": 0,
}
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


@dataclass(frozen=True)
class Table:
    """A table: its data, and what is printed of them."""

    key: str
    """File name without suffix."""
    frame: pd.DataFrame
    """All columns; the csv file has every one of them."""
    caption: str
    provenance: str
    """The line that states run, data, n, selection rule and folds."""
    notes: tuple[str, ...]
    display: tuple[str, ...]
    """Columns that Markdown, LaTeX and the report page print."""
    best: tuple[str, ...] = ()
    """Columns whose highest figure is printed bold."""
    group: str | None = None
    """Column within whose groups the best figure is sought."""
    unranked: tuple[str, ...] = ()
    """Methods that never count as the best, such as a ceiling."""

    def cells(self) -> list[list[str]]:
        """The printed cells as plain text, row by row; an empty cell is an empty text."""
        columns = [(column, self.frame[column]) for column in self.display]
        return [[format_cell(values.iloc[row], column) for column, values in columns] for row in range(len(self.frame))]

    def bold(self) -> set[tuple[int, int]]:
        """Positions (row, column) of the cells with the best figures."""
        groups = self.frame[self.group] if self.group else pd.Series("", index=self.frame.index)
        competing = ~self.frame["method"].isin(self.unranked)
        found = set()
        for column in self.best:
            values = pd.to_numeric(self.frame[column]).where(competing)
            highest = values == values.groupby(groups).transform("max")
            found |= {(row, self.display.index(column)) for row in highest.to_numpy().nonzero()[0].tolist()}
        return found

    def headings(self) -> list[str]:
        """The printed column heads."""
        return [HEADINGS.get(column, column) for column in self.display]


def format_cell(value: object, column: str) -> str:
    """A cell as text: two decimals for percent, three for shares, empty for a missing value."""
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        text = f"{value:.{_DECIMALS.get(column, 2)}f}"
        return "< 0.001" if column == "mcnemar_p" and value < 0.0005 else text
    return str(value)


def escape_latex(text: str) -> str:
    """Text in which no character has a meaning to LaTeX."""
    return "".join(_LATEX.get(character, character) for character in text)


def to_csv(table: Table) -> str:
    """All columns as csv; floats in the shortest form that reads back the same."""
    return table.frame.to_csv(index=False, lineterminator="\n")


def to_latex(table: Table) -> str:
    """The printed columns as a LaTeX table (packages booktabs and graphicx), caption and notes included."""
    bold, numeric = table.bold(), numeric_columns(table)
    notes = [escape_latex(note.replace("`", "")) for note in table.notes]
    lines = [
        r"\begin{table}[t]",
        r"  \centering",
        rf"  \caption{{{escape_latex(table.caption)}. {escape_latex(table.provenance)}}}",
        rf"  \label{{tab:{table.key}}}",
        r"  \resizebox{\linewidth}{!}{%",
        rf"  \begin{{tabular}}{{{''.join('r' if is_number else 'l' for is_number in numeric)}}}",
        r"    \toprule",
        "    " + " & ".join(map(escape_latex, table.headings())) + r" \\",
        r"    \midrule",
    ]
    groups = table.frame[table.group].tolist() if table.group else []
    for row, cells in enumerate(table.cells()):
        if groups and row and groups[row] != groups[row - 1]:
            lines.append(r"    \midrule")
        texts = [escape_latex(cell) for cell in cells]
        texts = [rf"\textbf{{{text}}}" if (row, at) in bold else text for at, text in enumerate(texts)]
        lines.append("    " + " & ".join(texts) + r" \\")
    lines += [r"    \bottomrule", r"  \end{tabular}}"]
    lines += [rf"  \par\smallskip{{\footnotesize\raggedright {' '.join(notes)}\par}}", r"\end{table}", ""]
    return "\n".join(lines)


def numeric_columns(table: Table) -> list[bool]:
    """Which of the printed columns hold figures, and so stand flush right."""
    return [pd.api.types.is_numeric_dtype(table.frame[column]) for column in table.display]

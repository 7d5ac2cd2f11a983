"""What a table is: written once as JSON, and read back by the report page and the terminal."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from fersnet.errors import UserError
from fersnet.expressions import ABBREVIATIONS


@dataclass(frozen=True)
class Column:
    """A column that is printed."""

    key: str
    heading: str
    kind: Literal["text", "number", "percent", "probability"] = "number"
    decimals: int = 2
    """Of a fraction; whole numbers are printed as they are."""
    quoted: bool = False
    """Whether its cells are what the paper says, not what was found here."""

    @property
    def is_number(self) -> bool:
        """Whether its cells stand flush right."""
        return self.kind != "text"

    def text_of(self, value: object) -> str:
        """A value as text, empty where it is missing; a probability that the decimals do not show is given a bound."""
        if pd.isna(value):
            return ""
        if not isinstance(value, float):
            return str(value)
        least = 10.0**-self.decimals
        if self.kind == "probability" and value < least / 2:
            return f"< {least:.{self.decimals}f}"
        return f"{value:.{self.decimals}f}"


COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        Column("name", "Method", "text"),
        Column("reference", "Reference", "text"),
        Column("dataset_name", "Dataset", "text"),
        Column("rule", "Epoch selection", "text"),
        Column("statement", "Statement", "text"),
        Column("claim", "Claim", "text"),
        Column("verdict", "Verdict", "text"),
        Column("pretrained", "Pre-trained", "text", quoted=True),
        Column("rerun_pretrained", "Pre-trained (re-run)", "text"),
        Column("setting", "Setting", "text"),
        Column("reported", "Reported", "percent", quoted=True),
        Column("unit", "Unit", "text", quoted=True),
        Column("accuracy_in_unit", "Accuracy, quoted unit", "percent"),
        Column("reported_difference", "Paper's difference", quoted=True),
        Column("accuracy", "Accuracy", "percent"),
        Column("ci_low", "CI low", "percent"),
        Column("ci_high", "CI high", "percent"),
        Column("frame_accuracy", "Frame accuracy", "percent"),
        Column("uar", "UAR", "percent"),
        Column("macro_f1", "Macro F1", "percent"),
        Column("difference", "Difference"),
        Column("difference_low", "Difference low"),
        Column("difference_high", "Difference high"),
        Column("within", "Within the set", "percent"),
        Column("sequence_difference", "By sequence"),
        Column("visible", "Visible from"),
        Column("mcnemar_p_holm", "p (McNemar, Holm)", "probability", 3),
        Column("optimism", "Optimism"),
        Column("optimism_low", "Optimism low"),
        Column("optimism_high", "Optimism high"),
        Column("epoch", "Epoch (median)", decimals=0),
        Column("share_of_ceiling", "Share of ceiling", "percent"),
        Column("confidence", "Confidence", decimals=2),
        Column("ssim", "SSIM", decimals=3),
        Column("psnr", "PSNR (dB)"),
        Column("identity_cosine", "Identity cosine", decimals=3),
        Column("identity_auc", "Identity AUC", decimals=3),
        Column("kid_fer", "KID (FER features)", decimals=4),
        Column("parameters", "Parameters"),
        Column("n_synthetic", "n synthetic"),
        Column("read_as_target", "Read as target", "percent"),
        Column("core_hours", "Core-hours", decimals=3),
        Column("gpu_hours", "GPU-hours", decimals=3),
        Column("n_sequences", "n sequences"),
        Column("n_images", "n images"),
        *(Column(expression, short) for expression, short in ABBREVIATIONS.items()),
        Column("total", "Total"),
        Column("subjects", "Subjects"),
        Column("published_total", "Published total", quoted=True),
    )
}
"""All columns that a table may print."""


@dataclass(frozen=True)
class Cell:
    """A printed cell."""

    text: str
    bold: bool


@dataclass(frozen=True)
class Table:
    """A table: its rows, and what is printed of them."""

    key: str
    """File name without suffix."""
    frame: pd.DataFrame
    """The rows, with more columns than are printed; the csv file has every one of them."""
    caption: str
    provenance: str
    """The line that states run, data, n, selection rule and folds."""
    notes: tuple[str, ...]
    """May hold `back-ticked` names."""
    columns: tuple[Column, ...]
    """What is printed, in order."""
    best: tuple[str, ...] = ()
    """Columns whose highest figure is printed bold."""
    group: str | None = None
    """Column within whose groups the best figure is sought."""
    unranked: tuple[str, ...] = ()
    """Methods that never count as the best, such as a ceiling."""
    needed: tuple[str, ...] = ()
    """Columns that a reader needs first; a page folds the others away. Empty: all."""
    references: Mapping[str, str] = field(default_factory=dict)
    """By BibTeX key, the works that the column `reference` names, as text."""

    def has(self, *columns: str) -> bool:
        """Whether the rows have these columns, printed or not."""
        return set(columns) <= set(self.frame.columns)

    def cells(self) -> list[list[Cell]]:
        """The printed cells, row by row."""
        printed = []
        for column in self.columns:
            best = self._is_best(column.key) if column.key in self.best else [False] * len(self.frame)
            values = zip(self.frame[column.key], best, strict=True)
            printed.append([Cell(column.text_of(value), bold) for value, bold in values])
        return [list(row) for row in zip(*printed, strict=True)]

    def _is_best(self, column: str) -> list[bool]:
        groups = self.frame[self.group] if self.group else pd.Series("", index=self.frame.index)
        values = pd.to_numeric(self.frame[column]).where(~self.frame["method"].isin(self.unranked))
        return (values == values.groupby(groups).transform("max")).tolist()


def columns(*keys: str) -> tuple[Column, ...]:
    """The columns with these keys."""
    return tuple(COLUMNS[key] for key in keys)


def to_json(table: Table) -> str:
    """All of a table; a missing value is null."""
    content = asdict(table)
    frame = content.pop("frame")
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    # Without rows nothing else would say which columns there are.
    content |= {"keys": list(frame.columns), "rows": rows}
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def read_json(path: Path) -> Table:
    """The table of a file that `to_json` wrote.

    Raises:
        UserError: if the file is missing or has another form.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        frame = pd.DataFrame(content.pop("rows"), columns=content.pop("keys"), dtype=object)
        printed = tuple(Column(**column) for column in content.pop("columns"))
        fields = {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
        return Table(frame=frame, columns=printed, **fields)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the workflow to make it") from None
    except (ValueError, TypeError, LookupError, AttributeError):
        raise UserError(f"{path}: not a table of this project; delete it and run again") from None

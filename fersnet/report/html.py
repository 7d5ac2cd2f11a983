"""The report: one self-contained page with all tables and figures, how to cite, what ran where, and provenance."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fersnet import __version__
from fersnet.errors import UserError
from fersnet.report.cards import DataCard
from fersnet.report.description import RunDescription
from fersnet.report.table import read_json

CITATION = """@inproceedings{zhao2020fersnet,
  author    = {Zhao, Rui and Liu, Tianshan and Xiao, Jun and Lun, Daniel P. K. and Lam, Kin-Man},
  title     = {Deep Multi-task Learning for Facial Expression Recognition and Synthesis
               Based on Selective Feature Sharing},
  booktitle = {International Conference on Pattern Recognition (ICPR)},
  year      = {2020},
  note      = {arXiv:2007.04514}
}"""

# The order of the page's sections, by the beginning of a figure's file name; the first match counts.
_SECTIONS: tuple[tuple[str, str], ...] = (
    ("ablation", "Ablation"),
    ("ranking_", "Recognition methods in order"),
    ("synthesis_", "Synthetic faces"),
    ("intensity_", "Intensity of synthetic expressions"),
    ("faces_", "Aligned faces"),
    ("gates_", "ConvFLU gates"),
    ("augmentation_", "Augmentation"),
    ("training_", "Training curves"),
    ("confusion_synthesis_", "Confusion on synthetic faces"),
    ("confusion_", "Confusion matrices"),
    ("", "Further figures"),
)
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure of the page."""

    key: str
    title: str
    data: str
    """The PNG file, base64."""


@dataclass(frozen=True)
class JobSummary:
    """What the jobs of one rule took."""

    rule: str
    jobs: int
    finished: int
    hours: float
    """Wall time summed over jobs."""
    peak_memory_mb: float
    devices: str


def write_report(
    path: Path,
    description: RunDescription,
    tables: Sequence[Path],
    figures: Sequence[Path],
    jobs: pd.DataFrame | None = None,
    provenance: Mapping[str, str] | None = None,
    cards: Sequence[DataCard] = (),
) -> None:
    """Write `report.html`.

    Args:
        tables: Files `tables/*.json` in the order of the page.
        figures: Files `figures/*.png`; the page sorts them into sections.
        jobs: Rows of `jobs.csv`.
        provenance: Further facts by name, e.g. the commit and checksums of config and data.
        cards: What is to be said of the datasets.

    Raises:
        UserError: if a table or figure is missing or of another format.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fersnet.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    facts = {
        "Run": description.run,
        "Data": description.data_words(description.embedded),
        "Folds": description.fold_words(description.folds),
        "Epoch selection": description.selection,
        "Seed": str(description.seed),
        "Identity features": description.identity_features,
        "FERSNet": __version__,
        **(provenance or {}),
    }
    page = environment.get_template("report.html.j2").render(
        run=description.run,
        embedded=any(description.embedded.values()),
        # A table without rows has nothing to say on the page; its file says why.
        tables=[table for table in map(read_json, map(Path, tables)) if len(table.frame)],
        sections=_sections(figures, description),
        citation=CITATION,
        summaries=[] if jobs is None else job_summaries(jobs),
        job_columns=[] if jobs is None else list(jobs.columns),
        job_rows=[] if jobs is None else _job_rows(jobs),
        facts=facts,
        cards=cards,
        ticked=_ticked,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")


def job_summaries(jobs: pd.DataFrame) -> list[JobSummary]:
    """One row per rule, in the order in which the rules first occur."""
    summaries = []
    for rule, rows in jobs.groupby("rule", sort=False):
        devices = ", ".join(sorted(set(rows["device"].dropna().astype(str)) - {""}))
        summaries.append(
            JobSummary(
                rule=str(rule),
                jobs=len(rows),
                finished=int((rows["status"].astype(str).str.upper() == "FINISHED").sum()),
                hours=float(pd.to_numeric(rows["seconds"]).sum() / 3600),
                peak_memory_mb=float(pd.to_numeric(rows["peak_memory_mb"]).max()),
                devices=devices,
            )
        )
    return summaries


def _job_rows(jobs: pd.DataFrame) -> list[list[str]]:
    return [["" if pd.isna(value) else str(value) for value in row] for row in jobs.itertuples(index=False, name=None)]


def _sections(figures: Sequence[Path], description: RunDescription) -> list[tuple[str, list[EmbeddedFigure]]]:
    by_section: dict[str, list[EmbeddedFigure]] = {title: [] for _, title in _SECTIONS}
    for path in sorted(map(Path, figures), key=lambda figure: figure.stem):
        begin, section = next(part for part in _SECTIONS if path.stem.startswith(part[0]))
        title = _title(path.stem, begin, section, description)
        by_section[section].append(EmbeddedFigure(path.stem, title, _read_png(path)))
    return [(title, items) for title, items in by_section.items() if items]


def _read_png(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the workflow to make it") from None
    if not content.startswith(_PNG):
        raise UserError(f"{path}: not a PNG file; delete it and run again")
    return base64.b64encode(content).decode()


def _title(key: str, begin: str, section: str, description: RunDescription) -> str:
    """`confusion_oulu_casia_fersnet` becomes `Confusion matrices: Oulu-CASIA, FERSNet`."""
    rest = key.removeprefix(begin) if begin.endswith("_") else ""
    dataset = next((name for name in sorted(description.embedded, key=len, reverse=True) if _starts(rest, name)), "")
    method = rest[len(dataset) :].strip("_") if dataset else rest
    parts = [description.name_of(part) for part in (dataset, method) if part]
    return f"{section}: {', '.join(parts)}" if parts else section


def _starts(text: str, key: str) -> bool:
    return text == key or text.startswith(key + "_")


def _ticked(text: str) -> list[tuple[bool, str]]:
    """A note in parts: (is it back-ticked, text)."""
    return [(index % 2 == 1, part) for index, part in enumerate(text.split("`")) if part]

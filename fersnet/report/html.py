"""The report: one self-contained page that opens with the answer; then all tables and figures, and what is behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from fersnet import __version__
from fersnet.methods.cited_work import Work
from fersnet.methods.contract import Reference
from fersnet.report.cards import DataCard
from fersnet.report.claims import NOT_RUN, VERDICTS
from fersnet.report.description import RunDescription
from fersnet.report.page import part_of, render, shown_table
from fersnet.report.pictures import Picture, read_pictures
from fersnet.report.table import Table, read_json

CITATION = """@inproceedings{zhao2020deep,
  author    = {Zhao, Rui and Liu, Tianshan and Xiao, Jun and Lun, Daniel P. K. and Lam, Kin-Man},
  title     = {Deep Multi-task Learning for Facial Expression Recognition and Synthesis
               Based on Selective Feature Sharing},
  booktitle = {International Conference on Pattern Recognition (ICPR)},
  year      = {2020},
  note      = {arXiv:2007.04514}
}"""


@dataclass(frozen=True)
class Section:
    """A section of figures."""

    begin: str
    """How their file names begin; the first section that fits takes a figure."""
    title: str
    description: str
    """What is to be seen, for those who do not see it."""


_SECTIONS = (
    Section("ablation", "Ablation", "bars of the sequence accuracy of each variant with intervals, as in the table"),
    Section("ranking_", "Recognition methods in order", "methods by accuracy with intervals beside the quoted figures"),
    Section("synthesis_scatter", "Expression against identity", "accuracy on synthetic faces against identity kept"),
    Section("synthesis_", "Synthetic faces", "faces of test subjects: systems in rows, expressions in columns"),
    Section("intensity_", "Intensity of synthetic expressions", "a face with each expression, from weak to strong"),
    Section("faces_", "Aligned faces", "a sample of the aligned faces"),
    Section("gates_", "ConvFLU gates", "maps of how much each gate lets through on a test face"),
    Section("augmentation_", "Augmentation", "bars of the faces of each class before and after augmentation"),
    Section("training_", "Training curves", "losses and accuracies of each variant by epoch"),
    Section("confusion_synthesis_", "Confusion on synthetic faces", "a matrix of targets and expressions read"),
    Section("confusion_", "Confusion matrices", "a matrix of expressions shown and read"),
    Section("", "Further figures", "a figure of this run"),
)
_FIRST = ("synthesis_", "ablation")
"""Sections whose figures stand before the tables."""
_WIDE, _USUAL, _SMALL = 1500, 1150, 720
"""Widths in pixels: twice what a page shows, for screens of small pixels."""
MOST_JOBS = 500
"""Of more jobs the page gives the sums alone, and stays as small as it should be."""
_MANY = 4
"""A section with more figures than this shows them small."""


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure of the page."""

    key: str
    title: str
    description: str
    picture: Picture

    @property
    def width(self) -> int:
        """In pixels."""
        return self.picture.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.picture.height

    @property
    def data(self) -> str:
        """The file, base64."""
        return self.picture.data


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


@dataclass(frozen=True)
class Answer:
    """What the page says first."""

    what_ran: str
    words: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Claims by verdict."""


@dataclass(frozen=True)
class Unfinished:
    """What a run that has not come to its end lacks."""

    words: str
    missing: tuple[str, ...]
    failed: tuple[str, ...] = ()
    """A line for every job that failed."""


def write_report(
    path: Path,
    description: RunDescription,
    tables: Sequence[Path],
    figures: Sequence[Path],
    jobs: pd.DataFrame | None = None,
    provenance: Mapping[str, str] | None = None,
    references: Mapping[str, Work] | None = None,
    unfinished: Unfinished | None = None,
    cards: Sequence[DataCard] = (),
) -> None:
    """Write `report.html`.

    Args:
        tables: Files `tables/*.json` in the order of the page.
        figures: Files `figures/*.png`; the page sorts them into sections.
        jobs: Rows of `jobs.csv`.
        provenance: Further facts by name, e.g. the commit and checksums of config and data.
        references: The works by method or dataset key.
        unfinished: What is missing, if anything is.
        cards: What is to be said of the datasets.

    Raises:
        UserError: if a table or figure is missing or of another format.
    """
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
    by_key = {table.key: table for table in map(read_json, map(Path, tables))}
    claims = by_key.pop("claims", None)
    works, numbers = _cited([*by_key.values(), *([claims] if claims else [])], references or {})
    not_run = claims.frame["verdict"] == NOT_RUN if claims else pd.Series(dtype=bool)
    sections = _sections(figures, description)
    page = render(
        "report.html.j2",
        run=description.run,
        embedded=any(description.embedded.values()),
        answer=_answer(description, by_key.get("datasets"), claims),
        claims=shown_table(part_of(claims, ~not_run), numbers) if claims else None,
        claims_not_run=shown_table(part_of(claims, not_run), numbers) if claims and not_run.any() else None,
        # A table without rows has nothing to say on the page; its file says why.
        tables=[shown_table(table, numbers) for table in by_key.values() if len(table.frame)],
        first_figures=[figure for begin in _FIRST for figure in sections.get(_titles()[begin], [])],
        sections=[(title, items) for title, items in sections.items() if title not in map(_titles().get, _FIRST)],
        references=works,
        citation=CITATION,
        summaries=[] if jobs is None else job_summaries(jobs),
        job_columns=[] if jobs is None else list(jobs.columns),
        job_rows=[] if jobs is None or len(jobs) > MOST_JOBS else _job_rows(jobs),
        facts=facts,
        unfinished=unfinished,
        cards=cards,
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


def _answer(description: RunDescription, datasets: Table | None, claims: Table | None) -> Answer:
    """What ran on which faces, and how many of the paper's claims hold."""
    methods = [name for key, name in description.names.items() if key not in description.embedded]
    sizes = {}
    if datasets is not None:
        for row in datasets.frame.to_dict("records"):
            sizes[row["dataset"]] = f": {row['total']} sequences of {row['subjects']} subjects"
    faces = [
        f"{description.name_of(key)} ({description.data_of(key)} faces{sizes.get(key, '')})"
        for key in description.folds
    ]
    words = f"{', '.join(methods)} on {'; '.join(faces)}" if methods else f"{'; '.join(faces)}"
    what_ran = f"{words}. {description.fold_words(description.folds)}, seed {description.seed}."
    if claims is None:
        return Answer(what_ran)
    found = claims.frame["verdict"].value_counts()
    counts = {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}
    tried = sum(counts.values()) - counts[NOT_RUN]
    if not tried:
        return Answer(what_ran, f"None of the {sum(counts.values())} claims was tried in this run.", counts)
    # The paper's data are real faces: what rendered ones show is another question.
    where = " on rendered faces" if all(description.embedded[key] for key in description.folds) else ""
    said = f"Of the {tried} comparisons that this run tried{where}, {counts['holds']} came out as in the paper, "
    said += f"{counts['contradicted']} the other way round, and {counts['open']} stay open."
    return Answer(what_ran, said, counts)


def _cited(
    tables: Sequence[Table], references: Mapping[str, Work]
) -> tuple[list[tuple[str, Work]], dict[str, tuple[int, str]]]:
    """The works behind the rows of the tables, each once under its first key, and by key the number of its work."""
    keys: set[str] = set()
    for table in tables:
        for column in ("method", "better_than", "dataset"):
            keys |= set(table.frame[column].dropna()) if column in table.frame else set()
    works: dict[Reference, tuple[int, str]] = {}
    numbers, entries = {}, []
    for key, work in references.items():
        if key in keys:
            if work.reference not in works:
                works[work.reference] = (len(works) + 1, key)
                entries.append((key, work))
            numbers[key] = works[work.reference]
    return entries, numbers


def _job_rows(jobs: pd.DataFrame) -> list[list[str]]:
    return [["" if pd.isna(value) else str(value) for value in row] for row in jobs.itertuples(index=False, name=None)]


def _titles() -> dict[str, str]:
    return {section.begin: section.title for section in _SECTIONS}


def _sections(figures: Sequence[Path], description: RunDescription) -> dict[str, list[EmbeddedFigure]]:
    """Figures by title of their section, in the order of the page."""
    paths = sorted(map(Path, figures), key=lambda figure: figure.stem)
    of = [next(section for section in _SECTIONS if path.stem.startswith(section.begin)) for path in paths]
    widths = [_WIDE if section.begin in _FIRST else _SMALL if of.count(section) > _MANY else _USUAL for section in of]
    by_title: dict[str, list[EmbeddedFigure]] = {section.title: [] for section in _SECTIONS}
    for path, section, picture in zip(paths, of, read_pictures(paths, widths), strict=True):
        title = _title(path.stem, section, description)
        by_title[section.title].append(EmbeddedFigure(path.stem, title, f"{title}: {section.description}", picture))
    return {title: items for title, items in by_title.items() if items}


def _title(key: str, section: Section, description: RunDescription) -> str:
    """`confusion_oulu_casia_fersnet` becomes `Confusion matrices: Oulu-CASIA, FERSNet`."""
    rest = key.removeprefix(section.begin) if section.begin.endswith("_") else ""
    dataset = next((name for name in sorted(description.embedded, key=len, reverse=True) if _starts(rest, name)), "")
    method = rest[len(dataset) :].strip("_") if dataset else rest
    parts = [description.name_of(part) for part in (dataset, method) if part]
    return f"{section.title}: {', '.join(parts)}" if parts else section.title


def _starts(text: str, key: str) -> bool:
    return text == key or text.startswith(key + "_")

"""What a store shows above the jobs of a run: the run itself, and each method on each dataset with the figures that
the run's tables have for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from fersnet.errors import UserError
from fersnet.repeats import split_repeat
from fersnet.report.claims import NOT_RUN, VERDICTS
from fersnet.report.table import Table, columns, read_json
from fersnet.report.writing import to_markdown
from fersnet.settings.tree import CROSS
from fersnet.tracking import FAILED, FINISHED, KILLED, RUNNING, JobRecord, latest_records

WORKFLOW = "workflow"
"""Key of the run itself."""
JUDGE, SELECTION = "standard_fer", "selection"
OF_NO_METHOD = {
    "train_identity": "identity",
    "train_standard_fer": JUDGE,
    "evaluate_synthesis": JUDGE,
    "compare_selection": SELECTION,
}
"""What a job of these rules, which has a dataset and no method, counts for."""

RECOGNITION = "recognition"
_FIRST = ("accuracy", "ci_low", "ci_high", "uar")
_MEASURES: Mapping[str, tuple[str, ...]] = {
    RECOGNITION: (*_FIRST, "macro_f1", "frame_accuracy", "difference", "reported", "core_hours"),
    "synthesis": (*_FIRST, "share_of_ceiling", "confidence", "identity_auc", "identity_cosine", "ssim", "kid_fer"),
    SELECTION: (*_FIRST[:3], "optimism"),
    CROSS: (*_FIRST, "within", "difference"),
}
"""By kind of table, the columns that become figures of a method, `<kind>_<column>`, as far as the table has them."""
RANKED_BY = f"{RECOGNITION}_accuracy"
"""The figure by which methods are ranked."""


@dataclass(frozen=True)
class Parent:
    """The run, or a method on a dataset; it has at least one job."""

    key: str
    records: tuple[JobRecord, ...]
    """Its jobs, oldest first."""
    dataset: str = ""
    method: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    """Markdown."""

    @property
    def newest(self) -> JobRecord:
        """The job that tells of code and settings: of a method its newest training, if it has one."""
        trainings = [record for record in self.records if self.method and record.rule.startswith("train")]
        return (trainings or self.records)[-1]

    @property
    def status(self) -> str:
        """That of the jobs which its results come from: the worst, or RUNNING."""
        found = {record.status for record in latest_records(self.records)}
        return next((status for status in (RUNNING, FAILED, KILLED) if status in found), FINISHED)

    @property
    def started(self) -> float:
        """When its first job started."""
        return min(record.started for record in self.records)

    @property
    def ended(self) -> float:
        """When its last job ended."""
        return max(record.ended or record.started for record in self.records)

    @property
    def data(self) -> dict[str, str]:
        """The checksum of the faces by dataset, as the newest job of each noted it."""
        return {record.dataset: record.data_sha256 for record in self.records if record.data_sha256}


def parent_key(record: JobRecord) -> str:
    """The key of what a job belongs to."""
    method = split_repeat(record.method)[0] or OF_NO_METHOD.get(record.rule, "")
    return f"{record.dataset}/{method}" if record.dataset and method else WORKFLOW


def parents_of(results: Path, records: Sequence[JobRecord]) -> list[Parent]:
    """The run, which comes first, and every method on a dataset that has a job.

    Args:
        results: Folder of the run, where its tables lie; one that is not made yet, or broken, tells nothing.
        records: All of the run, oldest first.
    """
    if not records:
        return []
    tables = dict(_tables(results))
    of_methods: dict[str, list[JobRecord]] = {}
    for record in records:
        of_methods.setdefault(parent_key(record), []).append(record)
    of_methods.pop(WORKFLOW, None)
    parents = [Parent(WORKFLOW, tuple(records), figures=_counts(tables), note=_claims_note(tables))]
    for key, own in of_methods.items():
        dataset, method = key.split("/", 1)
        figures = _figures(tables, dataset, method)
        parents.append(Parent(key, tuple(own), dataset, method, figures, _note(tables, dataset, method)))
    return parents


def _tables(results: Path) -> Iterator[tuple[str, Table]]:
    for path in sorted((results / "tables").glob("*.json")):
        try:
            yield path.stem, read_json(path)
        except UserError:
            continue  # The run makes it again, and then it is read.


def _rows(tables: Mapping[str, Table], dataset: str, method: str) -> Iterator[tuple[str, Table, pd.DataFrame]]:
    """Kind, table and the dataset's filled rows of every table that has some for a method."""
    for key, table in tables.items():
        kind = RECOGNITION if key.startswith("fer_") else key
        if kind not in _MEASURES or not table.has("method", "dataset", "accuracy"):
            continue
        here = table.frame[(table.frame["dataset"] == dataset) & table.frame["accuracy"].notna()]
        # The study of selection has a job for each fold, and rows of the rules in the place of a method's.
        of_study = kind == SELECTION and len(here) > 0
        if of_study if method == SELECTION else kind != SELECTION and method in set(here["method"]):
            yield kind, table, here


def _figures(tables: Mapping[str, Table], dataset: str, method: str) -> dict[str, float]:
    figures: dict[str, Any] = {}
    for kind, _, here in _rows(tables, dataset, method):
        for row in here.to_dict("records"):
            if kind == SELECTION:
                name = f"{SELECTION}_{row['rule']}"
            elif row["method"] != method:
                continue
            else:
                # What the judge reads in real faces ranks with no system.
                name = "judge" if method == JUDGE else kind
            figures |= {f"{name}_{column}": row[column] for column in _MEASURES[kind] if column in row}
    return {name: float(value) for name, value in figures.items() if pd.notna(value)}


def _note(tables: Mapping[str, Table], dataset: str, method: str) -> str:
    """The dataset's part of every table that a method stands in."""
    return "\n".join(
        _part(table, here, "rule" if kind == SELECTION else "name", "reported", *_MEASURES[kind][:4])
        for kind, table, here in _rows(tables, dataset, method)
    )


def _counts(tables: Mapping[str, Table]) -> dict[str, float]:
    """How many claims of the paper came out how."""
    if "claims" not in tables:
        return {}
    found = tables["claims"].frame["verdict"].value_counts()
    return {f"claims_{verdict.replace(' ', '_')}": float(found.get(verdict, 0)) for verdict in VERDICTS}


def _claims_note(tables: Mapping[str, Table]) -> str:
    """The claims that were tried."""
    if "claims" not in tables:
        return ""
    table = tables["claims"]
    tried = table.frame[table.frame["verdict"] != NOT_RUN]
    return _part(table, tried, "claim", "dataset_name", "reported_difference", "difference", "verdict")


def _part(table: Table, rows: pd.DataFrame, *keys: str) -> str:
    shown = columns(*(key for key in keys if key in table.frame))
    return to_markdown(replace(table, frame=rows.reset_index(drop=True), columns=shown, notes=()))


def shortened(text: str, longest: int) -> str:
    """Whole lines of a text, as many as have room."""
    lines: list[str] = []
    left = longest
    for line in text.splitlines():
        left -= len(line) + 1
        if left < 0:
            break
        lines.append(line)
    return "\n".join(lines)

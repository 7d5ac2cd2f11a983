"""Every table of a run once more, from its predictions and from what was found of its synthetic faces."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from fersnet.claims import read_claims
from fersnet.datasets.sequences import labelled
from fersnet.errors import UserError
from fersnet.project import named_file
from fersnet.repeats import repeat_key
from fersnet.report.claims import claims_table
from fersnet.report.comparisons import selection_table, synthesis_table
from fersnet.report.coverage import coverage_notes
from fersnet.report.files import (
    EVALUATION_COLUMNS,
    JOB_COLUMNS,
    PREDICTION_COLUMNS,
    SET_COLUMNS,
    read_by_dataset,
    read_predictions,
    read_systems,
    read_table,
    read_training_jobs,
    trainings_behind,
)
from fersnet.report.quoted import read_published_counts, read_quoted
from fersnet.report.references import cited
from fersnet.report.run_file import RunFile
from fersnet.report.subgroups import subgroups_table
from fersnet.report.table import Table
from fersnet.report.tables import ablation_table, datasets_table, recognition_table

TRAINING_JOBS = "training_jobs.csv"
"""In an export: what the trainings took, in the place of the job records."""


@dataclass(frozen=True)
class RunFolder:
    """The files of a run that its tables are made of, in `results/<run>` or in an unpacked export."""

    folder: Path
    run: RunFile
    config: Path | None = None
    """Folder with the quoted figures and the claims; of the project where it is not given."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """The recognition datasets."""
        return tuple(self.run.description.folds)

    @property
    def variants(self) -> tuple[str, ...]:
        """FERSNet and its variants."""
        return tuple(self.run.settings["variants"])

    @property
    def recognisers(self) -> tuple[str, ...]:
        """All that has a row in the recognition tables."""
        return (*self.run.settings["baselines"]["methods"], *self.variants)

    @property
    def systems(self) -> tuple[str, ...]:
        """All that draws the faces which are compared."""
        return (*self.run.settings["rivals"]["methods"], self.run.settings["synthesis"]["method"])

    @property
    def judged(self) -> tuple[str, ...]:
        """The datasets whose synthetic faces were judged."""
        return tuple(self.run.settings["synthesis"]["datasets"])

    def prediction_files(self) -> list[Path]:
        """The predictions of all recognisers, all trainings and folds."""
        repeats = self.run.settings["repeats"]
        return [
            path
            for method in self.recognisers
            for repeat in range(1, repeats["variants" if method in self.variants else "baselines"] + 1)
            for path in self.of_folds("predictions", self.datasets, f"{repeat_key(method, repeat)}/fold{{}}.parquet")
        ]

    def evaluation_files(self, ending: str = ".parquet") -> list[Path]:
        """What was found of the synthetic faces."""
        return [
            self.folder / "evaluation" / dataset / f"fold{fold}{ending}"
            for dataset in self.judged
            for fold in self.run.synthesis_folds[dataset]
        ]

    def selection_files(self) -> list[Path]:
        """What the study of epoch selection found."""
        study = self.run.settings["selection_study"]["method"]
        return self.of_folds("selection", self.datasets, "fold{}.parquet") if study else []

    def of_folds(self, kind: str, datasets: Iterable[str], name: str) -> list[Path]:
        """A file for every fold of each dataset."""
        counts = self.run.description.folds
        return [
            self.folder / kind / dataset / name.format(fold)
            for dataset in datasets
            for fold in range(1, counts[dataset] + 1)
        ]

    def config_file(self, name: str) -> Path:
        """A file of quoted figures."""
        return named_file(f"config/{name}") if self.config is None else self.config / name

    @cached_property
    def indexes(self) -> dict[str, pd.DataFrame]:
        """By dataset, the rows of `index.parquet`."""
        folder, needed = self.folder / "datasets", ("sequence_id", "subject", "expression", "apex")
        return {name: read_table(folder / name / "index.parquet", needed) for name in self.datasets}

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """As `read_predictions` returns them."""
        return read_predictions(self.prediction_files())

    @cached_property
    def evaluations(self) -> pd.DataFrame:
        """As `read_systems` returns them."""
        return read_systems(self.evaluation_files(), EVALUATION_COLUMNS)

    @cached_property
    def quoted(self) -> pd.DataFrame:
        """As `read_quoted` returns them."""
        return read_quoted(self.config_file("reported.csv"))

    @cached_property
    def training_jobs(self) -> pd.DataFrame:
        """As `read_training_jobs` returns them."""
        exported = self.folder / TRAINING_JOBS
        if exported.is_file():
            return read_table(exported, [column for column in JOB_COLUMNS if column != "run_id"], text=("fold",))
        places = ["dataset", "method", "repeat", "fold"]
        return read_training_jobs(self.folder, pd.concat([self.predictions[places], self.evaluations[places]]))


def recompute(files: RunFolder, key: str) -> Table:
    """A table once more.

    Raises:
        UserError: if a file that it is made of is missing or broken, or nothing here makes such a table.
    """
    if key.startswith("fer_"):
        return cited(_recognition(files, key.removeprefix("fer_")), files.run.references)
    if key not in RECIPES:
        raise UserError(f"tables/{key}: this version makes no such table")
    return cited(RECIPES[key](files), files.run.references)


def _claims(files: RunFolder) -> Table:
    claims, run = read_claims(files.config_file("claims.csv")), files.run
    return claims_table(claims, files.predictions, files.evaluations, files.quoted, run.description, run.report)


def _datasets(files: RunFolder) -> Table:
    indexes = {name: labelled(index) for name, index in files.indexes.items()}
    published = read_published_counts(files.config_file("sequence_counts.csv"))
    return datasets_table(indexes, published, files.run.description)


def _recognition(files: RunFolder, dataset: str) -> Table:
    here = files.predictions[files.predictions["dataset"] == dataset]
    notes = coverage_notes(here, [files.folder / "datasets" / dataset])
    run = files.run
    return recognition_table(
        dataset, files.predictions, files.quoted, files.training_jobs, run.description, run.report, notes
    )


def _ablation(files: RunFolder) -> Table:
    predictions = files.predictions[files.predictions["method"].isin(files.variants)]
    notes = coverage_notes(predictions, [files.folder / "datasets" / name for name in files.datasets])
    run, methods = files.run, files.variants
    return ablation_table(
        predictions, files.quoted, files.training_jobs, run.description, run.report, files.datasets, methods, notes
    )


def _synthesis(files: RunFolder) -> Table:
    sets = read_systems(files.evaluation_files("_sets.csv"), SET_COLUMNS)
    run, folds = files.run, files.run.description.folds
    jobs = trainings_behind(files.training_jobs, files.evaluations)
    some = {dataset: chosen for dataset, chosen in run.synthesis_folds.items() if len(chosen) < folds[dataset]}
    description = replace(run.description, judged=some)
    return synthesis_table(
        files.evaluations, sets, files.quoted, jobs, description, run.report, files.judged, run.judges
    )


def _subgroups(files: RunFolder) -> Table:
    run = files.run
    return subgroups_table(files.predictions, files.indexes, run.description, run.report, files.recognisers)


def _selection(files: RunFolder) -> Table:
    chosen = read_by_dataset(files.selection_files(), (*PREDICTION_COLUMNS, "rule", "epoch"))
    run = files.run
    method = run.settings["selection_study"]["method"]
    return selection_table(chosen, files.quoted, run.description, run.report, method)


RECIPES: dict[str, Callable[[RunFolder], Table]] = {
    "claims": _claims,
    "datasets": _datasets,
    "ablation": _ablation,
    "subgroups": _subgroups,
    "synthesis": _synthesis,
    "selection": _selection,
}
"""By key of a table; those of the recognition datasets are `fer_<dataset>`."""

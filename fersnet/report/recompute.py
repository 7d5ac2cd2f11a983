"""Every table of a run once more, from its predictions and from what was found of its synthetic faces."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from fersnet.claims import read_claims
from fersnet.datasets.sequences import labelled
from fersnet.errors import UserError
from fersnet.project import named_file
from fersnet.repeats import repeat_key
from fersnet.report.across import cross_table, read_across
from fersnet.report.claims import claims_table
from fersnet.report.comparisons import selection_table, synthesis_table
from fersnet.report.coverage import coverage_notes
from fersnet.report.description import RunDescription
from fersnet.report.files import (
    EVALUATION_COLUMNS,
    JOB_COLUMNS,
    PREDICTION_COLUMNS,
    SET_COLUMNS,
    read_augmentations,
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
from fersnet.report.utility import by_system, recogniser_notes, utility_table
from fersnet.settings.tree import CROSS
from fersnet.settings.utility import among_recognisers, utility_rows

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

    @property
    def utility_datasets(self) -> tuple[str, ...]:
        """The datasets on which a variant is trained with each system's faces."""
        settings = self.run.settings
        utility = settings.get("utility") or {}  # there is none in runs of earlier versions
        chosen = utility.get("datasets")
        return tuple(settings["synthesis"]["datasets"] if chosen is None else chosen) if utility.get("method") else ()

    @property
    def utility(self) -> dict[str, str]:
        """Those trainings: by the key under which they lie, the system."""
        return utility_rows(self.systems) if self.utility_datasets else {}

    def recognised(self, dataset: str) -> tuple[str, ...]:
        """All that has a row in a dataset's recognition table, by the key under which its predictions lie."""
        tested = self.run.synthesis_folds[dataset] if dataset in self.utility_datasets else ()
        quoted = frozenset(self.quoted[["table", "dataset", "method"]].itertuples(index=False, name=None))
        count = self.run.description.folds[dataset]
        rows = among_recognisers(self.utility, self.variants, dataset, tested, count, quoted)
        return (*self.recognisers, *rows)

    def prediction_files(self) -> list[Path]:
        """The predictions of all recognisers, all trainings and folds."""
        files = [
            path
            for key in self._trainings(self.recognisers)
            for path in self.of_folds("predictions", self.datasets, f"{key}/fold{{}}.parquet")
        ]
        return [*files, *self.utility_files("predictions", ".parquet")]

    def augmentation_files(self) -> list[Path]:
        """What was drawn for the trainings with each system's faces."""
        return self.utility_files("augmentation", ".csv")

    def utility_files(self, kind: str, ending: str) -> list[Path]:
        """A file of each of those trainings."""
        trainings = range(1, self.run.settings["repeats"]["variants"] + 1)
        return [
            self.folder / kind / dataset / repeat_key(method, repeat) / f"fold{fold}{ending}"
            for dataset in self.utility_datasets
            for method in self.utility
            for repeat in trainings
            for fold in self.run.synthesis_folds[dataset]
        ]

    def cross_files(self) -> list[Path]:
        """The predictions across datasets, each of which is a fold."""
        return [
            self.folder / "predictions" / CROSS / key / f"fold{fold}.parquet"
            for key in self._trainings(self.run.cross)
            for fold in range(1, len(self.datasets) + 1)
        ]

    def _trainings(self, methods: Iterable[str]) -> list[str]:
        """The names under which all trainings of some recognisers lie."""
        repeats = self.run.settings["repeats"]
        counts = {method: repeats["variants" if method in self.variants else "baselines"] for method in methods}
        return [repeat_key(method, repeat) for method in counts for repeat in range(1, counts[method] + 1)]

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
    predictions = by_system(pd.concat([_recognised(files, dataset) for dataset in files.datasets]))
    return claims_table(claims, predictions, files.evaluations, files.quoted, run.description, run.report)


def _recognised(files: RunFolder, dataset: str) -> pd.DataFrame:
    """The predictions of all that has a row in a dataset's recognition table."""
    here = files.predictions[files.predictions["dataset"] == dataset]
    return here[here["method"].isin(files.recognised(dataset))]


def _datasets(files: RunFolder) -> Table:
    indexes = {name: labelled(index) for name, index in files.indexes.items()}
    published = read_published_counts(files.config_file("sequence_counts.csv"))
    return datasets_table(indexes, published, files.run.description)


def _recognition(files: RunFolder, dataset: str) -> Table:
    here, run = _recognised(files, dataset), files.run
    notes = coverage_notes(here, [files.folder / "datasets" / dataset])
    notes += recogniser_notes(here, run.description)
    jobs = by_system(trainings_behind(files.training_jobs, here))
    return recognition_table(dataset, by_system(here), files.quoted, jobs, run.description, run.report, notes)


def _ablation(files: RunFolder) -> Table:
    predictions = files.predictions[files.predictions["method"].isin(files.variants)]
    notes = coverage_notes(predictions, [files.folder / "datasets" / name for name in files.datasets])
    run, methods = files.run, files.variants
    return ablation_table(
        predictions, files.quoted, files.training_jobs, run.description, run.report, files.datasets, methods, notes
    )


def _synthesis(files: RunFolder) -> Table:
    sets = read_systems(files.evaluation_files("_sets.csv"), SET_COLUMNS)
    run, description = files.run, _of_synthesis_folds(files)
    jobs = trainings_behind(files.training_jobs, files.evaluations)
    return synthesis_table(
        files.evaluations, sets, files.quoted, jobs, description, run.report, files.judged, run.judges
    )


def _of_synthesis_folds(files: RunFolder) -> RunDescription:
    """The description of what comes from the folds in which synthesis systems are trained."""
    run, folds = files.run, files.run.description.folds
    some = {dataset: chosen for dataset, chosen in run.synthesis_folds.items() if len(chosen) < folds[dataset]}
    return replace(run.description, judged=some)


def _utility(files: RunFolder) -> Table:
    run, method = files.run, files.run.settings["utility"]["method"]
    tested = [
        (files.predictions["dataset"] == dataset) & files.predictions["fold"].isin(list(run.synthesis_folds[dataset]))
        for dataset in files.utility_datasets
    ]
    here = files.predictions[np.logical_or.reduce(tested)]
    here = here[here["method"].isin([method, *files.utility])]
    made = read_augmentations(files.augmentation_files())
    jobs = trainings_behind(files.training_jobs, here)
    description = _of_synthesis_folds(files)
    return utility_table(here, made, files.quoted, jobs, description, run.report, files.utility_datasets, method)


def _subgroups(files: RunFolder) -> Table:
    run = files.run
    return subgroups_table(files.predictions, files.indexes, run.description, run.report, files.recognisers)


def _selection(files: RunFolder) -> Table:
    chosen = read_by_dataset(files.selection_files(), (*PREDICTION_COLUMNS, "rule", "epoch"))
    run = files.run
    method = run.settings["selection_study"]["method"]
    return selection_table(chosen, files.quoted, run.description, run.report, method)


def _cross(files: RunFolder) -> Table:
    run = files.run
    within = files.predictions[files.predictions["method"].isin(run.cross)]
    return cross_table(read_across(files.cross_files()), within, run.description, run.report, run.cross)


RECIPES: dict[str, Callable[[RunFolder], Table]] = {
    "claims": _claims,
    "datasets": _datasets,
    "ablation": _ablation,
    "subgroups": _subgroups,
    "synthesis": _synthesis,
    "utility": _utility,
    "selection": _selection,
    CROSS: _cross,
}
"""By key of a table; those of the recognition datasets are `fer_<dataset>`."""

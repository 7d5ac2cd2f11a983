"""Runs beside each other: settings that differ, accuracies with paired differences, time and memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fersnet.errors import UserError
from fersnet.report.files import (
    EVALUATION_COLUMNS,
    read_predictions,
    read_systems,
    read_training_jobs,
    training_cost,
)
from fersnet.report.page import render, shown_table
from fersnet.report.pairs import compare, joined, right_by_sequence, targets_read
from fersnet.report.recompute import RunFolder
from fersnet.report.rows import Row, percent, score_columns
from fersnet.report.run_file import read_run
from fersnet.report.statistics import clustered_bootstrap
from fersnet.report.table import Column, Table, columns
from fersnet.report.writing import write_table
from fersnet.seeds import derive_seed
from fersnet.tracking import FINISHED, latest_records, read_records

RECOGNITION, SYNTHESIS = "recognition", "synthetic faces"
_NOTHING = "not set"
_IGNORED = ("run",)
"""Keys that always differ."""


@dataclass(frozen=True)
class ComparedRun:
    """A run to be compared."""

    label: str
    files: RunFolder
    items: Mapping[tuple[str, str, str], pd.DataFrame]
    """By figure, dataset and method: the share of right answers by item."""
    costs: Mapping[tuple[str, str], float]
    """Core-hours of the trainings by dataset and method."""

    def faces_of(self, dataset: str) -> str:
        """What tells a dataset's faces from others: for rendered ones the checksum, since names mean nothing there."""
        checksum = self.files.folder / "datasets" / dataset / "checksum.txt"
        embedded = self.files.run.description.embedded.get(dataset, False)
        return checksum.read_text(encoding="utf-8").split()[0] if embedded and checksum.is_file() else "real"


def compare_runs(folders: Sequence[Path], out: Path) -> tuple[Table, ...]:
    """Write tables and a page `comparison.html` that compare runs, and return the tables.

    Raises:
        UserError: if a folder is no run's, or a run has nothing in common with the others.
    """
    names = [folder.resolve().name for folder in folders]
    labels = names if len(set(names)) == len(names) else [str(folder) for folder in folders]
    if len(set(labels)) < 2:
        raise UserError("compare takes the folders of at least two runs, each once")
    runs = [_read(folder, label) for folder, label in zip(folders, labels, strict=True)]
    for run in runs:
        others = {place for other in runs if other is not run for place in other.items}
        if not others & set(run.items):
            rest = " and ".join(other.label for other in runs if other is not run)
            raise UserError(f"{run.label} and {rest}: no method on any dataset in common; there is nothing to compare")
    tables = (_accuracies(runs), _settings(runs), _costs(runs))
    for table in tables:
        write_table(table, out)
    page = render("comparison.html.j2", labels=labels, tables=[shown_table(table, {}) for table in tables])
    (out / "comparison.html").write_text(page, encoding="utf-8", newline="\n")
    return tables


def _read(folder: Path, label: str) -> ComparedRun:
    files = RunFolder(folder, read_run(folder))
    items, costs = {}, {}
    # Of a run that is half finished, the methods count that are through.
    whole = pd.DataFrame({"path": files.prediction_files()})
    places = whole["path"].map(lambda path: (path.parents[1].name, path.parent.name))
    there = [group["path"].tolist() for _, group in whole.groupby(places) if all(map(Path.is_file, group["path"]))]
    predictions = read_predictions([path for paths in there for path in paths])
    evaluations = read_systems([path for path in files.evaluation_files() if path.is_file()], EVALUATION_COLUMNS)
    outcomes = [frame[["dataset", "method", "repeat", "fold"]] for frame in (predictions, evaluations)]
    jobs = read_training_jobs(folder, pd.concat(outcomes))
    for (dataset, method), frame in predictions.groupby(["dataset", "method"]):
        items[RECOGNITION, dataset, method] = right_by_sequence(frame.dropna(axis=1, how="all"))
        costs[dataset, method] = training_cost(jobs, dataset, method)[0]
    for (dataset, method), frame in evaluations.groupby(["dataset", "method"]):
        items[SYNTHESIS, dataset, method] = targets_read(frame, ["sequence_id", "target"])
        costs[dataset, method] = training_cost(jobs, dataset, method)[0]
    return ComparedRun(label, files, items, costs)


def _accuracies(runs: Sequence[ComparedRun]) -> Table:
    first = runs[0]
    settings = first.files.run.report
    rows: list[Row] = []
    for place in dict.fromkeys(place for run in runs for place in run.items):
        figure, dataset, method = place
        for run in runs:
            if place not in run.items:
                continue
            items, description = run.items[place], run.files.run.description
            seed = derive_seed(description.seed, "bootstrap", "compare", *place)
            options = (settings.bootstrap_samples, settings.confidence, seed)
            right, subjects = items["right"].to_numpy(), items["subject"].to_numpy()
            row: Row = {"figure": figure, "dataset": dataset, "method": method, "run": run.label}
            row |= {"dataset_name": description.name_of(dataset), "name": description.name_of(method)}
            row |= {"part": f"{description.name_of(dataset)}, {figure}"}
            row |= score_columns(right.mean(), clustered_bootstrap(right, subjects, *options))
            row |= {"n_items": len(items), "core_hours": run.costs[dataset, method]}
            if run is not first and place in first.items and run.faces_of(dataset) == first.faces_of(dataset):
                both = joined([items, first.items[place]])
                row["n_shared"] = len(both)
                if len(both):
                    found = compare(both, *options)
                    row |= {"difference": percent(found.difference), "difference_low": percent(found.interval.low)}
                    row |= {"difference_high": percent(found.interval.high)}
            rows.append(row)
    order = ["figure", "part", "dataset", "dataset_name", "method", "name", "run", "accuracy", "ci_low", "ci_high"]
    order += ["difference", "difference_low", "difference_high", "n_shared", "n_items", "core_hours"]
    frame = pd.DataFrame(rows, columns=order).astype({"n_shared": "Int64", "n_items": "Int64"})
    frame = frame.sort_values(["figure", "dataset"], kind="stable", ignore_index=True)
    return Table(
        "comparison_accuracies",
        frame,
        "Accuracy (%) of every method in each run",
        f"Runs {', '.join(run.label for run in runs)}.",
        (
            "Recognition: sequence accuracy, with a bootstrap interval over subjects. Synthetic faces: in how many the "
            f"run's judge reads the target. `difference`: to the run {first.label}, on the items that both have "
            "(`Shared`), with the interval of the paired bootstrap; empty where the faces are others.",
        ),
        columns=(
            *(Column("part", "Data", "text"), *columns("name"), Column("run", "Run", "text")),
            *columns("accuracy", "ci_low", "ci_high", "difference", "difference_low", "difference_high"),
            *(Column("n_shared", "Shared"), Column("n_items", "Items"), *columns("core_hours")),
        ),
        group="part",
        needed=("name", "run", "accuracy", "difference", "n_shared"),
    )


def _settings(runs: Sequence[ComparedRun]) -> Table:
    flat = [_flat(run) for run in runs]
    keys = list(dict.fromkeys(key for values in flat for key in values))
    rows = []
    for key in keys:
        values = [values.get(key, _NOTHING) for values in flat]
        if len(set(values)) > 1 and key not in _IGNORED:
            rows.append({"method": "", "key": key} | {f"run_{at}": value for at, value in enumerate(values, start=1)})
    names = [f"run_{at}" for at in range(1, len(runs) + 1)]
    return Table(
        "comparison_settings",
        pd.DataFrame(rows, columns=["method", "key", *names]),
        f"Settings and versions that differ ({len(rows)} of {len(keys)})",
        f"Runs {', '.join(run.label for run in runs)}.",
        (),
        columns=(
            Column("key", "Setting", "text"),
            *(Column(name, run.label, "text") for name, run in zip(names, runs, strict=True)),
        ),
    )


def _flat(run: ComparedRun) -> dict[str, str]:
    """All values of a run's settings by dotted key, and what it was run with."""
    file = run.files.run
    found = _leaves("", file.settings)
    found |= {f"version of {name}": version for name, version in file.versions.items()}
    return found | {"commit": file.commit}


def _leaves(place: str, value: Any) -> dict[str, str]:
    if isinstance(value, dict) and value:
        inside = [_leaves(f"{place}.{key}" if place else str(key), part) for key, part in value.items()]
        return {key: text for part in inside for key, text in part.items()}
    return {place: ", ".join(map(str, value)) if isinstance(value, list) else str(value)}


def _costs(runs: Sequence[ComparedRun]) -> Table:
    rows: list[Row] = []
    for run in runs:
        jobs = [job for job in latest_records(read_records(run.files.folder)) if job.status == FINISHED]
        for rule in dict.fromkeys(job.rule for job in jobs):
            own = [job for job in jobs if job.rule == rule]
            rows.append({"method": "", "rule": rule, "run": run.label} | _cost(own))
        rows.append({"method": "", "rule": "all", "run": run.label} | _cost(jobs))
    frame = pd.DataFrame(rows, columns=["method", "rule", "run", "jobs", "hours", "core_hours", "memory", "device"])
    frame = frame.sort_values("rule", key=lambda rules: rules != "all", kind="stable", ignore_index=True)
    return Table(
        "comparison_cost",
        frame,
        "Time and memory",
        f"Runs {', '.join(run.label for run in runs)}.",
        ("Hours of all finished jobs of a rule, one after the other; memory of its largest job.",),
        columns=(
            *(Column("rule", "Rule", "text"), Column("run", "Run", "text"), Column("jobs", "Jobs")),
            *(Column("hours", "Hours", decimals=3), *columns("core_hours")),
            *(Column("memory", "Peak memory (MB)", decimals=0), Column("device", "Device", "text")),
        ),
    )


def _cost(jobs: Sequence[Any]) -> Row:
    seconds = [job.seconds or 0.0 for job in jobs]
    return {
        "jobs": len(jobs),
        "hours": sum(seconds) / 3600,
        "core_hours": sum(time * job.threads for time, job in zip(seconds, jobs, strict=True)) / 3600,
        "memory": max((job.peak_memory_mb or 0.0 for job in jobs), default=0.0),
        "device": ", ".join(sorted({job.device for job in jobs})),
    }

"""How much data a run has: what the cost of its jobs depends on beside their own settings."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from fersnet.cross_validation import fold_counts
from fersnet.datasets.sequences import labelled
from fersnet.embedded.casting import scaled_counts
from fersnet.methods.contract import Reader
from fersnet.settings.data import DatasetSettings, FacesSettings
from fersnet.settings.training import IdentitySettings
from fersnet.settings.tree import CROSS, Settings

Counts = dict[str, int]
"""Labelled sequences per expression."""


@dataclass(frozen=True)
class RunSizes:
    """The data of a run, and the sections that say how much of it a training sees."""

    counts: dict[str, Counts]
    """By dataset; one that is missing here is of unknown size."""
    subjects: dict[str, int]
    folds: Mapping[str, int]
    """By recognition dataset."""
    faces: FacesSettings = field(default_factory=FacesSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)

    def sequences(self, dataset: str, expressions: Iterable[str] | None = None) -> int:
        """Labelled sequences of a dataset, of all or of the given expressions; 0 where its size is unknown."""
        counts = self.counts.get(dataset, {})
        return sum(counts.get(name, 0) for name in (counts if expressions is None else expressions))

    def of(self, dataset: str) -> tuple[int, int, int]:
        """Subjects, labelled sequences and folds of a recognition dataset."""
        return self.subjects.get(dataset, 0), self.sequences(dataset), self.folds[dataset]

    def enlarged(self, dataset: str, factor: float) -> int:
        """Sequences of a dataset once its classes have so many times the largest one's; never less than there are."""
        counts = self.counts.get(dataset, {})
        balanced = len(counts) * max(counts.values(), default=0)
        return max(self.sequences(dataset), round(balanced * factor))


def planned_sizes(settings: Settings, folder: Path) -> RunSizes:
    """The sizes of a run that is yet to come in a working folder: of its index where that stands, or as expected."""
    results = folder / "results" / settings.run
    counts, subjects = found_counts(results)
    for key, dataset in settings.datasets.items():
        expected, people = expected_counts(dataset, settings.known.readers[dataset.reader].declared)
        if expected and key not in counts:
            counts[key] = {name: count for name, count in expected.items() if name in dataset.classes}
            subjects[key] = people
    folds = fold_counts(settings, results)
    if settings.cross:
        folds |= join_counts(counts, subjects, settings.cross_sets, settings.cross_classes)
    return RunSizes(counts, subjects, folds, settings.faces, settings.identity)


def join_counts(
    counts: dict[str, Counts], subjects: dict[str, int], sets: Collection[str], expressions: Collection[str]
) -> dict[str, int]:
    """Add the faces of all sets across which is trained to sequences and subjects by dataset, as far as these are
    known; and return the number of folds under their name."""
    if all(counts.get(key) for key in sets):
        counts[CROSS] = {name: sum(counts[key].get(name, 0) for key in sets) for name in expressions}
        subjects[CROSS] = sum(subjects[key] for key in sets)
    return {CROSS: len(sets)}


def expected_counts(dataset: DatasetSettings, reader: Reader) -> tuple[Mapping[str, int], int]:
    """Sequences per expression and subjects of a dataset that has not been read yet; empty and 0 where unknown."""
    if dataset.root is not None or not reader.sequences:
        return reader.sequences, reader.subjects
    return scaled_counts(reader.sequences, reader.subjects, dataset.embedded.subjects), dataset.embedded.subjects


def found_counts(results: Path) -> tuple[dict[str, Counts], dict[str, int]]:
    """Sequences per expression and subjects of the datasets that a run has indexed."""
    counts, subjects = {}, {}
    for path in sorted(results.glob("datasets/*/index.parquet")):
        index = pd.read_parquet(path, columns=["subject", "expression", "apex"])
        index = labelled(index)
        counts[path.parent.name] = index["expression"].astype(str).value_counts().to_dict()
        subjects[path.parent.name] = index["subject"].nunique()
    return counts, subjects

"""How much data a run has: sequences per expression, and the figures of a run that set the cost of its trainings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fersnet.cross_validation import fold_counts
from fersnet.datasets.counts import PUBLISHED
from fersnet.embedded.casting import CKPLUS_COUNTS, CKPLUS_SUBJECTS, MMI_COUNTS, MMI_SUBJECTS, scaled_counts
from fersnet.expressions import SIX
from fersnet.settings.data import DatasetSettings
from fersnet.settings.training import IdentitySettings
from fersnet.settings.tree import Settings

BU4DFE_SUBJECTS = 101
"""Of the published set, each with the six expressions (Yin et al., FG 2008)."""

Counts = dict[str, int]
"""Labelled sequences per expression."""


@dataclass(frozen=True)
class RunSizes:
    """What the cost of a run's jobs depends on beside their own settings."""

    counts: dict[str, Counts]
    """By dataset; one that is missing here is of unknown size."""
    subjects: dict[str, int]
    folds: Mapping[str, int]
    """By recognition dataset."""
    channels: int = 1
    peak_frames: int = 3
    clip_frames: int = 12
    augmentation: float = 1.0
    """`augmentation.factor`."""
    identity: IdentitySettings = field(default_factory=IdentitySettings)

    def sequences(self, dataset: str, expressions: Iterable[str] | None = None) -> int:
        """Labelled sequences of a dataset, of all or of the given expressions; 0 where its size is unknown."""
        counts = self.counts.get(dataset, {})
        return sum(count for name, count in counts.items() if expressions is None or name in expressions)


def planned_sizes(settings: Settings, folder: Path) -> RunSizes:
    """The sizes of a run that is yet to come in a working folder: of its index where that stands, or as expected.

    Expected are, for embedded faces, what their settings make, and for a licensed copy the published counts.
    """
    results = folder / "results" / settings.run
    counts, subjects = found_counts(results)
    for key, dataset in settings.datasets.items():
        if key not in counts:
            expected, people = expected_counts(dataset, PUBLISHED)
            expected = {name: count for name, count in expected.items() if name in dataset.classes}
            counts |= {key: expected} if expected else {}
            subjects |= {key: people} if people else {}
    return RunSizes(
        counts,
        subjects,
        fold_counts(settings, results),
        settings.faces.channels,
        settings.faces.peak_frames,
        settings.faces.clip_frames,
        settings.augmentation.factor,
        settings.identity,
    )


def expected_counts(dataset: DatasetSettings, published: Path) -> tuple[Counts, int]:
    """Sequences per expression and subjects of a dataset that has not been read yet; empty and 0 where unknown."""
    if dataset.root is None:
        people = dataset.embedded.subjects
        if dataset.reader == "ckplus":
            return scaled_counts(CKPLUS_COUNTS, CKPLUS_SUBJECTS, people), people
        if dataset.reader == "mmi":
            return scaled_counts(MMI_COUNTS, MMI_SUBJECTS, people), people
        return dict.fromkeys(SIX, people), people
    if dataset.reader == "bu4dfe":
        return dict.fromkeys(SIX, BU4DFE_SUBJECTS), BU4DFE_SUBJECTS
    table = pd.read_csv(published).set_index("dataset").drop(columns="total")
    if dataset.reader not in table.index:
        return {}, 0
    counts = {str(name): int(count) for name, count in table.loc[dataset.reader].dropna().items()}
    people = {"ckplus": CKPLUS_SUBJECTS, "mmi": MMI_SUBJECTS}.get(dataset.reader, max(counts.values()))
    return counts, people


def found_counts(results: Path) -> tuple[dict[str, Counts], dict[str, int]]:
    """Sequences per expression and subjects of the datasets that a run has indexed."""
    counts, subjects = {}, {}
    for path in sorted(results.glob("datasets/*/index.parquet")):
        index = pd.read_parquet(path, columns=["subject", "expression"])
        counts[path.parent.name] = {str(name): int(count) for name, count in index["expression"].value_counts().items()}
        subjects[path.parent.name] = int(index["subject"].nunique())
    return counts, subjects


def _past_folds(subjects: Mapping[str, int], settings: Mapping[str, Any]) -> dict[str, int]:
    if settings.get("scheme") == "leave_one_subject_out":
        return dict(subjects)
    return dict.fromkeys(subjects, int(settings.get("count", 10)))


def past_sizes(results: Path, params: Mapping[str, Mapping[str, Any]]) -> RunSizes:
    """The sizes of a run that has ended.

    Args:
        results: its folder.
        params: what the settings of its jobs were, by rule.
    """
    counts, subjects = found_counts(results)
    faces = params.get("align_faces", {}).get("settings", {})
    identity = params.get("train_identity", {}).get("settings")
    return RunSizes(
        counts,
        subjects,
        _past_folds(subjects, params.get("assign_folds", {}).get("settings", {})),
        int(faces.get("channels", 1)),
        int(faces.get("peak_frames", 3)),
        int(faces.get("clip_frames", 12)),
        float(params.get("augment_faces", {}).get("settings", {}).get("factor", 1.0)),
        IdentitySettings.model_validate(identity, strict=False) if identity else IdentitySettings(),
    )

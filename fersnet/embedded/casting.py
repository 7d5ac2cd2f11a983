"""Who shows what in an embedded dataset: class counts scaled from the real sets, spread over the subjects."""

from collections.abc import Mapping

import numpy as np

CKPLUS_COUNTS: dict[str, int] = dict(anger=45, contempt=18, disgust=59, fear=25, happiness=69, sadness=28, surprise=83)  # noqa: C408
"""Labelled CK+ sequences per expression, of 118 subjects (Lucey et al., CVPR Workshops 2010)."""
CKPLUS_SUBJECTS = 118
MMI_COUNTS: dict[str, int] = dict(anger=33, disgust=32, fear=28, happiness=42, sadness=32, surprise=41)  # noqa: C408
"""MMI sequences per expression behind the paper's tables, of 31 subjects."""
MMI_SUBJECTS = 31
SMALLEST_CAST_WITH_SOLOISTS = 6


def scaled_counts(counts: Mapping[str, int], real_subjects: int, subjects: int) -> dict[str, int]:
    """Class counts for another number of subjects in the same proportions, at least one of each."""
    return {name: max(1, round(count * subjects / real_subjects)) for name, count in counts.items()}


def cast(counts: Mapping[str, int], subjects: int, rng: np.random.Generator, *, soloists: bool) -> list[list[str]]:
    """Deals sequences out: per subject, the expressions shown, in recording order.

    Every subject shows at least one; nobody shows an expression again before everybody who can has shown it once. Some
    subjects show more than others, and with `soloists` about one in ten shows a single expression, as in the real sets.
    """
    appetite = rng.uniform(0.5, 1.5, subjects)
    solo = np.zeros(subjects, dtype=bool)
    if soloists and subjects >= SMALLEST_CAST_WITH_SOLOISTS:
        solo[rng.choice(subjects, size=max(1, subjects // 10), replace=False)] = True
    shown: list[list[str]] = [[] for _ in range(subjects)]
    for expression in sorted(counts, key=lambda name: (-counts[name], name)):
        for _ in range(counts[expression]):
            tie = rng.random(subjects)
            ready = [index for index in range(subjects) if not (solo[index] and shown[index])]
            chosen = min(
                ready,
                key=lambda index: (shown[index].count(expression), len(shown[index]) / appetite[index], tie[index]),
            )
            shown[chosen].append(expression)
    return [[expressions[index] for index in rng.permutation(len(expressions))] for expressions in shown]


def spaced_numbers(count: int, first: int, largest_gap: int, last: int, rng: np.random.Generator) -> list[int]:
    """`count` ascending subject numbers with gaps, as real sets have them; without gaps where they would not fit."""
    if first + (count - 1) * largest_gap > last:
        return list(range(first, first + count))
    gaps = rng.integers(1, largest_gap + 1, count - 1) if count > 1 else np.zeros(0, dtype=int)
    return [first, *(first + int(total) for total in np.cumsum(gaps))]


def n_frames(frames: tuple[int, int], rng: np.random.Generator) -> int:
    """Length of a sequence, drawn between the shortest and the longest."""
    return int(rng.integers(frames[0], frames[1] + 1))

"""Which difference between two methods a run can see, before it runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from fersnet.claims import RECOGNITION, Claim
from fersnet.repeats import split_repeat
from fersnet.report.description import printed_names
from fersnet.report.files import read_predictions
from fersnet.report.pairs import recognised_items
from fersnet.report.statistics import bootstrap_means, visible_difference
from fersnet.settings.tree import Settings

DISAGREEMENT = 0.2
"""Share of the sequences that one of two methods reads and the other does not, where no earlier run tells: what two
have in common that are right in 89 of 100 and err independently."""
SAMPLES = 4000


@dataclass(frozen=True)
class Disagreement:
    """How the answers of two methods differed in an earlier run."""

    differences: np.ndarray
    """By item: the share of trainings of the first that read it minus that of the second."""
    subjects: np.ndarray
    """By item: whose it is."""
    repeats: int
    """Trainings of each."""
    by_training: float
    """Variance that a single training adds to a subject's difference; NaN where each was trained once."""


def disagreement(pair: Sequence[pd.DataFrame]) -> Disagreement | None:
    """How two methods' predictions differ on the items that both judged; None without any, or of one subject."""
    items, _ = recognised_items(pair)
    if items["subject"].nunique() < 2:
        return None
    differences = (items["first"] - items["second"]).to_numpy()
    numbers = sorted(set(pair[0]["repeat"]) & set(pair[1]["repeat"]))
    by_training = float("nan")
    if len(numbers) > 1:
        single = [_by_subject(recognised_items([frame[frame["repeat"] == k] for frame in pair])[0]) for k in numbers]
        by_training = float(pd.concat(single, axis=1).var(axis=1, ddof=1).mean())
    return Disagreement(differences, items["subject"].to_numpy(), len(numbers), by_training)


def _by_subject(items: pd.DataFrame) -> pd.Series:
    return (items["first"] - items["second"]).groupby(items["subject"]).mean()


def visible_in(found: Disagreement, people: int, repeats: int, confidence: float, seed: int = 0) -> float:
    """The true difference that four of five runs with so many people and trainings find; NaN where none is found.

    The people are drawn from those of the earlier run. What single trainings add to a subject's difference counts for
    the less the more trainings there are; where the earlier run has one of each, as much as it did there.
    """
    centre = float(found.differences.mean())
    runs = bootstrap_means(found.differences, found.subjects, SAMPLES, seed, people)
    if runs is None:
        return float("nan")
    spread = float(pd.Series(found.differences).groupby(found.subjects).mean().var(ddof=1))
    scale = 1.0
    if found.repeats > 1 and spread > 0:
        lasting = max(spread - found.by_training / found.repeats, 0.0)
        scale = np.sqrt((lasting + found.by_training / repeats) / spread)
    return visible_difference(centre + scale * (runs - centre), centre, confidence)


def assumed_visible(sequences: int, confidence: float, disagree: float = DISAGREEMENT, seed: int = 0) -> float:
    """The same where nothing is known, for methods that disagree on such a share of sequences, each by itself."""
    rng = np.random.default_rng(seed)
    # Of those on which they disagree, half go either way.
    either = rng.binomial(sequences, disagree, SAMPLES)
    return visible_difference((2 * rng.binomial(either, 0.5) - either) / sequences, 0.0, confidence)


def describe_power(
    settings: Settings,
    sizes: Mapping[str, tuple[int, int, int]],
    claims: Iterable[Claim],
    earlier: Path | None,
) -> list[str]:
    """A line for each recognition dataset of a plan.

    Args:
        sizes: subjects, labelled sequences and folds of each; no subjects where they are not known.
        claims: whose pairs of methods are looked at in the earlier run.
        earlier: folder of a run with predictions, by which the plan is calibrated.
    """
    pairs = {(one.method, one.better_than) for one in claims if one.figure == RECOGNITION}
    found = {} if earlier is None else {key: _disagreements(earlier, key, pairs) for key in _datasets(earlier)}
    names, repeats, lines = printed_names(settings), settings.repeats.variants, []
    for key in settings.recognition_datasets:
        people, sequences, folds = sizes[key]
        trainings = "1 training" if repeats == 1 else f"{repeats} trainings"
        place = f"{names.get(key, key)}: {people} subjects, {folds} folds, {trainings} of a variant"
        if not people:
            lines.append(f"{names.get(key, key)}: of unknown size, so that nothing can be said of differences.")
            continue
        # Another dataset of the earlier run is a better guide than none.
        of = key if found.get(key) else next((other for other, some in found.items() if some), None)
        if of is None:
            visible = assumed_visible(sequences, settings.report.confidence)
            guide = f"assumed: two methods disagree on {DISAGREEMENT:.0%} of {sequences} sequences, at random"
        else:
            seen = [visible_in(one, people, repeats, settings.report.confidence) for one in found[of]]
            visible = median(value for value in seen if not np.isnan(value))
            guide = f"as {len(found[of])} pairs of methods differ on {names.get(of, of)} in {earlier}"
        lines.append(f"{place}: sees a difference of {100 * visible:.1f} points in four of five runs ({guide}).")
    return lines


def _datasets(earlier: Path) -> list[str]:
    return sorted(path.name for path in (earlier / "predictions").glob("*") if path.is_dir())


def _disagreements(earlier: Path, dataset: str, pairs: Iterable[tuple[str, str]]) -> list[Disagreement]:
    """Those of the pairs that an earlier run judged on a dataset."""
    found = []
    for pair in sorted(pairs):
        folders = [sorted(earlier.glob(f"predictions/{dataset}/{key}*/fold*.parquet")) for key in pair]
        frames = [
            read_predictions(path for path in paths if _is_of(path, key))
            for paths, key in zip(folders, pair, strict=True)
        ]
        if not any(frame.empty for frame in frames):
            found.append(disagreement(frames))
    return [one for one in found if one is not None and np.ptp(one.differences) > 0]


def _is_of(path: Path, method: str) -> bool:
    return split_repeat(path.parent.name)[0] == method

"""Two methods' answers, or one method's in two runs, on the items that both judged."""

from collections.abc import Sequence

import pandas as pd

from fersnet.report.statistics import Comparison, compare_paired, sequence_predictions


def right_by(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The share of right answers by item, over all trainings: index `keys`, columns `subject, right`."""
    return _mean(frame, frame["predicted"] == frame["expression"], keys)


def right_by_sequence(frame: pd.DataFrame) -> pd.DataFrame:
    """The same by sequence, where the mean probability of a sequence's frames gives one answer."""
    sequences = sequence_predictions(frame)
    return _mean(sequences, sequences["correct"], ["sequence_id"])


def targets_read(evaluations: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The share of synthetic faces by item in which the judge reads the target."""
    return right_by(evaluations.assign(expression=evaluations["target"]), keys)


def joined(pair: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The items of both: their keys, `subject`, and both shares as `first` and `second`."""
    first, second = pair
    both = first.join(second["right"], how="inner", rsuffix="_second").reset_index()
    return both.rename(columns={"right": "first", "right_second": "second"})


def recognised_items(pair: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, str]:
    """Both methods' answers on the items that the paper counts: images, or sequences for those that read these."""
    whole = [(frame["frame"] == -1).all() for frame in pair]
    if not any(whole):
        return joined([right_by(frame, ["sequence_id", "frame"]) for frame in pair]), "images"
    if all(whole):
        return joined([right_by(frame, ["sequence_id"]) for frame in pair]), "sequences"
    # The share of a sequence's images that one method reads, beside the other's one answer.
    return joined([right_by(frame, ["sequence_id"]) for frame in pair]), "images and sequences"


def compare(items: pd.DataFrame, samples: int, confidence: float, seed: int) -> Comparison:
    """The difference of the means of `joined` items, with its interval over subjects."""
    values = items["first"].to_numpy(), items["second"].to_numpy(), items["subject"].to_numpy()
    return compare_paired(*values, samples, confidence, seed)


def _mean(frame: pd.DataFrame, right: pd.Series, keys: list[str]) -> pd.DataFrame:
    grouped = frame.assign(right=right.astype(float)).groupby(keys, sort=True)
    return grouped.agg(subject=("subject", "first"), right=("right", "mean"))

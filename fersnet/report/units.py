"""What a quoted figure is a share of, and a re-run method's accuracy in the same unit.

`config/reported.csv` says it of each figure: of what, `images`, `sequences` or `synthetic images`; after a comma what
sets it apart from the share over all folds together; and in brackets how many of how many, where that is known.
"""

import re
from dataclasses import dataclass

import pandas as pd

from fersnet.report.statistics import sequence_predictions

IMAGES, SEQUENCES, SYNTHETIC = "images", "sequences", "synthetic images"
OVER_FOLDS = "mean over folds"
OTHER_PROTOCOLS = {
    "cross-database": "trained on other datasets, as it seems, without the folds of this one",
    "own split": "one split of the method's own, without folds",
}
"""Why a figure may not stand beside others, in words."""
_FORM = re.compile(
    rf"(?P<of>{IMAGES}|{SEQUENCES}|{SYNTHETIC})"
    rf"(, (?P<apart>{'|'.join((OVER_FOLDS, *OTHER_PROTOCOLS))}))?"
    r"( \((?P<right>\d+)/(?P<all>\d+)\))?"
)


@dataclass(frozen=True)
class Unit:
    """What a figure is a share of."""

    of: str
    """`images`, `sequences` or `synthetic images`."""
    apart: str = ""
    """What sets it apart: `mean over folds`, a key of `OTHER_PROTOCOLS`, or nothing."""
    share: float | None = None
    """In percent, where it is known how many of how many."""


def read_unit(text: str) -> Unit:
    """The unit that is written so.

    Raises:
        ValueError: if it is not written in this form.
    """
    found = _FORM.fullmatch(text)
    if found is None or (found["all"] and int(found["all"]) == 0):
        raise ValueError(f"{text!r} is no unit; write it like `images (955/981)` or `sequences, {OVER_FOLDS}`")
    share = 100 * int(found["right"]) / int(found["all"]) if found["all"] else None
    return Unit(found["of"], found["apart"] or "", share)


def accuracy_in(unit: Unit, predictions: pd.DataFrame) -> float:
    """A recogniser's accuracy in a unit, all its trainings; NaN where it has no answer for single images.

    Args:
        predictions: Of one method on one dataset, as `read_predictions` returns them.
    """
    if unit.of == IMAGES and (predictions["frame"] == -1).all():
        return float("nan")
    parts = [frame for _, frame in predictions.groupby("fold")] if unit.apart == OVER_FOLDS else [predictions]
    shares = [_share(unit.of, frame) for frame in parts]
    return sum(shares) / len(shares)


def _share(of: str, predictions: pd.DataFrame) -> float:
    if of == SEQUENCES:
        return float(sequence_predictions(predictions)["correct"].mean())
    return float((predictions["predicted"] == predictions["expression"]).mean())

"""The vocabulary of expressions, shared by every other module.

Keys are lower-case English words in alphabetical order, and `neutral` behind them; a class index is a position in the
tuple of expressions that a dataset uses. The code tables translate what each dataset writes on disk.
"""

from collections.abc import Iterable

SEVEN: tuple[str, ...] = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""The seven labels of CK+ recognition."""

SIX: tuple[str, ...] = tuple(expression for expression in SEVEN if expression != "contempt")
"""The six basic expressions: Oulu-CASIA, MMI, BU-4DFE, and the paper's synthesis experiments."""

NEUTRAL = "neutral"
"""A class where a dataset's `expressions` name it; otherwise such pictures are their subjects' neutral faces."""

VOCABULARY: tuple[str, ...] = (*SEVEN, NEUTRAL)
"""All expressions, in the order of class indices."""

ABBREVIATIONS: dict[str, str] = {
    "anger": "An",
    "contempt": "Co",
    "disgust": "Di",
    "fear": "Fe",
    "happiness": "Ha",
    "sadness": "Sa",
    "surprise": "Su",
    NEUTRAL: "Ne",
}
"""The column heads of the paper's tables and grids."""

CKPLUS_CODES: dict[int, str] = dict(enumerate(SEVEN, start=1))
"""CK+ emotion codes; 0 is neutral and counts as unlabelled."""

MMI_CODES: dict[int, str] = dict(enumerate(SIX, start=1))
"""MMI emotion codes; higher codes are other states and count as unlabelled."""

OULU_CASIA_FOLDERS: dict[str, str] = {expression.capitalize(): expression for expression in SIX}
"""Oulu-CASIA folder names."""

BU4DFE_FOLDERS: dict[str, str] = {
    "Angry": "anger",
    "Disgust": "disgust",
    "Fear": "fear",
    "Happy": "happiness",
    "Sad": "sadness",
    "Surprise": "surprise",
}
"""BU-4DFE folder names."""


def in_vocabulary_order(expressions: set[str]) -> tuple[str, ...]:
    """The given expressions in class-index order.

    Raises:
        ValueError: if one of them is not in the vocabulary.
    """
    unknown = sorted(expressions - set(VOCABULARY))
    if unknown:
        raise ValueError(f"unknown expression {unknown[0]!r}; known are {', '.join(VOCABULARY)}")
    return tuple(expression for expression in VOCABULARY if expression in expressions)


def synthesis_targets(classes: Iterable[str]) -> tuple[str, ...]:
    """Those classes, in their order, that faces are given in the comparison of synthetic faces: not contempt."""
    return tuple(expression for expression in classes if expression in (*SIX, NEUTRAL))

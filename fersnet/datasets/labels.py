"""From the names that people give to expression folders to the vocabulary."""

from fersnet.expressions import BU4DFE_FOLDERS, OULU_CASIA_FOLDERS, SEVEN

_ADJECTIVES = {
    "angry": "anger",
    "contemptuous": "contempt",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
}
_NAMES: dict[str, str] = (
    {expression: expression for expression in SEVEN}
    | {name.casefold(): expression for name, expression in (OULU_CASIA_FOLDERS | BU4DFE_FOLDERS).items()}
    | _ADJECTIVES
)


def expression_named(name: str) -> str | None:
    """The expression that a folder name or a table cell means, ignoring case; None if it means none."""
    return _NAMES.get(name.strip().casefold())

"""Settings of the search for settings, and the settings that it chose."""

from typing import Annotated, Any

from pydantic import Field

from fersnet.settings.base import Fraction, Name, PositiveInt, Section

Changes = dict[str, Any]
"""Keys of a method's settings that differ; of a variant's, `training` and `losses` with theirs below."""


class TuningSettings(Section):
    """The search for settings by `fersnet tune`, on people whom no reported figure is about."""

    draws: PositiveInt = 8
    """Draws of every method, beside its settings as they stand, which take part as draw 0. More of them add jobs and
    keep what is done."""
    methods: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """The methods and variants of the run that are searched, `null` for all of them. The others stay as they are."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Of the draws, and of the people who are rendered for them."""
    parts: Annotated[int, Field(ge=3)] = 3
    """Folds into which the people of a search are parted: those whom a draw is read on are trained on by none."""
    folds: PositiveInt = 1
    """In so many of these folds, from the first on, every draw is trained and read."""
    identity_floor: Fraction = 0.7
    """Identity AUC, on any of the datasets, below which a draw of what synthesises is not chosen: it would win by
    destroying the person."""


Chosen = dict[Name, dict[str, dict[Name, Changes]]]
"""What a search chose: by dataset, fold, and method or variant."""

"""What is searched, and the draws: a pure function of seed, method and number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fersnet.errors import UserError
from fersnet.methods.contract import Method, Recogniser
from fersnet.methods.ranges import Range
from fersnet.seeds import derive_seed
from fersnet.settings.tree import Settings
from fersnet.settings.tuning import Changes
from fersnet.tuning.fersnet_ranges import EVERY, SYNTHESISING
from fersnet.tuning.people import check_enough

AS_IT_IS = 0
"""The number of the draw that is none: the settings as they stand."""
_KEY = re.compile(r"(?P<method>.+)\.draw(?P<number>\d+)")


@dataclass(frozen=True)
class Searched:
    """A method whose settings are searched."""

    key: str
    ranges: Mapping[str, Range]
    """By key of its settings; of a variant by section and key, such as `training.learning_rate`."""
    recognises: bool
    """Whether what counts is the accuracy on real faces."""
    synthesises: bool
    """Whether what counts is what the judge reads in synthetic faces; where both count, they count alike."""


def draw_key(method: str, number: int) -> str:
    """The name under which the files of a draw lie, `<method>.draw<number>`."""
    return f"{method}.draw{number}"


def split_draw(key: str) -> tuple[str, int | None]:
    """Method and number of a draw; None where the name is not that of a draw."""
    found = _KEY.fullmatch(key)
    return (found["method"], int(found["number"])) if found else (key, None)


def searched(settings: Settings) -> dict[str, Searched]:
    """The methods of a run that have ranges, in the run's order; where the config names some, these alone.

    A variant that builds on another training (augmented by another variant's faces, or trained on another dataset
    first) is searched with the variant that it is like: see `followed`.
    """
    found = {}
    for key, variant in settings.variants.items():
        if key not in followed(settings):
            draws = variant.sharing != "none"
            found[key] = Searched(key, SYNTHESISING if draws else EVERY, True, draws)
    for key, method in _methods(settings).items():
        if method.ranges:
            recognises = isinstance(method, Recogniser)
            found[key] = Searched(key, method.ranges, recognises, not recognises)
    return {key: one for key, one in found.items() if _asked_for(key, settings)}


def check_search(settings: Settings) -> None:
    """Check that there are people to read draws on and something to search, and that nothing is named which takes
    another one's settings.

    Raises:
        UserError: naming the key to change.
    """
    check_enough(settings)
    for key in settings.tuning.methods or ():
        if key in followed(settings):
            raise UserError(f"tuning.methods: {key} builds on another training; name {followed(settings)[key]}")
    if not searched(settings):
        raise UserError("nothing to tune: no method of this config has ranges (docs/ranges.md)")


def followed(settings: Settings) -> dict[str, str]:
    """By variant that takes the settings of another one: that one.

    It is the one whose faces augment it, or the first of the same sharing that starts from scratch; a variant that is
    like no other is searched itself.
    """
    plain = {
        key: one.sharing for key, one in settings.variants.items() if not one.pretrained_on and not one.augmented_by
    }
    found = {}
    for key, variant in settings.variants.items():
        if key not in plain:
            alike = [other for other, sharing in plain.items() if sharing == variant.sharing]
            source = variant.augmented_by if variant.augmented_by in plain else next(iter(alike), None)
            if source is not None:
                found[key] = source
    return found


def left_as_they_are(settings: Settings) -> list[str]:
    """The methods that were to be searched and have no ranges."""
    return [key for key, method in _methods(settings).items() if not method.ranges and _asked_for(key, settings)]


def drawn(settings: Settings, method: str, number: int) -> Changes:
    """The keys of a method's settings that a draw changes; none in draw 0.

    Every key has a draw of its own, so that another key's range changes nothing in it.

    Raises:
        UserError: if the method has no ranges, or a value of them is none that its settings take.
    """
    one = searched(settings).get(method)
    if one is None:
        raise UserError(f"{method}: it has no ranges, and so no draws")
    if number == AS_IT_IS:
        return {}
    changes: Changes = {}
    for key, within in one.ranges.items():
        value = within.at(derive_seed("tuning", settings.tuning.seed, method, number, key) / 2**63)
        section, _, name = key.rpartition(".")
        (changes.setdefault(section, {}) if section else changes)[name] = value
    try:
        settings.trained_with(method, changes)
    except ValueError as error:
        raise UserError(f"ranges of {method}: {error}") from None
    return changes


def flat(changes: Changes) -> Changes:
    """Changes by key, those of a variant by section and key."""
    return {
        f"{key}.{name}" if name else key: part
        for key, value in changes.items()
        for name, part in (value.items() if isinstance(value, dict) else [("", value)])
    }


def _asked_for(method: str, settings: Settings) -> bool:
    return settings.tuning.methods is None or method in settings.tuning.methods


def _methods(settings: Settings) -> dict[str, Method]:
    known = {**settings.known.systems, **settings.known.recognisers}
    found = {key: known[key].declared for key in (*settings.rivals.methods, *settings.baselines.methods)}
    return {key: method for key, method in found.items() if isinstance(method, Method)}

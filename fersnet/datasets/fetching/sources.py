"""Where an open set is to be had: files at a fixed commit, the archives of a Zenodo record, or by hand."""

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from fersnet.errors import UserError
from fersnet.methods.contract import Reference, Terms

OPEN_SETS = "fersnet.datasets.open_sets"


@dataclass(frozen=True)
class PinnedFiles:
    """Single files below an address that never change."""

    address: str
    table: str
    """Beside this module: a TSV with the columns path, bytes and sha256."""


@dataclass(frozen=True)
class ZenodoArchives:
    """Zip archives of a Zenodo record, one a part; the record says size and MD5 of each."""

    address: str
    """Of the record's JSON."""
    archive: str
    """File name with a place for `part`, which counts from 1."""
    parts: int
    unit: str
    """What a part holds, e.g. `actor`."""


@dataclass(frozen=True)
class ByHand:
    """What the user has to do, where terms or host leave no other way."""

    instructions: str


@dataclass(frozen=True)
class OpenSet:
    """A set that anybody may have."""

    name: str
    """Printed name."""
    reference: Reference
    terms: Terms
    source: PinnedFiles | ZenodoArchives | ByHand


@cache
def open_sets() -> dict[str, OpenSet]:
    """The open sets by key, which is the key of their reader."""
    names = sorted(member.name for member in pkgutil.iter_modules(import_module(OPEN_SETS).__path__))
    return {name: import_module(f"{OPEN_SETS}.{name}").OPEN_SET for name in names}


def fetchable() -> list[str]:
    """Keys of the sets that can be fetched."""
    return [key for key, one in open_sets().items() if not isinstance(one.source, ByHand)]


def chosen_parts(one: OpenSet, text: str | None) -> tuple[int, ...]:
    """The parts that a text such as `1-4,7` chooses; all of them where it is None.

    Raises:
        UserError: if the text has another form, names a part that is not there, or the set has no parts.
    """
    source = one.source
    if not isinstance(source, ZenodoArchives):
        if text is not None:
            raise UserError(f"{text!r}: {one.name} is fetched as a whole; leave the choice out")
        return ()
    if text is None:
        return tuple(range(1, source.parts + 1))
    found: set[int] = set()
    for piece in text.split(","):
        first, dash, last = (bound.strip() for bound in piece.partition("-"))
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdigit() for end in ends) or not 1 <= int(ends[0]) <= int(ends[1]):
            raise UserError(f"{text!r}: not a choice of {source.unit}s; write it like 1-4 or 1,3,7-9")
        if int(ends[1]) > source.parts:
            raise UserError(f"{text!r}: {one.name} has {source.unit}s 1 to {source.parts}")
        found |= set(range(int(ends[0]), int(ends[1]) + 1))
    return tuple(sorted(found))

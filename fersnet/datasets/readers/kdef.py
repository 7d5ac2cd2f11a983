"""KDEF: pictures of seven expressions in two sessions, `AF01/AF01ANS.JPG`.

A person is a sex and a number: the folders `AF01` and `BF01` are two sessions of one. The averaged faces beside the
set (AKDEF) have other names.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fersnet.datasets.completeness import report_missing
from fersnet.datasets.open_sets.kdef import REFERENCE, TERMS
from fersnet.datasets.sequences import IndexBuilder, Person, SequenceIndex, check_peak_frames
from fersnet.datasets.walk import Tree, is_image, join, open_tree
from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL, SIX
from fersnet.methods.contract import Reader

READER = Reader(
    name="KDEF",
    classes=SIX,
    reference=REFERENCE,
    terms=TERMS,
    subjects=70,
    sequences=dict.fromkeys((*SIX, NEUTRAL), 140),
)

DEPTH = 5
CODES = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": NEUTRAL,
    "SA": "sadness",
    "SU": "surprise",
}
SEXES = {"F": "female", "M": "male"}
PEOPLE = [f"{sex}{number:02d}" for sex in SEXES for number in range(1, 36)]
FRONTAL = 2 * len(CODES)
"""Frontal pictures of a person."""
STRAIGHT = "S"
_FOLDER = re.compile(r"[AB][FM][0-9]{2}", re.IGNORECASE)
_PICTURE = re.compile(rf"([AB])([FM])([0-9]{{2}})({'|'.join(CODES)})(FL|HL|S|HR|FR)\.[a-z0-9]+", re.IGNORECASE)


def _pictures(tree: Tree) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Pictures whose name is that of one, and others in a person's folder, without a match."""
    for folder, listing in tree.below(DEPTH):
        own = _FOLDER.fullmatch(folder.rpartition("/")[2]) is not None
        for name in filter(is_image, listing.files):
            match = _PICTURE.fullmatch(name)
            if match is not None or own:
                yield join(folder, name), match


def locate(root: Path, *, follow_links: bool = False) -> str:
    """The first frontal picture, relative to the root, down to five levels below it.

    Raises:
        UserError: if there is none.
    """
    for path, match in _pictures(open_tree(root, lambda path, reason: None, follow_links)):
        if match is not None and match[5].upper() == STRAIGHT:
            return path
    raise UserError(f"{root}: no KDEF pictures found: looked {DEPTH} levels deep for files like KDEF/AF01/AF01ANS.JPG")


def read_index(root: Path, *, peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The frontal pictures of a tree, each a sequence of one frame. No picture is opened.

    Views from the side and pictures with a wrong name (the set has two) are rejected.

    Raises:
        UserError: if no picture is found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    locate(root, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    found: Counter[str] = Counter()
    for path, match in _pictures(tree):
        if match is None:
            builder.reject("", path, "file name is not like AF01ANS.JPG")
            continue
        session, sex, number, code, view = (part.upper() for part in match.groups())
        subject, sequence_id = f"{sex}{number}", f"{session}{sex}{number}{code}{view}"
        if view != STRAIGHT:
            builder.reject(sequence_id, path, f"seen from the side; view {view}")
            continue
        builder.add(sequence_id, subject, CODES[code], [path], [0], -1)
        builder.describe(subject, Person(sex=SEXES[sex]))
        found[subject] += 1
    report_missing(builder, dict.fromkeys(PEOPLE, FRONTAL), found)
    return builder.finish()

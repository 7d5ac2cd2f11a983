"""Face Research Lab London Set: one neutral and one smiling picture of each person, `001_03.jpg` and `001_08.jpg`."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fersnet.datasets.completeness import report_missing
from fersnet.datasets.open_sets.london import REFERENCE, TERMS
from fersnet.datasets.people import read_side_table, sex_of, side_tables, whole_years
from fersnet.datasets.sequences import IndexBuilder, Person, SequenceIndex, check_peak_frames
from fersnet.datasets.walk import Tree, is_image, join, open_tree
from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL
from fersnet.methods.contract import Reader

READER = Reader(
    name="London Set",
    classes=("happiness", NEUTRAL),
    reference=REFERENCE,
    terms=TERMS,
    subjects=102,
    sequences={"happiness": 102, NEUTRAL: 102},
)

DEPTH = 4
POSES = {"03": NEUTRAL, "08": "happiness"}
"""Those that show a person from the front; the others of the full set are views from the side."""
_PICTURE = re.compile(r"([0-9]{3})_([0-9]{2})\.[a-z0-9]+", re.IGNORECASE)
_TABLES = ("london_info.csv", "london_faces_info.csv")
_COLUMNS = ("face_id", "face_age", "face_gender", "face_eth")
_SCANS = "3dsk"
"""A folder of another set that lies beside this one, under other terms."""


def _pictures(tree: Tree) -> Iterator[tuple[str, re.Match[str]]]:
    for folder, listing in tree.below(DEPTH, stop=lambda name: name.lower() == _SCANS):
        for name in listing.files:
            match = _PICTURE.fullmatch(name)
            if match is not None and is_image(name):
                yield join(folder, name), match


def locate(root: Path, *, follow_links: bool = False) -> str:
    """The first picture, relative to the root, down to four levels below it.

    Raises:
        UserError: if there is none.
    """
    for path, match in _pictures(open_tree(root, lambda path, reason: None, follow_links)):
        if match[2] in POSES:
            return path
    raise UserError(
        f"{root}: no pictures of the London Set found: looked {DEPTH} levels deep for files like "
        "neutral_front/001_03.jpg and smiling_front/001_08.jpg"
    )


def read_index(root: Path, *, peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The frontal pictures of a tree, each a sequence of one frame. No picture is opened. Sex, age and ethnicity come
    from `london_info.csv`, where it is there.

    Raises:
        UserError: if no picture is found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    locate(root, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    found: Counter[str] = Counter()
    for path, match in _pictures(tree):
        subject, pose = match[1], match[2]
        if pose not in POSES:
            builder.reject(f"{subject}_{pose}", path, "not a frontal picture")
            continue
        builder.add(f"{subject}_{pose}", subject, POSES[pose], [path], [0], -1)
        found[subject] += 1
    report_missing(builder, dict.fromkeys(sorted(found), len(POSES)), found)
    quiet = Tree(tree.root, lambda path, reason: None, follow_links)
    for row in read_side_table(builder, quiet, side_tables(quiet, DEPTH, _TABLES), _COLUMNS):
        person = Person(
            sex=sex_of(row["face_gender"]), age=whole_years(row["face_age"]), ethnicity=row["face_eth"] or None
        )
        builder.describe(row["face_id"].zfill(3), person)
    return builder.finish()

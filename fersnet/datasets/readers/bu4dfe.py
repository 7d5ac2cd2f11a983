"""BU-4DFE: image sequences that rise from neutral to the apex and return, `F001/Angry/000.jpg`."""

import re
from dataclasses import dataclass
from pathlib import Path

from fersnet.datasets.image_folders import numbered_frames
from fersnet.datasets.labels import expression_named
from fersnet.datasets.sequences import (
    IndexBuilder,
    SequenceIndex,
    centred_positions,
    check_peak_frames,
    neutral_position,
)
from fersnet.datasets.walk import join, open_tree
from fersnet.errors import UserError
from fersnet.expressions import BU4DFE_FOLDERS, SIX
from fersnet.methods.contract import Reader, Reference, Terms

READER = Reader(
    name="BU-4DFE",
    classes=SIX,
    reference=Reference(
        authors="Yin L., Chen X., Sun Y., Worm T. and Reale M.",
        title="A High-Resolution 3D Dynamic Facial Expression Database",
        venue="FG",
        year=2008,
    ),
    terms=Terms(
        people="101 people of 18 to 45 years, 58 women and 43 men; Asian, Black, Hispanic or Latino, and White, in "
        "the owners' words",
        known_bias="Posed on request, one light, from the front; recruited around one university in the United States",
        licence="Agreement with the owner through a member of staff, for research only; whether faces may be shown "
        "is a matter of your agreement",
        shown="by permission",
    ),
    rendered=True,
    subjects=101,
    sequences=dict.fromkeys(SIX, 101),
)

DEPTH = 3
_SUBJECT = re.compile(r"[FM][0-9]{3}", re.IGNORECASE)
_FOLDER_NAMES = {expression: name for name, expression in BU4DFE_FOLDERS.items()}


@dataclass(frozen=True)
class Bu4dfeTree:
    """The folders that hold subjects, relative to the root: the set is also handed out in several parts."""

    subjects: tuple[str, ...]


def locate(root: Path, *, follow_links: bool = False) -> Bu4dfeTree:
    """Finds every folder of subjects, down to three levels below the root.

    Raises:
        UserError: if there is none.
    """
    tree = open_tree(root, lambda path, reason: None, follow_links)
    found = [
        folder
        for folder, listing in tree.below(DEPTH, stop=lambda name: _SUBJECT.fullmatch(name) is not None)
        if any(
            _SUBJECT.fullmatch(name) and _has_expressions(tree.listing(join(folder, name)).folders)
            for name in listing.folders
        )
    ]
    if not found:
        raise UserError(
            f"{root}: no BU-4DFE images found: looked {DEPTH} levels deep for folders like F001/Angry/000.jpg"
        )
    return Bu4dfeTree(tuple(found))


def _has_expressions(names: tuple[str, ...]) -> bool:
    return any(expression_named(name) in _FOLDER_NAMES for name in names)


def read_index(root: Path, *, peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The sequences of a BU-4DFE tree. No image is opened.

    The apex is taken at mid-sequence, so the peak frames are the `peak_frames` around the middle; the first frame is
    neutral. Missing pairs of subject and expression are noted.

    Raises:
        UserError: if the tree is not found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    where = locate(root, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    for parent in where.subjects:
        for subject in tree.listing(parent).folders:
            folder = join(parent, subject)
            if _SUBJECT.fullmatch(subject) is None:
                builder.reject("", folder, "not a subject folder")
                continue
            missing = set(_FOLDER_NAMES)
            for name in tree.listing(folder).folders:
                expression = expression_named(name)
                if expression not in _FOLDER_NAMES:
                    builder.reject("", f"{folder}/{name}", "not an expression folder")
                    continue
                missing.discard(expression)
                sequence_id = f"{subject.upper()}_{_FOLDER_NAMES[expression]}"
                files = tree.listing(f"{folder}/{name}").files
                frames = numbered_frames(builder, sequence_id, f"{folder}/{name}", files)
                apex = centred_positions(len(frames), peak_frames, len(frames) // 2)
                builder.add(sequence_id, subject.upper(), expression, frames, apex, neutral_position(apex))
            for expression in sorted(missing):
                builder.reject(f"{subject.upper()}_{_FOLDER_NAMES[expression]}", "", "sequence folder is missing")
    return builder.finish()

"""CK+: image sequences from neutral to the apex, with labels in a second tree.

The four archives unpack under parents that vary with the tool, so the trees are found by their shape: a folder of
subjects `S005` with sessions `001`, which holds frames `S005_001_00000001.png`, or labels `…_emotion.txt`, or both.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fersnet.datasets.image_folders import numbered_frames
from fersnet.datasets.sequences import (
    UNLABELLED,
    IndexBuilder,
    SequenceIndex,
    check_peak_frames,
    last_positions,
    neutral_position,
)
from fersnet.datasets.walk import Listing, Tree, is_image, join, open_tree
from fersnet.errors import UserError
from fersnet.expressions import CKPLUS_CODES, SEVEN
from fersnet.methods.contract import Reader, Reference, Terms

READER = Reader(
    name="CK+",
    classes=SEVEN,
    reference=Reference(
        authors="Lucey P., Cohn J. F., Kanade T., Saragih J., Ambadar Z. and Matthews I.",
        title="The Extended Cohn-Kanade Dataset (CK+): A Complete Dataset for Action Unit and Emotion-Specified "
        "Expression",
        venue="CVPR Workshops",
        year=2010,
    ),
    terms=Terms(
        people="123 people of 18 to 50 years, 118 of them with labels; 69 % women; 81 % Euro-American, 13 % "
        "Afro-American, 6 % others, in the owners' words",
        known_bias="Posed on request, one light, from the front; recruited around one university in the United States",
        licence="Agreement with the owner, for research only; its list says who may appear in print or on a screen",
        shown="listed",
        credit="©Jeffrey Cohn",
    ),
    rendered=True,
    subjects=118,
    sequences={"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83},
)

DEPTH = 3
_SUBJECT = re.compile(r"S[0-9]{3}", re.IGNORECASE)
_SESSION = re.compile(r"[0-9]{3}")
_FRAME = re.compile(r"(S[0-9]{3})_([0-9]{3})_", re.IGNORECASE)
_EMOTION = "_emotion.txt"


@dataclass(frozen=True)
class CkplusTree:
    """Where the two parts lie, relative to the root; `further` are second copies, which are not used."""

    images: str
    labels: str
    further: tuple[str, ...]


def locate(root: Path, *, follow_links: bool = False) -> CkplusTree:
    """Finds the image tree and the label tree, down to three levels below the root.

    Raises:
        UserError: if one of them is missing; the message says what was looked for.
    """
    tree = open_tree(root, lambda path, reason: None, follow_links)
    images: list[str] = []
    labels: list[str] = []
    for folder, listing in tree.below(DEPTH, stop=lambda name: _SUBJECT.fullmatch(name) is not None):
        has_images, has_labels = _content(tree, folder, listing)
        images += [folder] * has_images
        labels += [folder] * has_labels
    if images and not labels:
        labels = [folder for folder in images if _holds_labels(tree, folder)]
    if not images:
        raise UserError(
            f"{root}: no CK+ images found: looked {DEPTH} levels deep for folders like "
            f"cohn-kanade-images/S005/001/S005_001_00000001.png"
        )
    if not labels:
        raise UserError(
            f"{root}: no CK+ labels found: looked {DEPTH} levels deep for files like "
            f"Emotion/S005/001/S005_001_00000011_emotion.txt"
        )
    return CkplusTree(images[0], labels[0], tuple(sorted({*images[1:], *labels[1:]} - {images[0], labels[0]})))


def _sessions(tree: Tree, folder: str, subjects: Iterable[str]) -> Iterator[Listing]:
    for subject in filter(_SUBJECT.fullmatch, subjects):
        for session in filter(_SESSION.fullmatch, tree.listing(join(folder, subject)).folders):
            yield tree.listing(f"{join(folder, subject)}/{session}")


def _content(tree: Tree, folder: str, listing: Listing) -> tuple[bool, bool]:
    """Whether the sessions below a folder hold frames, and whether they hold labels; the first with either decides."""
    for session in _sessions(tree, folder, listing.folders):
        has_images = any(is_image(name) for name in session.files)
        has_labels = any(name.lower().endswith(_EMOTION) for name in session.files)
        if has_images or has_labels:
            return has_images, has_labels
    return False, False


def _holds_labels(tree: Tree, folder: str) -> bool:
    """Whether labels lie among the frames, as they do where somebody has unpacked all archives into one folder."""
    sessions = _sessions(tree, folder, tree.listing(folder).folders)
    return any(name.lower().endswith(_EMOTION) for session in sessions for name in session.files)


def read_index(root: Path, *, peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The labelled sequences of a CK+ tree. No image is opened.

    The apex is the last frame, so the peak frames are the last `peak_frames`; the first frame is neutral. Sequences
    without a label, or with code 0 (neutral), are noted as unlabelled.

    Raises:
        UserError: if the tree is not found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    where = locate(root, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    for folder in where.further:
        builder.reject("", folder, f"second copy of the tree; {where.images or root} and its labels are used")
    for subject in tree.listing(where.images).folders:
        folder = join(where.images, subject)
        if _SUBJECT.fullmatch(subject) is None:
            builder.reject("", folder, "not a subject folder")
            continue
        labelled = set(tree.listing(join(where.labels, subject)).folders) if _exists(tree, where, subject) else set()
        for session in tree.listing(folder).folders:
            if _SESSION.fullmatch(session) is None:
                builder.reject("", f"{folder}/{session}", "not a session folder")
                continue
            sequence_id = f"{subject.upper()}_{session}"
            frames = _frames(builder, tree, sequence_id, f"{folder}/{session}")
            labels = f"{join(where.labels, subject)}/{session}"
            expression = _label(builder, tree, sequence_id, labels if session in labelled else None)
            if expression is not None:
                apex = last_positions(len(frames), peak_frames)
                builder.add(sequence_id, subject.upper(), expression, frames, apex, neutral_position(apex))
    return builder.finish()


def _exists(tree: Tree, where: CkplusTree, subject: str) -> bool:
    return (tree.root / where.labels / subject).is_dir()


def _frames(builder: IndexBuilder, tree: Tree, sequence_id: str, folder: str) -> list[str]:
    own = []
    for name in tree.listing(folder).files:
        match = _FRAME.match(name)
        if is_image(name) and match is not None and f"{match[1].upper()}_{match[2]}" != sequence_id:
            builder.reject(sequence_id, f"{folder}/{name}", f"file name does not fit {sequence_id}_00000001.png")
        else:
            own.append(name)
    return numbered_frames(builder, sequence_id, folder, own)


def _label(builder: IndexBuilder, tree: Tree, sequence_id: str, folder: str | None) -> str | None:
    """The expression in the one label file of a session, or None after noting why there is none."""
    if folder is None:
        builder.reject(sequence_id, "", f"{UNLABELLED}: no label folder")
        return None
    names = [name for name in tree.listing(folder).files if name.lower().endswith(_EMOTION)]
    if not names:
        builder.reject(sequence_id, "", f"{UNLABELLED}: label folder is empty")
        return None
    codes = {_code(tree.root / folder / name) for name in names}
    if len(codes) > 1:
        builder.reject(sequence_id, folder, "label files contradict each other")
        return None
    code = codes.pop()
    if code == 0:
        builder.reject(sequence_id, f"{folder}/{names[0]}", f"{UNLABELLED}: code 0 is neutral")
    elif code not in CKPLUS_CODES:
        builder.reject(sequence_id, f"{folder}/{names[0]}", "label file does not hold one code from 0 to 7")
        return None
    return CKPLUS_CODES.get(code)


def _code(path: Path) -> int:
    """The code in a label file, which holds one float such as `   3.0000000e+00`; -1 if it holds anything else."""
    try:
        with path.open("rb") as file:
            text = file.read(256).decode("ascii")
        value = float(text)
    except (OSError, ValueError):
        return -1
    return int(value) if value in range(8) else -1

"""A user's own data as folders: `subject/expression/*.png`, or `subject/expression/sequence/*.png`."""

from pathlib import Path

from fersnet.datasets.labels import ACCEPTED, expression_named
from fersnet.datasets.sequences import (
    IndexBuilder,
    SequenceIndex,
    centred_positions,
    check_peak_frames,
    choice,
    last_positions,
    neutral_position,
)
from fersnet.datasets.subjects import SubjectError, check_subjects
from fersnet.datasets.walk import Listing, is_image, join, natural_key, open_tree
from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.methods.contract import Reader

READER = Reader(
    name="folders of pictures",
    classes=SIX,
)

APEX_RULES = ("last", "middle", "all")


def locate(root: Path, *, apex: str = "last", follow_links: bool = False) -> str:
    """The first expression folder below a subject folder, relative to the root.

    Raises:
        UserError: if there is none, the subjects' folders are not named after people, or an option is wrong.
    """
    choice("apex", apex, APEX_RULES)
    tree = open_tree(root, lambda path, reason: None, follow_links)
    found: dict[str, str] = {}
    for subject in tree.listing("").folders:
        for name in tree.listing(subject).folders:
            if expression_named(name) is not None:
                found.setdefault(subject, name)
    if not found:
        raise UserError(
            f"{root}: no folders of the form subject/expression/*.png found; an expression folder is called one of "
            f"{ACCEPTED}"
        )
    try:
        check_subjects(found)
    except SubjectError as error:
        raise SubjectError(f"{root}: {error}") from None
    return join(*next(iter(found.items())))


def read_index(root: Path, *, apex: str = "last", peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The sequences of a folder tree, their frames in natural order of the file names. No image is opened.

    Images that lie directly in a subject/expression folder form one sequence, each folder below it another. The
    sequence id is the folder's path relative to the root, in composed form. Rules for the peak frames: `last` (default)
    and `middle` take `peak_frames` of them; with `all`, for unrelated still images, every image is a peak and none is
    neutral. A folder `neutral` is a sequence like the others: a class where the dataset's `expressions` name it, and
    otherwise its subject's neutral face.

    Raises:
        UserError: if no such folder is found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    rule = choice("apex", apex, APEX_RULES)
    locate(root, apex=apex, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    for subject in tree.listing("").folders:
        for name in tree.listing(subject).folders:
            folder = f"{subject}/{name}"
            expression = expression_named(name)
            if expression is None:
                builder.reject("", folder, f"folder name is not one of {ACCEPTED}")
                continue
            listing = tree.listing(folder)
            parts = [(part, tree.listing(part)) for part in (f"{folder}/{below}" for below in listing.folders)]
            if _images(listing) or not parts:
                parts.append((folder, listing))
            for part, content in parts:
                frames = [join(part, image) for image in _images(content)]
                positions = apex_positions(rule, len(frames), peak_frames)
                sequence_id = builder.free_id(part)
                builder.add(sequence_id, subject, expression, frames, positions, neutral_position(positions))
    return builder.finish()


def apex_positions(rule: str, n_frames: int, peak_frames: int) -> list[int]:
    """Positions of the peak frames by the rule `last`, `middle` or `all`."""
    if rule == "all":
        return list(range(n_frames))
    if rule == "middle":
        return centred_positions(n_frames, peak_frames, n_frames // 2)
    return last_positions(n_frames, peak_frames)


def _images(listing: Listing) -> list[str]:
    return sorted(filter(is_image, listing.files), key=natural_key)

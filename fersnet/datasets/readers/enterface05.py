"""eNTERFACE'05: 44 people who speak in six emotions, `subject 1/anger/sentence 1/s1_an_1.avi`.

Subject and emotion come from the folders: several files are named after another subject.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fersnet.datasets import spoken
from fersnet.datasets.completeness import report_missing
from fersnet.datasets.labels import expression_named
from fersnet.datasets.open_sets.enterface05 import REFERENCE, TERMS
from fersnet.datasets.sequences import IndexBuilder, SequenceIndex, check_peak_frames
from fersnet.datasets.walk import Tree, is_video, join, natural_key, open_tree
from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.methods.contract import Reader

READER = Reader(
    name="eNTERFACE'05",
    classes=SIX,
    reference=REFERENCE,
    terms=TERMS,
    subjects=44,
    sequences=dict.fromkeys(SIX, 216) | {"happiness": 213},
)

DEPTH = 3
"""Of the folders of subjects below the root."""
SUBJECTS = [f"s{subject:02d}" for subject in range(1, 45)]
CLIPS = 30
"""Of a subject: five sentences of each emotion."""
IRREGULAR = "s06"
"""The subject without folders of sentences, whose number of clips differs."""
_SUBJECT = re.compile(r"subject[ _-]*0*([0-9]{1,3})", re.IGNORECASE)


def _subjects(tree: Tree) -> Iterator[tuple[str, str]]:
    """Folders of subjects that hold folders of emotions, with the subject's name, in the order of their numbers."""
    found = []
    for folder, listing in tree.below(DEPTH, stop=lambda name: _SUBJECT.fullmatch(name) is not None):
        for name in listing.folders:
            match = _SUBJECT.fullmatch(name)
            if match is not None and any(map(_emotion, tree.listing(join(folder, name)).folders)):
                found.append((int(match[1]), join(folder, name)))
    for number, folder in sorted(found, key=lambda place: place[0]):
        yield folder, f"s{number:02d}"


def _emotion(name: str) -> str | None:
    expression = expression_named(name)
    return expression if expression in SIX else None


def _clips(tree: Tree, folder: str) -> list[str]:
    """The videos of an emotion's folder, in it or in its folders of sentences, in natural order."""
    listing = tree.listing(folder)
    places = [(folder, listing), *((join(folder, name), tree.listing(join(folder, name))) for name in listing.folders)]
    videos = [join(place, name) for place, content in places for name in content.files if is_video(name)]
    return sorted(videos, key=natural_key)


def locate(root: Path, *, follow_links: bool = False) -> str:
    """The first clip, relative to the root.

    Raises:
        UserError: if there is none.
    """
    tree = open_tree(root, lambda path, reason: None, follow_links)
    for folder, _ in _subjects(tree):
        for name in filter(_emotion, tree.listing(folder).folders):
            for path in _clips(tree, join(folder, name)):
                return path
    raise UserError(
        f"{root}: no eNTERFACE'05 videos found: looked {DEPTH} levels deep for folders like subject 1/anger that hold "
        "sentence 1/s1_an_1.avi"
    )


def read_index(root: Path, *, peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The clips of a tree; their frames and peaks are found by `complete_index`. No video is opened.

    Raises:
        UserError: if no clip is found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    locate(root, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    found: Counter[str] = Counter()
    used: dict[str, str] = {}
    for folder, subject in _subjects(tree):
        if used.setdefault(subject, folder) != folder:
            builder.reject("", folder, f"second copy of a subject; {used[subject]} is used")
            continue
        for name in tree.listing(folder).folders:
            expression = _emotion(name)
            if expression is None:
                builder.reject("", join(folder, name), "not an emotion's folder")
                continue
            for path in _clips(tree, join(folder, name)):
                stem = path.rpartition("/")[2].rpartition(".")[0]
                spoken.add_clip(builder, builder.free_id(f"{subject}_{expression}_{stem}"), subject, expression, path)
                found[subject] += 1
    expected = {subject: CLIPS for subject in SUBJECTS if subject != IRREGULAR or not found[subject]}
    report_missing(builder, expected, found)
    if found[IRREGULAR] not in (0, CLIPS):
        builder.reject("", "", f"an uneven number of clips, which are used; {found[IRREGULAR]} of {IRREGULAR}")
    return builder.finish()


def complete_index(
    index: SequenceIndex, root: Path, *, peak_frames: int, workers: int, follow_links: bool = False
) -> SequenceIndex:
    """The index with frames and peaks, see `fersnet.datasets.spoken.complete`. A tracking file lies beside its clip, or
    anywhere with its name where only one clip has it."""
    videos = dict(zip(index.sequences["sequence_id"], (frames[0] for frames in index.sequences["frames"]), strict=True))
    stems = Counter(_stem(video) for video in videos.values())
    ids = {_stem(video): sequence_id for sequence_id, video in videos.items() if stems[_stem(video)] == 1}
    tree = open_tree(root, lambda path, reason: None, follow_links)
    tracking = spoken.tracking_files(tree, DEPTH + 3, lambda stem: ids.get(stem.casefold()))
    return spoken.complete(index, root, tracking, peak_frames, workers)


def _stem(video: str) -> str:
    return video.rpartition("/")[2].rpartition(".")[0].casefold()

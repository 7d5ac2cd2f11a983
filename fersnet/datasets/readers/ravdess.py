"""RAVDESS: 24 actors who speak two sentences, `Actor_01/02-01-06-01-02-01-01.mp4`.

Clips are found by their names, whatever folders the archives have been unpacked to. A take lies there twice, with sound
(`01-`) and without (`02-`), and shows the same pictures.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fersnet.datasets import spoken
from fersnet.datasets.completeness import report_missing
from fersnet.datasets.open_sets.ravdess import REFERENCE, TERMS
from fersnet.datasets.sequences import IndexBuilder, Person, SequenceIndex, check_peak_frames
from fersnet.datasets.walk import Tree, is_video, join, open_tree
from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL, SIX
from fersnet.methods.contract import Reader

READER = Reader(
    name="RAVDESS",
    classes=SIX,
    reference=REFERENCE,
    terms=TERMS,
    subjects=24,
    sequences=dict.fromkeys(SIX, 192) | {NEUTRAL: 96},
)

DEPTH = 4
CODES = {
    "01": NEUTRAL,
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
CALM = "02"
SPEECH, SONG = "01", "02"
ACTORS = [f"{actor:02d}" for actor in range(1, 25)]
TAKES = 60
"""Spoken takes of an actor: four neutral ones and eight of each other emotion, calm among them."""
_STEM = re.compile(r"(0[12])-((0[12])-(0[1-8])-(?:0[12])-(?:0[12])-(?:0[12])-([0-9]{2}))")


def _clips(tree: Tree) -> Iterator[tuple[str, re.Match[str]]]:
    for folder, listing in tree.below(DEPTH):
        for name in filter(is_video, listing.files):
            match = _STEM.fullmatch(name.rpartition(".")[0])
            if match is not None:
                yield join(folder, name), match


def locate(root: Path, *, follow_links: bool = False) -> str:
    """The first spoken clip, relative to the root, down to four levels below it.

    Raises:
        UserError: if there is none.
    """
    for path, match in _clips(open_tree(root, lambda path, reason: None, follow_links)):
        if match[3] == SPEECH:
            return path
    raise UserError(
        f"{root}: no RAVDESS videos of speech found: looked {DEPTH} levels deep for files like "
        "Actor_01/02-01-06-01-02-01-01.mp4"
    )


def read_index(root: Path, *, peak_frames: int = 3, follow_links: bool = False) -> SequenceIndex:
    """The spoken takes of a tree, those without sound where there are two; their frames and peaks are found by
    `complete_index`. No video is opened. Songs, which lack two expressions, and calm are rejected.

    Raises:
        UserError: if no clip is found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    locate(root, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    takes: dict[str, dict[str, str]] = {}
    for path, match in _clips(tree):
        copies = takes.setdefault(match[2], {})
        if match[1] in copies:
            builder.reject(match[2], path, f"second copy of a take; {copies[match[1]]} is used")
        else:
            copies[match[1]] = path
    found: Counter[str] = Counter()
    for take, copies in takes.items():
        channel, emotion, actor = take[:2], take[3:5], take[-2:]
        path = copies[max(copies)]
        if channel == SONG:
            builder.reject(take, path, "sung, not spoken")
            continue
        found[actor] += 1
        if emotion == CALM:
            builder.reject(take, path, "calm is no basic expression")
            continue
        spoken.add_clip(builder, take, actor, CODES[emotion], path)
        builder.describe(actor, Person(sex="male" if int(actor) % 2 else "female"))
    report_missing(builder, dict.fromkeys(ACTORS, TAKES), found)
    return builder.finish()


def complete_index(
    index: SequenceIndex, root: Path, *, peak_frames: int, workers: int, follow_links: bool = False
) -> SequenceIndex:
    """The index with frames and peaks, see `fersnet.datasets.spoken.complete`; tracking files are named after the take
    with sound."""

    def take_of(stem: str) -> str | None:
        match = _STEM.fullmatch(stem)
        return None if match is None else match[2]

    tree = open_tree(root, lambda path, reason: None, follow_links)
    return spoken.complete(index, root, spoken.tracking_files(tree, DEPTH, take_of), peak_frames, workers)

"""CREMA-D: 91 actors who speak twelve sentences, `VideoFlash/1001_DFA_ANG_XX.flv`; five expressions and neutral."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fersnet.datasets import spoken
from fersnet.datasets.completeness import report_missing
from fersnet.datasets.open_sets.cremad import REFERENCE, TERMS
from fersnet.datasets.people import read_side_table, sex_of, side_tables, whole_years
from fersnet.datasets.sequences import IndexBuilder, OptionError, Person, SequenceIndex, check_peak_frames
from fersnet.datasets.walk import Tree, is_video, join, open_tree
from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL
from fersnet.methods.contract import Reader

READER = Reader(
    name="CREMA-D",
    classes=("anger", "disgust", "fear", "happiness", "sadness"),
    reference=REFERENCE,
    terms=TERMS,
    subjects=91,
    sequences=dict.fromkeys(("anger", "disgust", "fear", "happiness", "sadness"), 1271) | {NEUTRAL: 1087},
)

DEPTH = 4
CODES = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "NEU": NEUTRAL, "SAD": "sadness"}
EXPECTED = {str(actor): 82 for actor in range(1001, 1092)} | {
    **dict.fromkeys(("1002", "1076"), 81),
    **dict.fromkeys(("1008", "1009", "1019"), 76),
}
"""Clips by actor."""
UNUSABLE = frozenset({"1076_MTI_NEU_XX", "1076_MTI_SAD_XX", "1064_TIE_SAD_XX", "1064_IEO_DIS_MD"})
"""Clips of the release that show or hold nothing."""
_STEM = re.compile(rf"([0-9]{{4}})_([A-Z]{{3}})_({'|'.join(CODES)})_(LO|MD|HI|XX|X)", re.IGNORECASE)
_PEOPLE = ("videodemographics.csv",)
_VOTES = ("summarytable.csv",)


def _clips(tree: Tree) -> Iterator[tuple[str, re.Match[str]]]:
    for folder, listing in tree.below(DEPTH):
        for name in filter(is_video, listing.files):
            match = _STEM.fullmatch(name.rpartition(".")[0])
            if match is not None:
                yield join(folder, name), match


def locate(root: Path, *, agreed: bool = False, follow_links: bool = False) -> str:
    """The first clip, relative to the root, down to four levels below it.

    Raises:
        UserError: if there is none, or the votes that `agreed` needs are missing.
    """
    tree = open_tree(root, lambda path, reason: None, follow_links)
    first = next((path for path, _ in _clips(tree)), None)
    if first is None:
        raise UserError(
            f"{root}: no CREMA-D videos found: looked {DEPTH} levels deep for files like VideoFlash/1001_DFA_ANG_XX.flv"
        )
    if agreed and not side_tables(tree, DEPTH, _VOTES):
        raise OptionError(
            f"options.agreed: {root}: processedResults/summaryTable.csv is missing, which says what people saw in "
            "each clip; add the file, or leave the option out"
        )
    return first


def read_index(root: Path, *, peak_frames: int = 3, agreed: bool = False, follow_links: bool = False) -> SequenceIndex:
    """The clips of a tree; their frames and peaks are found by `complete_index`. No video is opened. Sex, age and
    ethnicity come from `VideoDemographics.csv`, where it is there.

    Args:
        agreed: whether to keep only those clips in whose pictures most people saw the acted emotion, by
            `processedResults/summaryTable.csv`.

    Raises:
        UserError: if no clip is found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    locate(root, agreed=agreed, follow_links=follow_links)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    quiet = Tree(tree.root, lambda path, reason: None, follow_links)
    votes = _votes(builder, quiet) if agreed else {}
    found: Counter[str] = Counter()
    for path, match in _clips(tree):
        sequence_id, actor, code = match[0].upper(), match[1], match[3].upper()
        found[actor] += 1
        if sequence_id in UNUSABLE:
            builder.reject(sequence_id, path, "known to be unusable")
        elif agreed and votes.get(sequence_id) != code[0]:
            builder.reject(sequence_id, path, f"not agreed on; seen: {votes.get(sequence_id) or 'no vote'}")
        else:
            spoken.add_clip(builder, sequence_id, actor, CODES[code], path)
    report_missing(builder, EXPECTED, found)
    columns = ("ActorID", "Age", "Sex", "Race", "Ethnicity")
    for row in read_side_table(builder, quiet, side_tables(quiet, DEPTH, _PEOPLE), columns):
        builder.describe(
            row["ActorID"], Person(sex=sex_of(row["Sex"]), age=whole_years(row["Age"]), ethnicity=_ethnicity(row))
        )
    return builder.finish()


def _votes(builder: IndexBuilder, tree: Tree) -> dict[str, str]:
    """What most people saw in the pictures of a clip: A D F H N S, or several for a tie."""
    rows = read_side_table(builder, tree, side_tables(tree, DEPTH, _VOTES), ("FileName", "FaceVote"))
    return {row["FileName"].upper(): row["FaceVote"].upper() for row in rows}


def _ethnicity(row: dict[str, str]) -> str | None:
    names = [row["Race"]] if row["Race"].casefold() != "unknown" else []
    names += ["Hispanic"] if row["Ethnicity"].casefold() == "hispanic" else []
    return ", ".join(filter(None, names)) or None


def complete_index(
    index: SequenceIndex,
    root: Path,
    *,
    peak_frames: int,
    workers: int,
    agreed: bool = False,
    follow_links: bool = False,
) -> SequenceIndex:
    """The index with frames and peaks, see `fersnet.datasets.spoken.complete`."""

    def clip_of(stem: str) -> str | None:
        return stem.upper() if _STEM.fullmatch(stem) else None

    tree = open_tree(root, lambda path, reason: None, follow_links)
    return spoken.complete(index, root, spoken.tracking_files(tree, DEPTH, clip_of), peak_frames, workers)

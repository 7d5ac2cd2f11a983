"""MMI: sessions of one video with XML files beside it, as the database's site hands them out.

Several dated downloads may lie side by side, so sessions are found by their shape: a folder that holds `S035-004.avi`
beside `S035-004.xml`, with `session.xml` and sometimes `S035-004-oao_aucs.xml`. The folder's number is not the subject.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fersnet.datasets import mmi_xml
from fersnet.datasets.mmi_xml import XmlError
from fersnet.datasets.sequences import (
    UNLABELLED,
    IndexBuilder,
    OptionError,
    SequenceIndex,
    centred_positions,
    check_peak_frames,
    neutral_position,
)
from fersnet.datasets.video import VideoError, VideoScan, peak_by_distance, peak_by_markers, scan_video
from fersnet.datasets.walk import VIDEO_SUFFIXES, Listing, Tree, is_image, join, natural_key, open_tree
from fersnet.errors import UserError
from fersnet.expressions import MMI_CODES, SIX
from fersnet.methods.contract import Reader, Reference, Terms
from fersnet.project import named_file

READER = Reader(
    name="MMI",
    classes=SIX,
    reference=Reference(
        authors="Pantic M., Valstar M., Rademaker R. and Maat L.",
        title="Web-Based Database for Facial Expression Analysis",
        venue="ICME",
        year=2005,
    ),
    terms=Terms(
        people="31 people with the labels that the paper counts, of the 52 that the set began with: 19 to 62 years, "
        "48 % women; European, Asian and South American, in the owners' words",
        known_bias="Posed, few people, several recordings of the same; glasses, headgear and beards occur",
        licence="Account with the owner, for research only; whether faces may be shown is a matter of its terms of use",
        shown="by permission",
    ),
    rendered=True,
    subjects=31,
    sequences={"anger": 33, "disgust": 32, "fear": 28, "happiness": 42, "sadness": 32, "surprise": 41},
)

DEPTH = 5
_STEM = re.compile(r"(S[0-9]+)-[0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class Session:
    """One recording: its folder relative to the root, its stem `S035-004`, and the files beside it by lower case."""

    folder: str
    stem: str
    files: dict[str, str]

    def path(self, ending: str) -> str | None:
        """The file with the session's stem and this ending, relative to the root, ignoring case."""
        name = self.files.get(f"{self.stem}{ending}".lower())
        return None if name is None else join(self.folder, name)

    @property
    def video(self) -> str | None:
        """The video, relative to the root."""
        return next((path for path in map(self.path, VIDEO_SUFFIXES) if path is not None), None)


def _sessions(tree: Tree) -> Iterator[Session]:
    for folder, listing in tree.below(DEPTH):
        yield from _sessions_in(folder, listing)


def _sessions_in(folder: str, listing: Listing) -> list[Session]:
    files = {name.lower(): name for name in listing.files}
    stems: dict[str, str] = {}
    for name in listing.files:
        stem, _, suffix = name.rpartition(".")
        if _STEM.fullmatch(stem) and (f".{suffix.lower()}" in (".xml", *VIDEO_SUFFIXES) or is_image(name)):
            stems.setdefault(stem.upper(), stem)
    return [Session(folder, stem, files) for stem in stems.values()]


def locate(root: Path, *, follow_links: bool = False, selection: str | None = None) -> str:
    """The first folder, relative to the root, that holds a labelled session's two files.

    Raises:
        UserError: if there is none down to five levels below the root, or `selection` cannot be read.
    """
    _selected(selection)
    for session in _sessions(open_tree(root, lambda path, reason: None, follow_links)):
        if session.path(".xml") is not None and session.video is not None:
            return session.folder
    raise UserError(
        f"{root}: no MMI sessions found: looked {DEPTH} levels deep for folders like Sessions/1729 that hold "
        "S035-004.avi (or .mpg) beside S035-004.xml and session.xml"
    )


def read_index(
    root: Path, *, peak_frames: int = 3, follow_links: bool = False, selection: str | None = None
) -> SequenceIndex:
    """The labelled frontal and dual-view sequences of an MMI tree. Every labelled video is decoded once.

    Labels are the emotion codes 1 to 6; higher codes and sessions without one are noted as unlabelled. Profile views,
    still images and videos that do not decode are rejected. The peak frames lie around, in this order: the frame in
    which most action units are at their apex by the onset-apex-offset annotation; the frame farthest from the first one
    (`video.peak_by_distance`); the middle. The first frame is neutral.

    Args:
        selection: CSV file whose column `sequence` names the sessions to use, e.g. `config/mmi208.csv`, those behind
            the paper's counts; a labelled session that it does not name is noted and left out.

    Raises:
        UserError: if the tree is not found or an option is wrong.
    """
    check_peak_frames(peak_frames)
    locate(root, follow_links=follow_links, selection=selection)
    selected = _selected(selection)
    builder = IndexBuilder()
    tree = open_tree(root, lambda path, reason: builder.reject("", path, reason), follow_links)
    seen: dict[str, str] = {}
    for session in sorted(_sessions(tree), key=lambda item: natural_key(join(item.folder, item.stem))):
        sequence_id = session.stem.upper()
        if sequence_id in seen:
            builder.reject(sequence_id, session.folder, f"session occurs twice; {seen[sequence_id]} is used")
            continue
        seen[sequence_id] = session.folder
        if selected is not None and sequence_id not in selected:
            builder.reject(sequence_id, session.folder, f"{UNLABELLED}: not named in {selection}")
            continue
        _read_session(builder, tree, session, sequence_id, peak_frames)
    return builder.finish()


def _selected(selection: str | None) -> frozenset[str] | None:
    if selection is None:
        return None
    file = named_file(selection)
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        return frozenset(row["sequence"].strip().upper() for row in rows)
    except (OSError, UnicodeDecodeError, KeyError, AttributeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "no column `sequence`"
        raise OptionError(
            f"options.selection: {file.absolute()}: {reason}; name a CSV file with a column `sequence`"
        ) from None


def _read_session(builder: IndexBuilder, tree: Tree, session: Session, sequence_id: str, peak_frames: int) -> None:
    expression = _expression(builder, tree, session, sequence_id)
    if expression is None:
        return
    video = session.video
    if video is None:
        stills = any(is_image(name) and name.startswith(session.stem.lower()) for name in session.files)
        builder.reject(sequence_id, session.folder, "still images, not a sequence" if stills else "video is missing")
        return
    view = _view(builder, tree, session, sequence_id, video.rpartition("/")[2])
    if view == "profile":
        builder.reject(sequence_id, video, "profile view")
        return
    try:
        scan = scan_video(tree.root / video)
    except VideoError as error:
        builder.reject(sequence_id, video, str(error))
        return
    if scan.n_frames < scan.announced:
        reason = f"video ends after {scan.n_frames} of {scan.announced} announced frames; those are used"
        builder.reject(sequence_id, f"{video}#{scan.n_frames}", reason)
    peak = _annotated_peak(builder, tree, session, sequence_id, scan)
    apex = centred_positions(scan.n_frames, peak_frames, peak_by_distance(scan.distances) if peak is None else peak)
    frames = [f"{video}#{number}" for number in range(scan.n_frames)]
    subject = sequence_id.split("-")[0]
    builder.add(sequence_id, subject, expression, frames, apex, neutral_position(apex), view)


def _expression(builder: IndexBuilder, tree: Tree, session: Session, sequence_id: str) -> str | None:
    label = session.path(".xml")
    if label is None:
        builder.reject(sequence_id, session.folder, f"{UNLABELLED}: {session.stem}.xml is missing")
        return None
    try:
        code = mmi_xml.emotion_code(mmi_xml.parse(tree.root / label))
    except XmlError as error:
        builder.reject(sequence_id, label, str(error))
        return None
    if code is None:
        builder.reject(sequence_id, label, f"{UNLABELLED}: no emotion is given")
    elif code not in MMI_CODES:
        builder.reject(sequence_id, label, f"{UNLABELLED}: emotion code {code} is not among 1 to 6")
        return None
    return None if code is None else MMI_CODES[code]


def _view(builder: IndexBuilder, tree: Tree, session: Session, sequence_id: str, video: str) -> str:
    name = session.files.get("session.xml")
    if name is None:
        return "unknown"
    path = join(session.folder, name)
    try:
        return mmi_xml.view_of(mmi_xml.parse(tree.root / path), video)
    except XmlError as error:
        builder.reject(sequence_id, path, f"{error}; the view counts as unknown")
        return "unknown"


def _annotated_peak(
    builder: IndexBuilder, tree: Tree, session: Session, sequence_id: str, scan: VideoScan
) -> int | None:
    path = session.path("-oao_aucs.xml")
    if path is None:
        return None
    try:
        intervals = mmi_xml.apex_intervals(mmi_xml.parse(tree.root / path))
    except XmlError as error:
        builder.reject(sequence_id, path, f"{error}; the distance rule finds the peak")
        return None
    peak = peak_by_markers(intervals, scan.n_frames)
    if intervals and peak is None:
        builder.reject(sequence_id, path, "apex markers lie outside the video; the distance rule finds the peak")
    return peak

"""What the readers of spoken clips share: one video a sequence, its frames and peak found when it is decoded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fersnet.datasets.apex import (
    FIXED,
    MOTION,
    TRACKING,
    TrackingError,
    fixed_positions,
    peak_by_motion,
    peak_by_tracking,
)
from fersnet.datasets.sequences import (
    REJECTED_COLUMNS,
    IndexBuilder,
    SequenceIndex,
    centred_positions,
)
from fersnet.datasets.video import VideoError, opened_video
from fersnet.datasets.walk import Tree, join
from fersnet.expressions import NEUTRAL
from fersnet.faces.tracker import FaceTracker

if TYPE_CHECKING:
    from pandas import DataFrame

OPEN = ""
"""The rule of a clip that has not been decoded."""


@dataclass(frozen=True)
class Clip:
    """A clip that has been decoded: its frames, and where and by which rule the peak was found.

    `n_frames` is 0 where it cannot be used. `remarks` are pairs of a file and what is wrong with it.
    """

    n_frames: int = 0
    apex: tuple[int, ...] = ()
    rule: str = FIXED
    remarks: tuple[tuple[str, str], ...] = ()


def add_clip(builder: IndexBuilder, sequence_id: str, subject: str, expression: str, video: str) -> None:
    """Takes one video, not decoded yet; `complete` finds its frames and its peak."""
    builder.add(sequence_id, subject, expression, [video], [0], -1, apex_rule=OPEN)


def tracking_files(tree: Tree, depth: int, sequence_of: Callable[[str], str | None]) -> dict[str, str]:
    """Tracking files below a root, relative to it, by sequence: CSV files whose stem is that of a clip."""
    found: dict[str, str] = {}
    for folder, listing in tree.below(depth):
        for name in listing.files:
            stem, _, suffix = name.rpartition(".")
            sequence_id = sequence_of(stem) if suffix.lower() == "csv" else None
            if sequence_id is not None:
                found.setdefault(sequence_id, join(folder, name))
    return found


def complete(
    index: SequenceIndex, root: Path, tracking: Mapping[str, str], peak_frames: int, workers: int
) -> SequenceIndex:
    """The index with the frames and peaks of its clips; those that cannot be decoded are rejected.

    A neutral clip shows the neutral face in its middle; another one has none, since somebody who speaks does not begin
    neutral.

    Args:
        index: rows of `add_clip`.
        root: folder that their videos are relative to.
        tracking: tracking files, relative to the root, by sequence.
        peak_frames: peak frames per sequence.
        workers: number of processes.
    """
    from joblib import Parallel, delayed, parallel_config
    from pandas import DataFrame, concat

    rows = list(index.sequences.itertuples())
    tasks = [
        delayed(read_clip)(root, row.frames[0], tracking.get(row.sequence_id), peak_frames, bool(row.apex))
        for row in rows
    ]
    # loky starts clean interpreters; each holds one frame at a time.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        clips = Parallel(n_jobs=max(1, min(workers, len(tasks))))(tasks)
    kept, rejected = [], []
    for row, clip in zip(rows, clips, strict=True):
        rejected += [(row.sequence_id, path, reason) for path, reason in clip.remarks]
        kept.append(clip.n_frames > 0)
    sequences = _with_clips(index.sequences, clips)[kept].reset_index(drop=True)
    more = DataFrame(rejected, columns=list(REJECTED_COLUMNS), dtype="str")
    whole = concat([index.rejected, more]).sort_values(list(REJECTED_COLUMNS)).reset_index(drop=True)
    return SequenceIndex(sequences, whole)


def _with_clips(sequences: "DataFrame", clips: list[Clip]) -> "DataFrame":
    labelled = [bool(apex) for apex in sequences["apex"]]
    neutral = [expression == NEUTRAL for expression in sequences["expression"]]
    videos = [frames[0] for frames in sequences["frames"]]
    return sequences.assign(
        n_frames=[clip.n_frames for clip in clips],
        frames=[[f"{video}#{n}" for n in range(clip.n_frames)] for video, clip in zip(videos, clips, strict=True)],
        apex=[list(clip.apex) for clip in clips],
        neutral=[clip.n_frames // 2 if is_neutral else -1 for clip, is_neutral in zip(clips, neutral, strict=True)],
        apex_rule=[clip.rule if is_labelled else None for clip, is_labelled in zip(clips, labelled, strict=True)],
    )


@cache
def _tracker() -> FaceTracker:
    """One a process: its model takes half a second to read."""
    return FaceTracker()


def read_clip(root: Path, video: str, tracking: str | None, peak_frames: int, labelled: bool) -> Clip:
    """Decodes one video and finds its peak; a clip that gives a neutral face only has none."""
    import cv2

    cv2.setNumThreads(1)
    wrong: tuple[tuple[str, str], ...] = ()
    try:
        if not labelled:
            return _counted(root, video)
        if tracking is not None:
            clip = _counted(root, video)
            try:
                apex = centred_positions(clip.n_frames, peak_frames, peak_by_tracking(root / tracking, clip.n_frames))
                return replace(clip, apex=tuple(apex), rule=TRACKING)
            except TrackingError as error:
                wrong = ((tracking, f"{error}; another rule finds the peak"),)
        clip = _followed(root, video, peak_frames)
        return replace(clip, remarks=(*wrong, *clip.remarks))
    except VideoError as error:
        return Clip(remarks=(*wrong, (video, str(error))))


def _counted(root: Path, video: str) -> Clip:
    """A clip of which only the number of frames is asked."""
    with opened_video(root / video) as opened:
        n_frames = sum(1 for _ in opened.frames())
    return Clip(n_frames, remarks=_early_end(video, n_frames, opened.announced))


def _followed(root: Path, video: str, peak_frames: int) -> Clip:
    """A clip whose peak is where the face has moved farthest; at fixed places where no face can be followed."""
    with opened_video(root / video) as opened:
        points = np.stack(list(_tracker().follow(opened.frames())))
    n_frames, peak = len(points), peak_by_motion(points)
    if peak is None:
        apex, rule = fixed_positions(n_frames, peak_frames), FIXED
    else:
        apex, rule = centred_positions(n_frames, peak_frames, peak), MOTION
    return Clip(n_frames, tuple(apex), rule, _early_end(video, n_frames, opened.announced))


def _early_end(video: str, n_frames: int, announced: int) -> tuple[tuple[str, str], ...]:
    if n_frames >= announced:
        return ()
    return ((f"{video}#{n_frames}", f"video ends early; {n_frames} of {announced} announced frames are used"),)

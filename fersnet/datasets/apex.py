"""Where an expression peaks in a clip of somebody who speaks, which no such set marks.

No rule sees the label: a frame that is chosen by what the true expression looks like would carry it into the test fold.
The first rule that can be applied is taken:

* `tracking`: intensities of action units that lie beside the video, in OpenFace's CSV;
* `motion`: how far brows, lids, nose and mouth corners have moved from where they were at the beginning;
* `fixed`: frames at 35, 50 and 65 % of the clip.
"""

import csv
import re
from pathlib import Path

import numpy as np

TRACKING, MOTION, FIXED = "tracking", "motion", "fixed"
OUTER = 0.1
"""Share of a clip at each end in which no peak is looked for."""
FIXED_SHARES = (0.35, 0.65)
"""Between these shares of a clip lie the frames of the `fixed` rule."""

SPEECH = frozenset({"AU25_r", "AU26_r", "AU45_r"})
"""Action units that open the mouth or close the eyes, which speech and blinks do."""
SECONDS = 0.3
"""Width of the moving average over action units."""
FRAMES_PER_SECOND = 30.0
"""Where a tracking file does not tell."""

ANCHORS = (36, 39, 42, 45, 27, 28, 29, 30)
"""Eye corners and nose bridge, which an expression does not move."""
MOVING = (*range(17, 27), 31, 32, 33, 34, 35, 37, 38, 40, 41, 43, 44, 46, 47, 48, 54)
"""Brows, nose, lids and mouth corners; not the lips, which speech moves."""
FIRST_FRAMES = 5
SMOOTHED_FRAMES = 9
LEAST_TRACKED = 0.5
"""Share of a clip's frames in which a face must have been found for the `motion` rule."""

_UNIT = re.compile(r"AU[0-9]{2}_r")


class TrackingError(Exception):
    """A tracking file that cannot be used; the message is the reason."""


def fixed_positions(n_frames: int, count: int) -> list[int]:
    """`count` frames evenly spread from 35 to 65 % of a clip, one at its middle; fewer where it is too short."""
    shares = np.linspace(*FIXED_SHARES, count) if count > 1 else np.array([0.5])
    return sorted({int(position) for position in np.rint(shares * (n_frames - 1))})


def peak_by_tracking(path: Path, n_frames: int) -> int:
    """The frame with the largest sum of action units in an OpenFace file, those of speech and blinks apart.

    Rows count by their share of the clip, since a file may have more or fewer rows than the video has frames. Frames in
    which the face was lost (`success` 0) are bridged.

    Raises:
        TrackingError: if it is no such file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.reader(lines)
            names = [name.strip() for name in next(rows, [])]
            units = [place for place, name in enumerate(names) if _UNIT.fullmatch(name) and name not in SPEECH]
            if not units:
                raise TrackingError("tracking file has no column like AU01_r")
            wanted = [*units, *(names.index(name) for name in ("success", "timestamp") if name in names)]
            values = np.array([[float(row[place]) for place in wanted] for row in rows if row])
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise TrackingError(f"tracking file cannot be read: {error}") from None
    if not len(values):
        raise TrackingError("tracking file has no rows")
    curve = values[:, : len(units)].sum(axis=1)
    if "success" in names:
        curve[values[:, len(units)] <= 0] = np.nan
    curve = bridged(curve)
    if curve is None:
        raise TrackingError("tracking file has lost the face throughout")
    steps = np.diff(values[:, -1]) if "timestamp" in names else np.array([])
    steps = steps[np.isfinite(steps) & (steps > 0)]
    frames = SECONDS / float(np.median(steps)) if len(steps) else SECONDS * FRAMES_PER_SECOND
    peak = inner_maximum(smoothed(curve, frames))
    return round(peak / max(1, len(curve) - 1) * (n_frames - 1))


def peak_by_motion(points: np.ndarray) -> int | None:
    """The frame in which the face has moved farthest from how it began; None where it was seen too rarely.

    Args:
        points: landmarks (n, 68, 2), NaN in frames without a face.
    """
    seen = np.isfinite(points).all(axis=(1, 2))
    if not len(points) or seen.mean() < LEAST_TRACKED or seen.sum() < FIRST_FRAMES:
        return None
    tracked = points[seen].astype(np.float64)
    model = tracked[0, ANCHORS]
    distance = float(np.hypot(*(model[:2].mean(axis=0) - model[2:4].mean(axis=0))))
    faces = np.stack([_laid_on(face, model)[list(MOVING)] for face in tracked]) / distance
    start = np.median(faces[:FIRST_FRAMES], axis=0)
    curve = np.full(len(points), np.nan)
    curve[seen] = np.hypot(*np.moveaxis(faces - start, 2, 0)).mean(axis=1)
    whole = bridged(curve)
    return None if whole is None else inner_maximum(smoothed(whole, SMOOTHED_FRAMES))


def _laid_on(face: np.ndarray, model: np.ndarray) -> np.ndarray:
    """The landmarks (68, 2) under the similarity that lays their anchors on the model's (8, 2) in least squares."""
    points, target = face[:, 0] + 1j * face[:, 1], model[:, 0] + 1j * model[:, 1]
    source = points[list(ANCHORS)]
    centred = source - source.mean()
    turn = (np.conj(centred) @ (target - target.mean())) / max((np.conj(centred) @ centred).real, 1e-12)
    laid = turn * (points - source.mean()) + target.mean()
    return np.stack([laid.real, laid.imag], axis=1)


def bridged(curve: np.ndarray) -> np.ndarray | None:
    """The curve with its missing values (NaN) in straight lines between their neighbours; None where all are."""
    known = np.flatnonzero(np.isfinite(curve))
    return np.interp(np.arange(len(curve)), known, curve[known]) if len(known) else None


def smoothed(curve: np.ndarray, width: float) -> np.ndarray:
    """The moving average over an odd number of frames, next to `width`; the ends are continued."""
    half = max(0, round((width - 1) / 2))
    padded = np.pad(curve, half, mode="edge")
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")


def inner_maximum(curve: np.ndarray) -> int:
    """Where the curve is highest between 10 and 90 % of its length; in a plateau its middle."""
    margin = int(np.ceil(len(curve) * OUTER))
    inner = curve[margin : len(curve) - margin] if len(curve) > 2 * margin else curve
    margin = margin if len(curve) > 2 * margin else 0
    highest = np.flatnonzero(inner >= inner.max() - 1e-9)
    return margin + int(highest[len(highest) // 2])

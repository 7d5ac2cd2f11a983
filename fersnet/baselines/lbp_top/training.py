"""LBP-TOP: local binary patterns on three orthogonal planes, with a polynomial support vector machine.

G. Zhao and M. Pietikäinen, "Dynamic texture recognition using local binary patterns with an application to facial
expressions", IEEE PAMI 29(6), 2007.

Each voxel gets three codes, one per plane XY, XT, YT: eight neighbours on the ellipse with the radii of the plane's
two axes, interpolated bilinearly, each giving the bit 1 where it is at least as bright as the centre (equation 1). The
256 codes fall into 58 uniform ones (at most two changes between 0 and 1 around the circle) and the rest: 59 bins.
Histograms of overlapping blocks, each over all frames, are normalised to sum 1 and concatenated (equation 11):
rows x columns x 3 x 59 numbers, 9 x 8 blocks giving 12,744. Only voxels whose neighbours all lie in the clip count.

As published: LBP-TOP(8, 8, 8, 3, 3, 3), 9 x 8 blocks with 70 % overlap, second-degree polynomial kernel
(1 + g <a, b>)^2, one machine per pair of classes. Deviations: pairs vote with calibrated probabilities instead of whole
votes, so that classes get probabilities; the radius along time is chosen among 1 to 3, since 3 leaves only 6 of a
clip's 12 frames as centres; g is the inverse of the mean squared length of the training vectors, which the paper does
not state.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fersnet.baselines.clips import ClipSet, check_clips, training_parts
from fersnet.baselines.lbp_top import LbpTopSettings
from fersnet.baselines.svm import Choice, Option, PairwiseSvm, choose, fit_svm, write_fit

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

NEIGHBOURS = 8
BINS = 59
PLANES = ((1, 2), (0, 2), (0, 1))
"""Axes (of time, y, x) of the planes XY, XT, YT: first the axis of the sine, then that of the cosine."""
TIE = 1e-3
"""Grey levels below the centre that still count as equal: interpolating equal values gives rounding errors."""


def uniform_bins() -> np.ndarray:
    """uint8 (256,): the bin of each code; uniform codes in ascending order get 0 to 57, all others 58."""
    codes = np.arange(2**NEIGHBOURS)
    turned = (codes >> 1) | ((codes & 1) << (NEIGHBOURS - 1))
    changes = np.array([int(code).bit_count() for code in codes ^ turned])
    bins = np.full(len(codes), BINS - 1, dtype=np.uint8)
    bins[changes <= 2] = np.arange(BINS - 1)
    return bins


def plane_codes(clips: np.ndarray, plane: tuple[int, int], radii: tuple[int, int, int]) -> np.ndarray:
    """Codes of one plane.

    Args:
        clips: uint8 (N, T, H, W).
        plane: The plane's two axes, of 0 time, 1 y, 2 x.
        radii: Radii along time, y, x.

    Returns:
        uint8 (N, T - 2 radii[0], H - 2 radii[1], W - 2 radii[2]): bit p is the neighbour at angle 2 pi p / 8, which
        lies at -sin along the first axis and +cos along the second.
    """
    shape = [extent - 2 * radius for extent, radius in zip(clips.shape[1:], radii, strict=True)]
    bright = clips.astype(np.float32)
    centre = _shifted(bright, radii, shape, (0, 0, 0)) - np.float32(TIE)
    codes = np.zeros((len(clips), *shape), dtype=np.uint8)
    for neighbour in range(NEIGHBOURS):
        angle = 2 * np.pi * neighbour / NEIGHBOURS
        offset = np.zeros(3)
        offset[plane[0]] = -radii[plane[0]] * np.sin(angle)
        offset[plane[1]] = radii[plane[1]] * np.cos(angle)
        value = _interpolated(bright, radii, shape, offset.round(9))
        codes |= (value >= centre).astype(np.uint8) << np.uint8(neighbour)
    return codes


def features(clips: np.ndarray, time_radius: int, settings: LbpTopSettings) -> np.ndarray:
    """Block histograms float32 (N, rows x columns x 3 x 59) of clips uint8 (N, T, H, W)."""
    radii = (time_radius, settings.radius, settings.radius)
    bins = uniform_bins()
    height, width = (extent - 2 * settings.radius for extent in clips.shape[2:])
    down, to_rows = block_strips(height, settings.blocks[0], settings.overlap)
    across, to_columns = block_strips(width, settings.blocks[1], settings.overlap)
    strips = (down[:, None] * to_columns.shape[1] + across) * BINS
    count = to_rows.shape[1] * to_columns.shape[1] * BINS
    result = np.empty((len(clips), *settings.blocks, len(PLANES), BINS), dtype=np.float32)
    # Clip by clip, the planes stay in the processor's cache.
    for number in range(len(clips)):
        for position, plane in enumerate(PLANES):
            codes = plane_codes(clips[number : number + 1], plane, radii)[0]
            counts = np.bincount((bins[codes] + strips).ravel(), minlength=count)
            cells = counts.reshape(to_rows.shape[1], to_columns.shape[1] * BINS).astype(np.float32)
            rows = (to_rows @ cells).reshape(len(to_rows), to_columns.shape[1], BINS)
            blocks = to_columns @ rows
            result[number, :, :, position] = blocks / blocks.sum(axis=2, keepdims=True)
    return result.reshape(len(clips), settings.blocks[0] * settings.blocks[1] * len(PLANES) * BINS)


def block_strips(length: int, blocks: int, overlap: float) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping blocks along one axis as sums of strips that do not overlap.

    Blocks of b = length / (1 + (blocks - 1)(1 - overlap)) pixels, at least one, start every b (1 - overlap) pixels,
    rounded up from the half, so that none is empty.

    Returns:
        int64 (length,), the strip of each pixel, and float32 (blocks, strips), 1 where a block holds a strip.
    """
    side = length / (1 + (blocks - 1) * (1 - overlap))
    origins = np.arange(blocks) * side * (1 - overlap) + 0.5
    starts, ends = np.floor(origins).astype(np.int64), np.floor(origins + side).astype(np.int64)
    edges = np.unique([0, *starts, *ends, length])
    strip = np.searchsorted(edges, np.arange(length), side="right") - 1
    lower = edges[:-1]
    member = (lower >= starts[:, None]) & (lower < ends[:, None])
    return strip, member.astype(np.float32)


@dataclass(frozen=True)
class LbpTopModel:
    """A fitted machine with the training vectors that its kernel needs."""

    settings: LbpTopSettings
    time_radius: int
    vectors: np.ndarray
    """float32 (n, d), of the training clips."""
    scale: float
    machine: PairwiseSvm

    def predict_proba(self, clips: ClipSet) -> np.ndarray:
        """Class probabilities float32 (N, classes)."""
        return self.machine.predict_proba(
            polynomial_kernel(features(clips.clips, self.time_radius, self.settings), self.vectors, self.scale)
        )


def polynomial_kernel(first: np.ndarray, second: np.ndarray, scale: float) -> np.ndarray:
    """(1 + scale <a, b>)^2 as float64 (N, M) of vectors (N, d) and (M, d)."""
    return (1 + scale * (first @ second.T).astype(np.float64)) ** 2


def fit(train: ClipSet, validation: ClipSet, settings: LbpTopSettings, run: "TrainingRun", classes: int) -> LbpTopModel:
    """Chooses the radius along time and the cost on the validation clips, then fits on all clips given.

    The method draws nothing, so the run's seed does not change it.

    Raises:
        UserError: for an empty training set, or clips too short or too small for a neighbourhood or for the blocks.
    """
    fitted, everything = training_parts(train, validation)
    check_clips("lbp_top", settings, everything)
    frames = everything.clips.shape[1]
    time_radii = [radius for radius in settings.time_radii if frames > 2 * radius]
    choice = Choice({"time_radius": time_radii[0], "cost": settings.costs[0]})
    if len(fitted) and len(validation):
        options = (_option(fitted, validation, radius, settings) for radius in time_radii)
        choice = choose(options, fitted.labels, validation.labels, settings.costs, classes)
    time_radius = int(choice.parameters["time_radius"])
    vectors = features(everything.clips, time_radius, settings)
    scale = _scale(vectors)
    kernel = polynomial_kernel(vectors, vectors, scale)
    machine = fit_svm(kernel, everything.labels, float(choice.parameters["cost"]), classes, choice.slope)
    arrays = machine.state() | {"vectors": vectors, "scale": np.array(scale)}
    write_fit(run, "lbp_top", choice, arrays)
    return LbpTopModel(settings, time_radius, vectors, scale, machine)


def _option(fitted: ClipSet, validation: ClipSet, radius: int, settings: LbpTopSettings) -> Option:
    vectors = features(fitted.clips, radius, settings)
    held_out = features(validation.clips, radius, settings)
    scale = _scale(vectors)
    return Option(
        {"time_radius": radius},
        polynomial_kernel(vectors, vectors, scale),
        polynomial_kernel(held_out, vectors, scale),
    )


def _scale(vectors: np.ndarray) -> float:
    return float(1 / np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64).mean())


def _shifted(
    clips: np.ndarray, margins: tuple[int, int, int], shape: list[int], offset: tuple[int, int, int]
) -> np.ndarray:
    starts = [margin + step for margin, step in zip(margins, offset, strict=True)]
    cut = tuple(slice(start, start + extent) for start, extent in zip(starts, shape, strict=True))
    return clips[(slice(None), *cut)]


def _interpolated(clips: np.ndarray, margins: tuple[int, int, int], shape: list[int], offset: np.ndarray) -> np.ndarray:
    lower = np.floor(offset).astype(np.int64)
    share = offset - lower
    corners = np.stack(np.meshgrid(*[(0, 1) if part > 0 else (0,) for part in share], indexing="ij"), axis=-1)
    total: np.ndarray | None = None
    for corner in corners.reshape(-1, 3):
        weight = np.float32(np.where(corner == 1, share, 1 - share).prod())
        step = lower + corner
        value = _shifted(clips, margins, shape, (int(step[0]), int(step[1]), int(step[2]))) * weight
        total = value if total is None else np.add(total, value, out=total)
    return total if total is not None else clips

"""HOG 3D: histograms of spatio-temporal gradients on a dense grid, with a linear support vector machine.

A. Kläser, M. Marszałek and C. Schmid, "A spatio-temporal descriptor based on 3D-gradients", BMVC 2008.

The gradient (x, y, t) of every voxel is averaged over sub-blocks through integral videos (section 2.1). Each mean
gradient votes with its length for bins of its orientation, opposite directions being one: the ten axes through the
faces of an icosahedron, where a vote is the projection beyond the threshold at which a gradient along one axis leaves
all others without a vote (section 2.2), or 5 x 3 bins of azimuth and elevation (the released code's default). A
cell sums its sub-blocks; a descriptor holds the cells of its support, brought to unit length, cut at 0.25, and brought
to unit length again (section 2.3). Descriptors of all supports are concatenated: faces are aligned, so a place in the
vector is a place in the face.

Deviations, all for clips of 12 x 64 x 64 aligned faces: supports of 16 x 16 pixels and 4 to 6 frames with 2 x 2 x 2
cells on one dense grid and one scale, in place of sampled supports over several scales with 2 x 2 x 5 cells and a bag
of words; unit length is that of the whole descriptor as in the paper (the released code takes each cell's, which would
make overlapping supports copies of each other); as many of the 4 x 4 x 4 sub-blocks as a cell has pixels and frames.
"""

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Literal

import numpy as np

from fersnet.baselines.clips import ClipSet, check_clips, training_parts
from fersnet.baselines.hog3d import Hog3dSettings
from fersnet.baselines.svm import Choice, Option, PairwiseSvm, Parameter, choose, fit_svm, write_fit

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

Quantisation = Literal["icosahedron", "polar"]

POLAR_BINS = (5, 3)
"""Bins of azimuth over half a turn, and of elevation from pole to pole."""
TINY = 1e-6


@dataclass(frozen=True)
class Axis:
    """How supports, cells and sub-blocks divide one axis of a clip."""

    starts: np.ndarray
    """int64 (B,): first position of each sub-block."""
    ends: np.ndarray
    """int64 (B,): position after its last."""
    cell_blocks: np.ndarray
    """float32 (C, B): 1 where a cell holds a sub-block."""
    support_cells: np.ndarray
    """int64 (P, cells of a support): the cells of each support."""


def divide(length: int, support: int, stride: int, cells: int, sub_blocks: int) -> Axis:
    """Divides an axis of `length` positions into supports every `stride`, these into cells, these into sub-blocks.

    A support is at most the axis, has at most as many cells as positions, and a cell at most as many sub-blocks.
    Borders between whole positions are rounded; cells and sub-blocks that several supports share are one.
    """
    support = min(support, length)
    edges = np.round(np.linspace(0, support, min(cells, support) + 1)).astype(np.int64)
    cell_index: dict[tuple[int, int], int] = {}
    block_index: dict[tuple[int, int], int] = {}
    blocks_of: list[list[int]] = []
    supports = []
    for origin in range(0, length - support + 1, stride):
        members = []
        for start, end in zip(origin + edges[:-1], origin + edges[1:], strict=True):
            cell = (int(start), int(end))
            if cell not in cell_index:
                cell_index[cell] = len(cell_index)
                borders = np.round(np.linspace(*cell, min(sub_blocks, cell[1] - cell[0]) + 1)).astype(int).tolist()
                blocks = list(pairwise(borders))
                blocks_of.append([block_index.setdefault(block, len(block_index)) for block in blocks])
            members.append(cell_index[cell])
        supports.append(members)
    cell_blocks = np.zeros((len(cell_index), len(block_index)), dtype=np.float32)
    for number, members in enumerate(blocks_of):
        cell_blocks[number, members] = 1
    borders = np.array(list(block_index), dtype=np.int64)
    return Axis(borders[:, 0], borders[:, 1], cell_blocks, np.array(supports, dtype=np.int64))


def gradients(clips: np.ndarray) -> np.ndarray:
    """Central differences float32 (N, T, H, W, 3), in order x, y, t, of clips uint8 (N, T, H, W)."""
    bright = clips.astype(np.float32)
    return np.stack([np.gradient(bright, axis=axis) for axis in (3, 2, 1)], axis=-1)


def block_means(values: np.ndarray, axes: tuple[Axis, Axis, Axis]) -> np.ndarray:
    """Means over sub-blocks: (N, T, H, W, D) becomes (N, B_t, B_y, B_x, D), by running sums along one axis a time."""
    for position, axis in enumerate(axes, start=1):
        widths = [(1, 0) if other == position else (0, 0) for other in range(values.ndim)]
        running = np.pad(np.cumsum(values, axis=position), widths)
        sums = running.take(axis.ends, axis=position) - running.take(axis.starts, axis=position)
        extents = (axis.ends - axis.starts).astype(np.float32)
        values = sums / extents.reshape(-1, *[1] * (values.ndim - 1 - position))
    return values


def icosahedron_axes() -> np.ndarray:
    """float64 (10, 3): unit vectors through the centres of an icosahedron's faces, one of each opposite pair.

    They are the corners of the dual dodecahedron: (±1, ±1, ±1) and the even permutations of (0, ±1/phi, ±phi).
    """
    golden = (1 + 5**0.5) / 2
    corners = [(1.0, 1.0, 1.0), (1.0, 1.0, -1.0), (1.0, -1.0, 1.0), (1.0, -1.0, -1.0)]
    for sign in (1, -1):
        corners += [
            (0.0, 1 / golden, sign * golden),
            (1 / golden, sign * golden, 0.0),
            (sign * golden, 0.0, 1 / golden),
        ]
    return np.array(corners) / 3**0.5


def votes(means: np.ndarray, quantisation: Quantisation) -> np.ndarray:
    """Orientation votes float32 (..., bins), which sum to the gradient's length, of gradients (..., 3) in x, y, t."""
    length = np.linalg.norm(means, axis=-1)
    if quantisation == "icosahedron":
        axes = icosahedron_axes()
        # The largest projection of one axis onto another: beyond it, a gradient along an axis speaks for that one only.
        threshold = np.sort(np.abs(axes @ axes.T), axis=1)[:, -2].max()
        beyond = np.abs(means @ axes.T.astype(np.float32))
        beyond -= np.float32(threshold) * length[..., None]
        np.maximum(beyond, 0, out=beyond)
        return beyond * (length / np.maximum(beyond.sum(axis=-1), TINY))[..., None]
    across, down, later = means[..., 0], means[..., 1], means[..., 2]
    azimuth = np.arctan2(down, across)
    opposite = azimuth < 0
    later = np.where(opposite, -later, later)
    azimuth = np.where(opposite, azimuth + np.pi, azimuth) % np.pi
    # At azimuth pi the direction is the opposite of one at azimuth 0, so its elevation changes sign as well.
    later = np.where(~opposite & (down == 0) & (across < 0), -later, later)
    elevation = np.arctan2(later, np.hypot(across, down))
    first = np.minimum((azimuth * (POLAR_BINS[0] / np.pi)).astype(np.int64), POLAR_BINS[0] - 1)
    second = np.clip(((elevation / np.pi + 0.5) * POLAR_BINS[1]).astype(np.int64), 0, POLAR_BINS[1] - 1)
    result = np.zeros((*length.shape, POLAR_BINS[0] * POLAR_BINS[1]), dtype=np.float32)
    np.put_along_axis(result, (first * POLAR_BINS[1] + second)[..., None], length[..., None], axis=-1)
    return result


def features(clips: np.ndarray, support_frames: int, quantisation: Quantisation, settings: Hog3dSettings) -> np.ndarray:
    """Concatenated descriptors float32 (N, supports x cells x bins) of clips uint8 (N, T, H, W)."""
    frames, height, width = clips.shape[1:]
    axes = (
        divide(frames, support_frames, settings.stride_frames, settings.cells[1], settings.sub_blocks),
        divide(height, settings.support, settings.stride, settings.cells[0], settings.sub_blocks),
        divide(width, settings.support, settings.stride, settings.cells[0], settings.sub_blocks),
    )
    # Clip by clip, the arrays stay small.
    return np.concatenate(
        [_described(clips[one : one + 1], axes, quantisation, settings.clip) for one in range(len(clips))]
    )


def _described(
    clips: np.ndarray, axes: tuple[Axis, Axis, Axis], quantisation: Quantisation, ceiling: float
) -> np.ndarray:
    cells = votes(block_means(gradients(clips), axes), quantisation)
    for position, axis in enumerate(axes, start=1):
        cells = np.moveaxis(np.tensordot(axis.cell_blocks, cells, axes=(1, position)), 0, position)
    late, down, across = (axis.support_cells for axis in axes)
    grid = np.ix_(late.ravel(), down.ravel(), across.ravel())
    supports = cells[(slice(None), *grid)].reshape(len(clips), *late.shape, *down.shape, *across.shape, cells.shape[-1])
    supports = supports.transpose(0, 1, 3, 5, 2, 4, 6, 7)
    return normalised(supports.reshape(*supports.shape[:4], -1), ceiling).reshape(len(clips), -1)


def normalised(descriptors: np.ndarray, ceiling: float) -> np.ndarray:
    """Unit length, cut at the ceiling, unit length again, along the last axis; a descriptor of zeros stays one."""
    unit = descriptors / np.maximum(np.linalg.norm(descriptors, axis=-1, keepdims=True), TINY)
    cut = np.minimum(unit, ceiling)
    return (cut / np.maximum(np.linalg.norm(cut, axis=-1, keepdims=True), TINY)).astype(np.float32)


@dataclass(frozen=True)
class Hog3dModel:
    """A fitted linear machine."""

    settings: Hog3dSettings
    support_frames: int
    quantisation: Quantisation
    machine: PairwiseSvm

    def predict_proba(self, clips: ClipSet) -> np.ndarray:
        """Class probabilities float32 (N, classes)."""
        if not len(clips):
            return np.zeros((0, self.machine.classes), dtype=np.float32)
        vectors = features(clips.clips, self.support_frames, self.quantisation, self.settings)
        return self.machine.predict_proba(vectors)


def fit(train: ClipSet, validation: ClipSet, settings: Hog3dSettings, run: "TrainingRun", classes: int) -> Hog3dModel:
    """Chooses the bins, the length of a support and the cost on the validation clips, then fits on all clips given.

    The method draws nothing, so the run's seed does not change it.

    Raises:
        UserError: for an empty training set, or clips smaller than a support.
    """
    fitted, everything = training_parts(train, validation)
    check_clips("hog3d", settings, everything)
    kinds = list(product(settings.quantisations, settings.support_frames))
    choice = Choice({"quantisation": kinds[0][0], "support_frames": kinds[0][1], "cost": settings.costs[0]})
    if len(fitted) and len(validation):
        options = (_option(fitted, validation, *kind, settings) for kind in kinds)
        choice = choose(options, fitted.labels, validation.labels, settings.costs, classes)
    parameters = choice.parameters
    best = (parameters["quantisation"], parameters["support_frames"])
    quantisation, support_frames = next(kind for kind in kinds if kind == best)
    vectors = features(everything.clips, support_frames, quantisation, settings)
    scale = _scale(vectors)
    kernel = scale * (vectors @ vectors.T).astype(np.float64)
    machine = fit_svm(kernel, everything.labels, float(parameters["cost"]), classes, choice.slope)
    machine = machine.linear(scale * vectors)
    write_fit(run, "hog3d", choice, machine.state())
    return Hog3dModel(settings, support_frames, quantisation, machine)


def _option(
    fitted: ClipSet, validation: ClipSet, quantisation: Quantisation, frames: int, settings: Hog3dSettings
) -> Option:
    vectors = features(fitted.clips, frames, quantisation, settings)
    held_out = features(validation.clips, frames, quantisation, settings)
    scale = _scale(vectors)
    parameters: dict[str, Parameter] = {"quantisation": quantisation, "support_frames": frames}
    return Option(parameters, scale * (vectors @ vectors.T).astype(float), scale * (held_out @ vectors.T).astype(float))


def _scale(vectors: np.ndarray) -> float:
    return float(1 / max(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64).mean(), TINY))

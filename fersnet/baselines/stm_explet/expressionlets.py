"""Expressionlets: from a clip to one log-covariance matrix per mode of a universal manifold model (STM-ExpLet).

M. Liu, S. Shan, R. Wang and X. Chen, "Learning expressionlets on spatio-temporal manifold for dynamic facial expression
recognition", CVPR 2014, sections 3 and 4.1.
"""

from dataclasses import dataclass

import numpy as np

from fersnet.baselines.stm_explet import DESCRIPTOR_CELLS, StmExpletSettings

ORIENTATIONS = 8
CEILING = 0.2
TINY = 1e-6
SMALLEST_VARIANCE = 1e-3
"""Of a mode, in units of the descriptors' variance."""


def gradient_cells(clips: np.ndarray, cell: int) -> np.ndarray:
    """Histograms of gradient orientation of every frame, over cells that do not overlap.

    Each gradient shares its length between the two nearest of 8 orientations, 0 pointing along x, 2 along y.

    Args:
        clips: uint8 (N, T, H, W).
        cell: Side of a cell in pixels.

    Returns:
        float32 (N, T, H // cell, W // cell, 8).
    """
    count, frames, height, width = clips.shape
    rows, columns = height // cell, width // cell
    result = np.empty((count, frames, rows, columns, ORIENTATIONS), dtype=np.float32)
    down, across = np.arange(rows * cell) // cell, np.arange(columns * cell) // cell
    first = ((np.arange(frames)[:, None, None] * rows + down[:, None]) * columns + across) * ORIENTATIONS
    # Clip by clip, the arrays stay in the processor's cache.
    for number, clip in enumerate(clips):
        bright = clip.astype(np.float32)
        inside = (slice(None), slice(0, rows * cell), slice(0, columns * cell))
        slope_y, slope_x = np.gradient(bright, axis=1)[inside], np.gradient(bright, axis=2)[inside]
        length = np.hypot(slope_x, slope_y)
        turn = np.arctan2(slope_y, slope_x) * np.float32(ORIENTATIONS / (2 * np.pi)) % ORIENTATIONS
        lower = turn.astype(np.int64)
        share = (turn - lower) * length
        bins = [(first + lower % ORIENTATIONS).ravel(), (first + (lower + 1) % ORIENTATIONS).ravel()]
        weights = [(length - share).ravel(), share.ravel()]
        total = np.bincount(np.concatenate(bins), np.concatenate(weights), minlength=result[number].size)
        result[number] = total.reshape(result[number].shape)
    return result


def low_level(cells: np.ndarray) -> np.ndarray:
    """Dense descriptors of every frame: 4 x 4 cells at a step of one, unit length, cut at 0.2, unit length again.

    That is the layout of SIFT without its rotation.

    Args:
        cells: float32 (T, Y, X, 8).

    Returns:
        float32 (T, Y - 3, X - 3, 128).
    """
    windows = np.lib.stride_tricks.sliding_window_view(cells, (DESCRIPTOR_CELLS, DESCRIPTOR_CELLS), axis=(1, 2))
    descriptors = windows.transpose(0, 1, 2, 4, 5, 3).reshape(*windows.shape[:3], -1)
    unit = descriptors / np.maximum(np.linalg.norm(descriptors, axis=-1, keepdims=True), TINY)
    cut = np.minimum(unit, CEILING)
    return cut / np.maximum(np.linalg.norm(cut, axis=-1, keepdims=True), TINY)


def places(frames: int, rows: int, columns: int) -> np.ndarray:
    """float32 (frames x rows x columns, 3): x, y and t of each descriptor of a clip, from -1 to 1."""
    axes = [np.linspace(-1, 1, extent, dtype=np.float32) for extent in (frames, rows, columns)]
    later, down, across = np.meshgrid(*axes, indexing="ij")
    return np.stack([across, down, later], axis=-1).reshape(-1, 3)


@dataclass(frozen=True)
class ManifoldModel:
    """What is fitted on training clips before any label is seen: components, scales, and the mixture of modes."""

    mean: np.ndarray
    """float32 (128,), of the low-level descriptors."""
    components: np.ndarray
    """float32 (C, 128), orthonormal rows."""
    scales: np.ndarray
    """float32 (D,), D = C + 3: inverse standard deviation of each component, and of x, y, t."""
    log_weights: np.ndarray
    """float32 (K,)."""
    centres: np.ndarray
    """float32 (K, D)."""
    precisions: np.ndarray
    """float32 (K, D), inverse variances."""

    def described(self, cells: np.ndarray) -> np.ndarray:
        """Descriptors float32 (M, D) of one clip's cells (T, Y, X, 8): components and place, each variance near 1."""
        dense = low_level(cells)
        where = places(*dense.shape[:3])
        reduced = (dense.reshape(-1, dense.shape[-1]) - self.mean) @ self.components.T
        return np.concatenate([reduced, where], axis=1) * self.scales

    def log_likelihoods(self, descriptors: np.ndarray) -> np.ndarray:
        """Log of weight times density, (M, K), up to one constant, of descriptors (M, D)."""
        spread = (descriptors**2) @ self.precisions.T - 2 * descriptors @ (self.precisions * self.centres).T
        constant = (self.precisions * self.centres**2).sum(axis=1) - np.log(self.precisions).sum(axis=1)
        return self.log_weights - 0.5 * (spread + constant)

    def expressionlets(self, cells: np.ndarray, per_mode: int, ridge: float) -> np.ndarray:
        """The expressionlets float32 (N, K, D (D + 1) / 2) of clips, given their cells (N, T, Y, X, 8).

        Each mode takes the `per_mode` descriptors of a clip with the largest posterior; the logarithm of their
        covariance is laid out as a vector (`log_covariances`).
        """
        size = len(self.scales)
        result = np.empty((len(cells), len(self.centres), size * (size + 1) // 2), dtype=np.float32)
        for number, clip in enumerate(cells):
            descriptors = self.described(clip)
            joint = self.log_likelihoods(descriptors)
            joint -= joint.max(axis=1, keepdims=True)
            posterior = joint - np.log(np.exp(joint).sum(axis=1, keepdims=True))
            taken = min(per_mode, len(descriptors))
            chosen = np.argpartition(-posterior, taken - 1, axis=0)[:taken].T
            result[number] = log_covariances(descriptors[chosen], ridge)
        return result


def log_covariances(members: np.ndarray, ridge: float) -> np.ndarray:
    """Logarithms of covariance matrices, as vectors.

    A matrix C of members (n, D) becomes log(C + ridge I), of which the upper triangle is kept with the entries off the
    diagonal times sqrt(2), so that inner products of vectors are those of matrices. The ridge keeps the logarithm
    finite where there are fewer members than dimensions or they are all equal.

    Args:
        members: (K, n, D).
        ridge: Added to the diagonal.

    Returns:
        float32 (K, D (D + 1) / 2).
    """
    size = members.shape[2]
    centred = (members - members.mean(axis=1, keepdims=True)).astype(np.float64)
    covariances = centred.transpose(0, 2, 1) @ centred / max(members.shape[1] - 1, 1)
    values, vectors = np.linalg.eigh(covariances + ridge * np.eye(size))
    logs = (vectors * np.log(np.maximum(values, ridge))[:, None, :]) @ vectors.transpose(0, 2, 1)
    rows, columns = np.triu_indices(size)
    return (logs[:, rows, columns] * np.where(rows == columns, 1, 2**0.5)).astype(np.float32)


def fit_manifold(cells: np.ndarray, modes: int, settings: StmExpletSettings, rng: np.random.Generator) -> ManifoldModel:
    """Fits principal components and a mixture of `modes` diagonal Gaussians on descriptors of the training clips.

    Every clip gives the same number of descriptors, drawn without replacement, `settings.sample` in all. There are at
    most as many components and modes as the draws allow.

    Args:
        cells: float32 (n, T, Y, X, 8), of the training clips.
    """
    share = max(settings.sample // len(cells), 1)
    parts, whereabouts = [], []
    for clip in cells:
        dense = low_level(clip)
        flat = dense.reshape(-1, dense.shape[-1])
        chosen = np.sort(rng.choice(len(flat), min(share, len(flat)), replace=False))
        parts.append(flat[chosen])
        whereabouts.append(places(*dense.shape[:3])[chosen])
    drawn, where = np.concatenate(parts), np.concatenate(whereabouts)
    mean = drawn.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(drawn.T.astype(np.float64)) if len(drawn) > 1 else np.eye(drawn.shape[1]))
    components = vectors[:, ::-1][:, : settings.components].T
    # The largest entry of a component is made positive: the sign of an eigenvector is the library's whim.
    signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(axis=1)])
    components = (components * signs[:, None]).astype(np.float32)
    reduced = np.concatenate([(drawn - mean) @ components.T, where], axis=1)
    deviation = reduced.std(axis=0)
    scales = np.where(deviation > TINY, 1 / np.maximum(deviation, TINY), 0).astype(np.float32)
    weights, centres, variances = fit_mixture(reduced * scales, modes, settings.iterations, rng)
    return ManifoldModel(mean, components, scales, np.log(weights), centres, (1 / variances).astype(np.float32))


def fit_mixture(
    samples: np.ndarray, modes: int, iterations: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mixture of diagonal Gaussians: weights (K,), centres (K, D), variances (K, D), all float32.

    scikit-learn's, started from k-means++ centres; it stops after `iterations` steps whether or not it has converged,
    as the budget says.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    distinct = len(np.unique(samples, axis=0)) if len(samples) <= 4 * modes else modes
    mixture = GaussianMixture(
        min(modes, distinct),
        covariance_type="diag",
        max_iter=iterations,
        reg_covar=SMALLEST_VARIANCE,
        init_params="k-means++",
        random_state=int(rng.integers(2**31)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(samples)
    weights = np.maximum(mixture.weights_, np.finfo(np.float32).tiny)
    return weights.astype(np.float32), mixture.means_.astype(np.float32), mixture.covariances_.astype(np.float32)

"""STM-ExpLet: expressionlets, a discriminant embedding of each mode, and a linear support vector machine.

M. Liu, S. Shan, R. Wang and X. Chen, "Learning expressionlets on spatio-temporal manifold for dynamic facial expression
recognition", CVPR 2014.

(1) Dense gradient-histogram descriptors with (x, y, t); (2) a mixture of diagonal Gaussians over the descriptors of all
training clips, the universal manifold model; (3) each mode takes a clip's descriptors with the largest posterior, which
aligns clips in space and time; (4) their covariance, mapped by the matrix logarithm, is the expressionlet of that mode;
(5) a marginal Fisher embedding per mode; (6) all modes concatenated, and a support vector machine.

As published, where known: 64 modes, 64 descriptors per mode, descriptors reduced to 64 principal components. Choices
where the paper leaves or we know no figure: single-frame descriptors of 16 x 16 pixels at a step of 4; the ridge on the
covariances (64 descriptors cannot span 67 dimensions); the embedding works in the span of the training clips, keeps 16
dimensions, and its compactness term is shrunk half-way to a multiple of the identity, since there are fewer clips than
dimensions; one machine per pair of classes, voting with calibrated probabilities.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fersnet.baselines.clips import ClipSet, check_clips, training_parts
from fersnet.baselines.stm_explet import StmExpletSettings
from fersnet.baselines.stm_explet.expressionlets import ManifoldModel, fit_manifold, gradient_cells
from fersnet.baselines.svm import Choice, Option, PairwiseSvm, choose, fit_svm, write_fit
from fersnet.seeds import derive_seed

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

TINY = 1e-9


@dataclass(frozen=True)
class Embedding:
    """A linear map per mode, from expressionlets to a few dimensions that tell classes apart."""

    means: np.ndarray
    """float32 (K, L), of the training expressionlets."""
    maps: np.ndarray
    """float32 (K, L, E)."""

    def __call__(self, lets: np.ndarray) -> np.ndarray:
        """Vectors float32 (N, K x E) of expressionlets (N, K, L)."""
        embedded = np.matmul((lets - self.means).transpose(1, 0, 2), self.maps)
        return embedded.transpose(1, 0, 2).reshape(len(lets), self.maps.shape[0] * self.maps.shape[2])


def marginal_fisher(
    vectors: np.ndarray, labels: np.ndarray, dimensions: int, neighbours: tuple[int, int], shrinkage: float
) -> np.ndarray:
    """Marginal Fisher analysis: directions that part near clips of different classes and gather those of one class.

    Two graphs join each clip to its nearest of the same class, and to its nearest of other classes; the directions
    maximise the squared differences along the second over those along the first. Differences along the first are
    shrunk towards a multiple of the identity. S. Yan and others, "Graph embedding and extensions", PAMI 2007.

    Args:
        vectors: (n, r), centred.
        labels: int64 (n,).
        neighbours: Neighbours in the first and in the second graph.
        shrinkage: Weight of the identity, in (0, 1].

    Returns:
        float64 (r, min(dimensions, r)).
    """
    from scipy.linalg import eigh

    squares = (vectors**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * vectors @ vectors.T
    same = labels[:, None] == labels
    np.fill_diagonal(same, False)
    apart = labels[:, None] != labels
    compact = _scatter(vectors, _nearest(distances, same, neighbours[0]))
    margin = _scatter(vectors, _nearest(distances, apart, neighbours[1]))
    size = vectors.shape[1]
    level = np.trace(compact) / size if np.trace(compact) > TINY else 1.0
    compact = (1 - shrinkage) * compact + shrinkage * level * np.eye(size)
    kept = min(dimensions, size)
    _, directions = eigh(margin, compact, subset_by_index=(size - kept, size - 1))
    directions = directions[:, ::-1]
    return directions / np.maximum(np.linalg.norm(directions, axis=0), TINY)


def fit_embedding(lets: np.ndarray, labels: np.ndarray, settings: StmExpletSettings) -> Embedding:
    """A marginal Fisher map per mode, of training expressionlets (n, K, L), in the span of the training clips."""
    means = lets.mean(axis=0)
    maps = []
    for mode in range(lets.shape[1]):
        centred = lets[:, mode] - means[mode]
        values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
        # At least one direction, even where all clips are equal.
        kept = values > max(values[-1] * 1e-5, TINY)
        kept[-1] = True
        lengths = np.sqrt(np.maximum(values[kept], TINY))
        directions = marginal_fisher(
            vectors[:, kept] * lengths, labels, settings.embedding, settings.neighbours, settings.shrinkage
        )
        map_ = np.zeros((centred.shape[1], settings.embedding), dtype=np.float32)
        map_[:, : directions.shape[1]] = centred.T @ (vectors[:, kept] / lengths @ directions).astype(np.float32)
        maps.append(map_)
    return Embedding(means, np.stack(maps))


@dataclass(frozen=True)
class Features:
    """Everything between a clip and the machine."""

    settings: StmExpletSettings
    manifold: ManifoldModel
    embedding: Embedding | None
    means: np.ndarray
    """float32 (F,), of the training vectors."""
    scale: float
    """Inverse mean squared length of the centred training vectors."""

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        """Vectors float32 (N, F) of clips uint8 (N, T, H, W)."""
        cells = gradient_cells(clips, self.settings.cell)
        lets = self.manifold.expressionlets(cells, self.settings.per_mode, self.settings.ridge)
        return _vectors(lets, self.embedding) - self.means

    def kernel(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Scaled inner products float64 (N, M) of vectors (N, F) and (M, F)."""
        return self.scale * (first @ second.T).astype(np.float64)


def fit_features(
    clips: ClipSet, modes: int, settings: StmExpletSettings, rng: np.random.Generator
) -> tuple[Features, np.ndarray]:
    """Fits the manifold model and the embedding, and returns with them the vectors (n, F) of the training clips."""
    cells = gradient_cells(clips.clips, settings.cell)
    manifold = fit_manifold(cells, modes, settings, rng)
    lets = manifold.expressionlets(cells, settings.per_mode, settings.ridge)
    embedding = fit_embedding(lets, clips.labels, settings) if settings.embedding else None
    vectors = _vectors(lets, embedding)
    means = vectors.mean(axis=0)
    vectors = vectors - means
    scale = float(1 / max(np.einsum("nf,nf->n", vectors, vectors, dtype=np.float64).mean(), TINY))
    return Features(settings, manifold, embedding, means, scale), vectors


@dataclass(frozen=True)
class StmExpletModel:
    """Fitted features and a fitted linear machine on them."""

    features: Features
    machine: PairwiseSvm

    def predict_proba(self, clips: ClipSet) -> np.ndarray:
        """Class probabilities float32 (N, classes)."""
        return self.machine.predict_proba(self.features(clips.clips))


def fit(
    train: ClipSet, validation: ClipSet, settings: StmExpletSettings, run: "TrainingRun", classes: int
) -> StmExpletModel:
    """Chooses the number of modes and the cost on the validation clips, then fits on all clips given.

    Raises:
        UserError: for an empty training set, or clips smaller than a descriptor.
    """
    fitted, everything = training_parts(train, validation)
    check_clips("stm_explet", settings, everything)
    choice = Choice({"modes": settings.modes[0], "cost": settings.costs[0]})
    if len(fitted) and len(validation) and len(settings.modes) * len(settings.costs) > 1:
        options = (_option(fitted, validation, modes, settings, run.seed) for modes in settings.modes)
        choice = choose(options, fitted.labels, validation.labels, settings.costs, classes)
    modes = int(choice.parameters["modes"])
    features, vectors = fit_features(everything, modes, settings, _generator(run.seed, modes))
    machine = fit_svm(
        features.kernel(vectors, vectors), everything.labels, float(choice.parameters["cost"]), classes, choice.slope
    )
    machine = machine.linear(features.scale * vectors)
    write_fit(run, "stm_explet", choice, machine.state() | _state(features))
    return StmExpletModel(features, machine)


def _option(fitted: ClipSet, validation: ClipSet, modes: int, settings: StmExpletSettings, seed: int) -> Option:
    features, vectors = fit_features(fitted, modes, settings, _generator(seed, modes))
    held_out = features(validation.clips)
    return Option({"modes": modes}, features.kernel(vectors, vectors), features.kernel(held_out, vectors))


def _generator(seed: int, modes: int) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, "stm_explet", modes))


def _vectors(lets: np.ndarray, embedding: Embedding | None) -> np.ndarray:
    return lets.reshape(len(lets), lets.shape[1] * lets.shape[2]) if embedding is None else embedding(lets)


def _state(features: Features) -> dict[str, np.ndarray]:
    manifold = features.manifold
    names = ("mean", "components", "scales", "log_weights", "centres", "precisions")
    state = {f"manifold.{name}": getattr(manifold, name) for name in names}
    if features.embedding is not None:
        state |= {"embedding.means": features.embedding.means, "embedding.maps": features.embedding.maps}
    return state | {"means": features.means, "scale": np.array(features.scale)}


def _nearest(distances: np.ndarray, allowed: np.ndarray, count: int) -> np.ndarray:
    """Symmetric bool (n, n): whether one of two clips is among the other's `count` nearest allowed ones."""
    ranked = np.where(allowed, distances, np.inf)
    order = np.argsort(ranked, axis=1, kind="stable")[:, :count]
    joined = np.zeros_like(allowed)
    np.put_along_axis(joined, order, True, axis=1)
    joined &= allowed
    return joined | joined.T


def _scatter(vectors: np.ndarray, graph: np.ndarray) -> np.ndarray:
    """Sum of (a - b)(a - b)' over the graph's edges, per edge: V' (D - G) V."""
    laplacian = np.diag(graph.sum(axis=1)) - graph.astype(np.float64)
    return vectors.T @ laplacian @ vectors / max(int(graph.sum()), 1)

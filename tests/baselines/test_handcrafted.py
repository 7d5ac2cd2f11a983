"""The handcrafted features against small cases worked out independently."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from skimage.feature import local_binary_pattern
from sklearn.mixture import GaussianMixture
from sklearn.svm import SVC

from fersnet.baselines.clips import ClipSet
from fersnet.baselines.hog3d import Hog3dSettings
from fersnet.baselines.hog3d import training as hog3d
from fersnet.baselines.lbp_top import LbpTopSettings
from fersnet.baselines.lbp_top import training as lbp_top
from fersnet.baselines.stm_explet import StmExpletSettings, expressionlets
from fersnet.baselines.stm_explet import training as stm_explet
from fersnet.baselines.svm import PairwiseSvm, choose, fit_svm
from fersnet.errors import UserError
from fersnet.methods.find import find_known, load_code
from fersnet.training.task import TrainingRun


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


# --- LBP-TOP


@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`")
@pytest.mark.parametrize(("plane", "radii"), [((1, 2), (1, 3, 3)), ((0, 2), (2, 3, 2)), ((0, 1), (3, 3, 1))])
def test_codes_of_each_plane_are_those_of_the_library(plane: tuple[int, int], radii: tuple[int, int, int]) -> None:
    clip = noise(1, 12, 16, 18)
    codes = lbp_top.plane_codes(clip, plane, radii)[0]
    across = 3 - sum(plane)
    for cut in range(codes.shape[across]):
        image = np.take(clip[0], cut + radii[across], axis=across).astype(float)
        expected = local_binary_pattern(image, 8, radii[plane[0]], "default")
        first, second = (slice(radii[axis], clip.shape[axis + 1] - radii[axis]) for axis in plane)
        np.testing.assert_array_equal(np.take(codes, cut, axis=across), expected[first, second])


def test_codes_on_an_ellipse_by_hand() -> None:
    clip = np.zeros((1, 3, 1, 7), dtype=np.uint8)
    # Time runs down, x across; the centre is (1, 3), with radii 1 along time and 3 along x.
    clip[0, :, 0] = [[0, 0, 9, 9, 9, 0, 0], [0, 0, 0, 5, 0, 0, 7], [0, 0, 0, 0, 0, 0, 0]]
    code = lbp_top.plane_codes(clip, (0, 2), (1, 0, 3)).item()
    # Angle 0 is x + 3 (7), 90 degrees is time - 1 (9). At 45 degrees, x + 2.12 and time - 0.71 lies between 0s and 9s
    # of one column too far: 0; at 135 degrees likewise.
    assert code == 0b101


def test_bins_are_the_58_uniform_codes_and_the_rest() -> None:
    bins = lbp_top.uniform_bins()
    words = [f"{code:08b}" for code in range(256)]
    uniform = [sum(word[k] != word[k - 1] for k in range(8)) <= 2 for word in words]
    assert sum(uniform) == 58
    assert sorted(bins[uniform]) == list(range(58))
    assert (bins[np.logical_not(uniform)] == 58).all()


def test_block_histograms_count_voxel_by_voxel() -> None:
    settings = LbpTopSettings(radius=2, blocks=(3, 2), overlap=0.5)
    clip = noise(1, 6, 20, 16)
    result = lbp_top.features(clip, 1, settings).reshape(3, 2, 3, 59)
    bins = lbp_top.uniform_bins()
    # 16 rows in 3 half-overlapping blocks: 8 rows every 4; 12 columns in 2: 8 columns every 4.
    for position, plane in enumerate(lbp_top.PLANES):
        codes = bins[lbp_top.plane_codes(clip, plane, (1, 2, 2))[0]]
        for row in range(3):
            for column in range(2):
                block = codes[:, 4 * row : 4 * row + 8, 4 * column : 4 * column + 8]
                expected = np.bincount(block.ravel(), minlength=59) / block.size
                np.testing.assert_allclose(result[row, column, position], expected, atol=1e-6)


def test_published_length() -> None:
    assert lbp_top.features(noise(1, 12, 64, 64), 3, LbpTopSettings()).shape == (1, 12744)


@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.7])
def test_the_most_blocks_that_are_allowed_have_a_pixel_each(overlap: float) -> None:
    for centres in range(1, 40):
        blocks = max(count for count in range(1, 150) if _allowed(centres, count, overlap))
        strips, members = lbp_top.block_strips(centres, blocks, overlap)
        assert len(members) == blocks
        assert (members[:, strips].sum(axis=1) >= 1).all()


def _allowed(centres: int, blocks: int, overlap: float) -> bool:
    try:
        LbpTopSettings(radius=1, blocks=(blocks, 1), overlap=overlap).check_clips(12, centres + 2)
    except ValueError:
        return False
    return True


def test_a_constant_clip_has_the_code_of_all_ones() -> None:
    codes = lbp_top.plane_codes(np.full((1, 7, 9, 9), 201, dtype=np.uint8), (0, 2), (1, 3, 3))
    assert (codes == 255).all()


# --- HOG 3D


def test_means_of_gradients_over_sub_blocks() -> None:
    axis_t, axis_y, axis_x = (hog3d.divide(size, 4, 2, 2, 2) for size in (6, 8, 4))
    values = np.random.default_rng(0).normal(size=(1, 6, 8, 4, 3)).astype(np.float32)
    means = hog3d.block_means(values, (axis_t, axis_y, axis_x))
    for t, (first, last) in enumerate(zip(axis_t.starts, axis_t.ends, strict=True)):
        for y, (top, bottom) in enumerate(zip(axis_y.starts, axis_y.ends, strict=True)):
            block = values[0, first:last, top:bottom, axis_x.starts[1] : axis_x.ends[1]]
            np.testing.assert_allclose(means[0, t, y, 1], block.mean(axis=(0, 1, 2)), atol=1e-5)


def test_division_of_an_axis() -> None:
    axis = hog3d.divide(length=12, support=6, stride=3, cells=2, sub_blocks=4)
    supports = [[(0, 3), (3, 6)], [(3, 6), (6, 9)], [(6, 9), (9, 12)]]
    blocks = list(zip(axis.starts.tolist(), axis.ends.tolist(), strict=True))
    for members, expected in zip(axis.support_cells, supports, strict=True):
        for cell, (start, end) in zip(members, expected, strict=True):
            held = [blocks[number] for number in np.flatnonzero(axis.cell_blocks[cell])]
            assert held == [(at, at + 1) for at in range(start, end)]
    assert len(axis.cell_blocks) == 4, "cells that supports share are one"


@pytest.mark.parametrize(
    ("gradient", "azimuth", "elevation"),
    [
        ((1.0, 0.1, 0.0), 0, 1),
        ((0.0, 2.0, 0.1), 2, 1),
        ((0.0, -2.0, -0.1), 2, 1),
        ((-1.0, 0.3, 0.0), 4, 1),
        ((0.3, 0.01, 5.0), 0, 2),
        ((0.3, 0.01, -5.0), 0, 0),
        ((-0.3, -0.01, 5.0), 0, 0),
    ],
)
def test_polar_bin_of_a_gradient(gradient: tuple[float, float, float], azimuth: int, elevation: int) -> None:
    expected = np.zeros((5, 3))
    expected[azimuth, elevation] = math.hypot(*gradient)
    np.testing.assert_allclose(hog3d.votes(np.array(gradient, np.float32), "polar").reshape(5, 3), expected, rtol=1e-6)


@pytest.mark.parametrize("quantisation", ["polar", "icosahedron"])
def test_opposite_gradients_vote_alike_and_by_their_length(quantisation: str) -> None:
    gradients = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    gradients[:4] = [[1, 0, 0], [-1, 0, 0.5], [0, 1, 0], [1, 0, -0.5]]
    votes = hog3d.votes(gradients, quantisation)
    np.testing.assert_allclose(votes, hog3d.votes(-gradients, quantisation), atol=1e-5)
    np.testing.assert_allclose(votes.sum(axis=1), np.linalg.norm(gradients, axis=1), rtol=1e-4)


def test_icosahedron_axes_and_their_threshold() -> None:
    axes = hog3d.icosahedron_axes()
    np.testing.assert_allclose(np.linalg.norm(axes, axis=1), 1)
    cosines = np.abs(axes @ axes.T)
    # Dodecahedron corners meet at cosines 1/3 and sqrt(5)/3, and at nothing else; the paper's 1.29107 is
    # sqrt(5)/3 for axes of length sqrt(3).
    assert {round(value, 6) for value in cosines[~np.eye(10, dtype=bool)]} == {round(1 / 3, 6), round(5**0.5 / 3, 6)}
    assert pytest.approx(1.29107, abs=2e-4) == 5**0.5 / 3 * 3**0.5
    votes = hog3d.votes(4 * axes.astype(np.float32), "icosahedron")
    np.testing.assert_allclose(votes, 4 * np.eye(10), atol=1e-3)


def test_a_moving_ramp_fills_one_bin() -> None:
    t, _, x = np.mgrid[:12, :32, :32]
    clip = (4 * x + 3 * t).astype(np.uint8)[None]
    described = hog3d.features(clip, 6, "polar", Hog3dSettings()).reshape(-1, 8, 15)
    # Azimuth 0 and elevation atan(3/4) = 37 degrees: beyond 30, so the last of three bins.
    assert (described[..., 2] > 0).all()
    assert np.delete(described, 2, axis=-1).max() == 0
    np.testing.assert_allclose(np.linalg.norm(described.reshape(len(described), -1), axis=1), 1, rtol=1e-5)


def test_normalisation_cuts_large_entries() -> None:
    vector = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(hog3d.normalised(vector, 0.25), [[0.5**0.5, 0.5**0.5, 0], [0, 0, 0]], rtol=1e-6)


# --- STM-ExpLet


def test_gradient_cells_of_a_ramp() -> None:
    y, x = np.mgrid[:16, :16]
    cells = expressionlets.gradient_cells(((2 * x + 2 * y) * np.ones((1, 2, 1, 1))).astype(np.uint8), 4)
    # Along the diagonal, 45 degrees: all of orientation 1, with length sqrt(8) from each of 16 pixels.
    assert cells.shape == (1, 2, 4, 4, 8)
    np.testing.assert_allclose(cells[..., 1], 16 * 8**0.5, rtol=1e-5)
    np.testing.assert_allclose(np.delete(cells, 1, axis=-1), 0, atol=1e-4)


def test_log_covariance_is_that_of_the_library() -> None:
    members = np.random.default_rng(0).normal(size=(2, 30, 4)) * [1, 2, 0.5, 1]
    result = expressionlets.log_covariances(members, 0.01)
    for vector, own in zip(result, members, strict=True):
        expected = scipy.linalg.logm(np.cov(own.T) + 0.01 * np.eye(4))
        matrix = np.zeros((4, 4))
        matrix[np.triu_indices(4)] = vector
        matrix = (matrix + matrix.T) * np.where(np.eye(4), 0.5, 0.5**0.5)
        np.testing.assert_allclose(matrix, expected, atol=1e-5)
        assert np.dot(vector, vector) == pytest.approx((expected**2).sum(), rel=1e-5)


def test_log_covariance_of_equal_members_is_that_of_the_ridge() -> None:
    result = expressionlets.log_covariances(np.ones((1, 5, 3)), 0.01)
    np.testing.assert_allclose(result[0], math.log(0.01) * np.array([1, 0, 0, 1, 0, 1]), atol=1e-6)


def test_posteriors_are_those_of_the_mixture() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(400, 3)) * [1, 2, 3] + rng.integers(0, 3, (400, 1)) * 4
    mixture = GaussianMixture(3, covariance_type="diag", random_state=0).fit(samples)
    model = expressionlets.ManifoldModel(
        mean=np.zeros(1),
        components=np.zeros((0, 1)),
        scales=np.ones(3),
        log_weights=np.log(mixture.weights_),
        centres=mixture.means_,
        precisions=1 / mixture.covariances_,
    )
    joint = model.log_likelihoods(samples)
    posterior = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
    np.testing.assert_allclose(posterior, mixture.predict_proba(samples), atol=1e-6)


def test_each_mode_takes_the_descriptors_nearest_to_it() -> None:
    settings = StmExpletSettings(components=4, modes=(3,), per_mode=5, sample=300, iterations=5)
    cells = expressionlets.gradient_cells(noise(2, 4, 24, 24), 4)
    model = expressionlets.fit_manifold(cells, 3, settings, np.random.default_rng(0))
    descriptors = model.described(cells[0])
    joint = model.log_likelihoods(descriptors)
    posterior = joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)
    members = descriptors[np.argsort(-posterior[:, 1])[:5]]
    expected = expressionlets.log_covariances(members[None], 0.01)[0]
    np.testing.assert_allclose(model.expressionlets(cells[:1], 5, 0.01)[0, 1], expected, atol=1e-4)


def test_the_embedding_parts_classes_rather_than_following_the_largest_spread() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    vectors = np.stack([rng.normal(size=60) * 10, rng.normal(size=60) + 6 * labels, rng.normal(size=60)], axis=1)
    direction = stm_explet.marginal_fisher(vectors - vectors.mean(axis=0), labels, 1, (3, 10), 0.05)[:, 0]
    assert abs(direction[1]) > 0.9


# --- support vector machines


def test_pairs_are_those_of_libsvm() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 2, 3], 12)
    vectors = rng.normal(size=(36, 5)) + labels[:, None] * [1, 0, -1, 0.5, 0]
    machine = fit_svm(vectors @ vectors.T, labels, 1.0, classes=5)
    unseen = rng.normal(size=(50, 5)) + 1
    library = SVC(kernel="linear", decision_function_shape="ovo").fit(vectors, labels)
    decisions = machine.decide(unseen @ vectors.T)
    np.testing.assert_allclose(decisions, library.decision_function(unseen), atol=5e-3)
    np.testing.assert_allclose(machine.linear(vectors).decide(unseen), decisions, atol=1e-9)
    probabilities = machine.predict_proba(unseen @ vectors.T)
    assert (probabilities[:, [1, 4]] == 0).all()


def test_probabilities_are_the_normalised_product_of_pairs() -> None:
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    machine = PairwiseSvm(4, np.array([0, 1, 3]), pairs, np.eye(3), np.zeros(3), slope=2.0)
    decisions = np.array([[1.0, -0.5, 0.25]])
    yes = 1 / (1 + np.exp(-2 * decisions[0]))
    product = np.array([yes[0] * yes[1], (1 - yes[0]) * yes[2], 0, (1 - yes[1]) * (1 - yes[2])])
    expected = product / product.sum()
    np.testing.assert_allclose(machine.predict_proba(decisions)[0], expected[[0, 1, 2, 3]], rtol=1e-5)


def test_the_choice_is_the_first_of_the_best() -> None:
    from fersnet.baselines.svm import Option

    labels = np.array([0, 0, 1, 1])
    good, bad = np.array([[1.0], [1.2], [-1.0], [-1.1]]), np.array([[1.0], [-1.2], [1.1], [-1.0]])
    options = [
        Option({"feature": name}, vectors @ vectors.T, vectors @ vectors.T)
        for name, vectors in ((1, bad), (2, good), (3, good))
    ]
    choice = choose(options, labels, labels, (1.0,), 2)
    assert choice.parameters == {"feature": 2, "cost": 1.0}
    assert [row["feature"] for row in choice.candidates] == [1, 2, 3]


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("lbp_top", {"time_radii": (4, 5)}, r"baselines\.lbp_top\.time_radii.*faces\.clip_frames"),
        ("lbp_top", {"radius": 8, "blocks": (60, 1)}, r"baselines\.lbp_top\.blocks.*baselines\.size"),
        ("hog3d", {"support": 40}, r"baselines\.hog3d\.support.*baselines\.size"),
        ("stm_explet", {"cell": 9}, r"baselines\.stm_explet\.cell.*baselines\.size"),
    ],
)
def test_clips_too_short_or_too_small_name_the_setting(
    method: str,
    change: dict[str, Any],
    message: str,
    spots: Callable[..., ClipSet],
    new_run: Callable[[], TrainingRun],
) -> None:
    clips = spots(2)
    declared = find_known({}).recognisers[method]
    settings = declared.declared.settings(**declared.declared.small | change)
    with pytest.raises(UserError, match=message):
        load_code(declared.module).fit(clips, clips.select(np.arange(0)), settings, new_run(), 3)

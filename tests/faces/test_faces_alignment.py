"""Similarity alignment and lighting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from fersnet.faces.alignment import TEMPLATE, align, alignment_matrix, compose, invert, transform_points
from fersnet.faces.landmarks import anchors
from fersnet.faces.lighting import normalise_lighting


def face_points(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 100, (68, 2))
    points[36:42] = rng.normal([30, 40], 2, (6, 2))
    points[42:48] = rng.normal([70, 42], 2, (6, 2))
    points[[48, 54]] = [[38, 80], [62, 82]]
    return points


def test_matrix_equals_an_independent_least_squares_fit():
    points = face_points(3)
    expected = SimilarityTransform.from_estimate(anchors(points), TEMPLATE * 110 - 0.5).params[:2]
    assert np.allclose(alignment_matrix(points, 110), expected)


@settings(max_examples=40)
@given(
    angle=st.floats(-180, 180),
    scale=st.floats(0.2, 6),
    shift=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
)
def test_aligned_landmarks_do_not_depend_on_position_size_and_rotation(angle, scale, shift):
    points = face_points(1)
    turn = np.deg2rad(angle)
    rotation = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = points @ rotation.T + shift
    first = transform_points(alignment_matrix(points, 96), points)
    second = transform_points(alignment_matrix(moved, 96), moved)
    assert np.allclose(first, second, atol=1e-6)


def test_never_a_mirror_image():
    points = face_points(2)
    points[:, 0] = 100 - points[:, 0]
    assert np.linalg.det(alignment_matrix(points, 110)[:, :2]) > 0


def test_compose_and_invert():
    rng = np.random.default_rng(0)
    first, second, points = rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=(5, 2))
    expected = transform_points(second, transform_points(first, points))
    assert np.allclose(transform_points(compose(second, first), points), expected)
    assert np.allclose(transform_points(invert(first), transform_points(first, points)), points)


def test_identity_warp_returns_the_image():
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.array_equal(align(image, np.array([[1.0, 0, 0], [0, 1, 0]]), 40), image)


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_shrinking_averages_and_keeps_the_place(factor):
    image = np.random.default_rng(1).integers(0, 256, (20 * factor, 20 * factor), dtype=np.uint8)
    matrix = np.array([[1 / factor, 0, 0], [0, 1 / factor, 0]])
    matrix[:, 2] = 0.5 / factor - 0.5
    expected = image.reshape(20, factor, 20, factor).mean(axis=(1, 3))
    assert np.abs(align(image, matrix, 20) - expected).max() <= 1


def test_landmarks_and_pixels_move_together():
    image = np.zeros((200, 240), dtype=np.uint8)
    points = face_points() + np.array([60, 50])
    spot = points[30]
    rows, columns = np.mgrid[0:200, 0:240]
    image[:] = 255 * np.exp(-((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / 18)
    matrix = alignment_matrix(points, 110)
    face = align(image, matrix, 110).astype(float)
    rows, columns = np.mgrid[0:110, 0:110]
    centre = np.array([(columns * face).sum(), (rows * face).sum()]) / face.sum()
    assert np.allclose(centre, transform_points(matrix, spot[None])[0], atol=0.1)


def test_lighting():
    dark = np.random.default_rng(0).integers(10, 60, (110, 110), dtype=np.uint8)
    assert normalise_lighting(dark, "none") is dark
    assert np.ptp(normalise_lighting(dark, "equalize")) == 255
    assert normalise_lighting(dark, "clahe").std() > dark.std()
    colour = np.stack([dark, dark // 2, dark // 3], axis=2)
    brighter = normalise_lighting(colour, "equalize")
    assert brighter.shape == colour.shape and brighter.mean() > colour.mean()
    assert normalise_lighting(colour, "clahe").shape == colour.shape
    with pytest.raises(ValueError, match="retinex"):
        normalise_lighting(dark, "retinex")

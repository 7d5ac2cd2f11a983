"""The renderer: determinism, geometry of the landmarks, framing."""

from dataclasses import replace

import numpy as np
import pytest

from fersnet.embedded.identity import draw_identity
from fersnet.embedded.landmarks import MIRROR
from fersnet.embedded.performance import draw_performance, draw_view
from fersnet.embedded.renderer import render_face
from fersnet.embedded.shape import neutral_points, pose_face
from fersnet.embedded.view import View

SIZE = (128, 128)


def shoot(seed=1, units=None, view=None, size=SIZE, noise_seed=0):
    view = view or draw_view(0, size, variety=0.0)
    return render_face(draw_identity(seed), units or {}, view, size, np.random.default_rng(noise_seed))


def test_the_same_request_gives_the_same_bytes_whatever_was_drawn_in_between():
    first = shoot(1, {12: 0.8})
    for seed in range(2, 5):
        shoot(seed, {4: 1.0, 27: 1.0})
    again = shoot(1, {12: 0.8})
    assert first.image.tobytes() == again.image.tobytes()
    assert first.landmarks.tobytes() == again.landmarks.tobytes()


def test_the_generator_draws_sensor_noise_and_nothing_else():
    view = draw_view(0, SIZE, variety=0.0)
    quiet = replace(view, noise=0.0)
    assert np.array_equal(shoot(view=quiet, noise_seed=1).image, shoot(view=quiet, noise_seed=2).image)
    difference = shoot(view=view).image.astype(float) - shoot(view=quiet).image
    assert 0.7 < difference.std() < 1.4


def test_types_and_shapes():
    render = shoot(size=(150, 110), view=draw_view(0, (150, 110)))
    assert render.image.shape == (110, 150, 3)
    assert render.image.dtype == np.uint8
    assert render.landmarks.shape == (68, 2)
    assert render.landmarks.dtype == np.float32


def test_landmarks_scale_with_the_frame_and_keep_the_eye_distance():
    small = draw_view(0, SIZE, variety=0.0)
    large = draw_view(0, (256, 256), variety=0.0)
    a, b = shoot(view=small).landmarks, shoot(view=large, size=(256, 256)).landmarks
    assert np.allclose(2 * a, b, atol=0.3)
    rest = neutral_points(draw_identity(1))
    millimetres = np.linalg.norm(rest[42:48].mean(0) - rest[36:42].mean(0))
    pixels = np.linalg.norm(b[42:48].mean(0) - b[36:42].mean(0))
    assert pixels == pytest.approx(large.interocular * millimetres / 64.0, rel=0.01)


def test_turning_moves_the_nose_tip_against_the_eyes():
    view = draw_view(0, SIZE, variety=0.0)
    front = shoot(view=view).landmarks
    right = shoot(view=replace(view, yaw=12.0)).landmarks
    down = shoot(view=replace(view, pitch=10.0)).landmarks
    tilted = shoot(view=replace(view, roll=8.0)).landmarks

    def offset(points):
        return points[30] - points[36:48].mean(axis=0)

    assert offset(right)[0] > offset(front)[0] + 2
    assert offset(down)[1] > offset(front)[1] + 1
    slope = tilted[45] - tilted[36]
    assert np.degrees(np.arctan2(slope[1], slope[0])) == pytest.approx(8.0, abs=1.5)


def test_a_sided_unit_mirrors_the_other_side():
    identity = replace(draw_identity(3), asymmetry=(0.0, 0.0, 0.0, 0.0))
    left, right = pose_face(identity, {"12L": 1.0}).points, pose_face(identity, {"12R": 1.0}).points
    assert np.allclose(left[list(MIRROR)] * (-1, 1), right, atol=1e-4)
    rest = neutral_points(identity)
    assert rest[48, 1] - left[48, 1] > 5
    assert np.allclose(left[54], rest[54])


def test_lids_and_lips_never_cross():
    units = {43: 1.5, 7: 1.0, 17: 1.2, 24: 1.2, 23: 1.0}
    for seed in range(20):
        points = pose_face(draw_identity(seed), units).points
        for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65)):
            assert points[lower, 1] >= points[upper, 1]


def test_every_unit_changes_the_picture():
    from fersnet.embedded.action_units import UNITS

    view = replace(draw_view(0, SIZE, variety=0.0), noise=0.0)
    rest = shoot(view=view).image.astype(int)
    for unit in UNITS:
        change = np.abs(shoot(units={unit: 1.0}, view=view).image - rest)
        assert change.max() > 25, unit


def test_knitted_brows_go_up_not_down():
    identity = draw_identity(6)
    rest = neutral_points(identity)
    assert pose_face(identity, {4: 0.4}).points[21, 1] > rest[21, 1]
    assert pose_face(identity, {1: 0.5, 4: 0.4}).points[21, 1] < rest[21, 1] - 2


@pytest.mark.parametrize("centre", [(-400.0, 60.0), (64.0, 900.0), (64.0, -900.0), (120.0, 10.0)])
def test_a_face_may_lie_outside_of_the_frame(centre):
    view = replace(draw_view(0, SIZE), centre=centre)
    assert shoot(view=view).image.shape == (128, 128, 3)


def test_every_style_renders_at_extreme_views():
    styles = {}
    for seed in range(300):
        styles.setdefault((draw_identity(seed).hair_style, draw_identity(seed).beard), seed)
    for seed in styles.values():
        performance = draw_performance(draw_identity(seed), "surprise", seed)
        view = View(yaw=25, pitch=-15, roll=20, interocular=22, centre=(48, 50), noise=0)
        image = shoot(seed, performance.action_units(1.0), view, (96, 96)).image
        assert image.std() > 10


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="unknown action unit"):
        shoot(units={3: 1.0})
    with pytest.raises(ValueError, match="nothing to draw"):
        shoot(view=View(interocular=0.0))

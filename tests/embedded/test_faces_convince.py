"""dlib, trained on photographs, must find faces and landmarks; expressions must be told apart on new people."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression

from fersnet.embedded.action_units import PROTOTYPES
from fersnet.embedded.identity import draw_identity
from fersnet.embedded.performance import NEUTRAL, draw_performance, draw_view
from fersnet.embedded.renderer import render_face
from fersnet.expressions import SIX

EXPRESSIONS = (NEUTRAL, *SIX)


def shoot(person, expression, size, amount=1.0, removed=None):
    identity = draw_identity(person)
    performance = draw_performance(identity, expression, person)
    view = performance.turned(draw_view(person, (size, size)), 1.0)
    units = {
        unit: strength
        for unit, strength in performance.action_units(amount).items()
        if int(str(unit).rstrip("LR")) not in (removed or ())
    }
    return render_face(identity, units, view, (size, size), np.random.default_rng(person))


def test_dlib_finds_every_face_and_its_landmarks():
    dlib = pytest.importorskip("dlib")
    folder = Path(importlib.util.find_spec("face_recognition_models").submodule_search_locations[0]) / "models"
    predictor = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))
    detector = dlib.get_frontal_face_detector()
    errors = []
    for person in range(9100, 9106):
        for expression in EXPRESSIONS:
            render = shoot(person, expression, 256)
            boxes = detector(render.image, 0)
            assert len(boxes) == 1, (person, expression)
            points = np.array([(point.x, point.y) for point in predictor(render.image, boxes[0]).parts()])
            eyes = np.linalg.norm(render.landmarks[45] - render.landmarks[36])
            errors.append(np.linalg.norm(points - render.landmarks, axis=1).mean() / eyes)
    assert np.mean(errors) < 0.04


def features(render):
    """Gradients of the face, aligned on the eyes."""
    left, right = render.landmarks[36:42].mean(axis=0), render.landmarks[42:48].mean(axis=0)
    across = right - left
    scale, angle = 36 / np.hypot(*across), np.arctan2(across[1], across[0])
    c, s = np.cos(-angle) * scale, np.sin(-angle) * scale
    x, y = (left + right) / 2
    matrix = np.array([[c, -s, 48 - c * x + s * y], [s, c, 32 - s * x - c * y]])
    grey = cv2.warpAffine(cv2.cvtColor(render.image, cv2.COLOR_RGB2GRAY), matrix, (96, 96), flags=cv2.INTER_AREA)
    return hog(grey, 9, (12, 12), (2, 2))


@pytest.fixture(scope="module")
def classifier():
    samples = [(features(shoot(person, name, 128)), name) for person in range(5000, 5024) for name in EXPRESSIONS]
    return LogisticRegression(max_iter=300).fit(np.array([x for x, _ in samples]), [name for _, name in samples])


@pytest.mark.parametrize("expression", SIX)
def test_expressions_are_read_on_fresh_people_and_grow_with_intensity(classifier, expression):
    people = range(6000, 6006)
    column = list(classifier.classes_).index(expression)

    def belief(**options):
        return classifier.predict_proba([features(shoot(person, expression, 128, **options)) for person in people])

    means = [belief(amount=amount)[:, column].mean() for amount in (0.25, 0.5, 0.75, 1.0)]
    assert means == sorted(means)
    assert (belief().argmax(axis=1) == column).mean() > 0.8
    # Where the jaw drops by 27 instead of 26, both are the key.
    key = (26, 27) if expression == "surprise" else (PROTOTYPES[expression].key,)
    without = belief(removed=key)
    assert without[:, column].mean() < means[-1] - 0.04
    if expression in ("anger", "happiness", "sadness"):
        assert (without.argmax(axis=1) == column).mean() <= 0.5

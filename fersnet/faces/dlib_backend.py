"""The `dlib` backend: histogram-of-gradients face detector and 68-point regression trees, both from packages.

Detector: Dalal and Triggs (CVPR 2005) as trained by dlib; landmarks: Kazemi and Sullivan (CVPR 2014).
"""

import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fersnet.errors import UserError
from fersnet.faces.images import Rejection, shrunk, to_grey
from fersnet.faces.landmarks import Fit, box_area, box_overlap, check_points, fit_each, largest

SEARCH_SIDE = 400
"""Longer side, in pixels, of the image that is searched first. Faces of 80 pixels or more are found in it."""

SMALLEST_FACE = 80
"""Side, in pixels, of the smallest face that a search finds in what it is given."""

CROWD_SIDE = 640
"""Longer side of the image in which the other faces of a picture are looked for: they may be half as large as the one
that is found at `SEARCH_SIDE`, and less."""

FINEST_SIDE = 2560
"""Longer side of the largest image that is searched for other faces: half a second, faces of a thirtieth of it."""

SAME_FACE = 0.3
"""Overlap from which two boxes are of one face."""

UPSAMPLED_SIDE = 800
"""An image with a longer side than this is never doubled: its faces are large enough as they are."""

RIVAL_SCORE = 0.3
"""Detector score from which a second detection counts as a face."""

FACE_SIDE = 200.0
"""Side, in pixels, to which a smaller face is enlarged for the predictor, whose points are whole pixels."""

FAINT_RANGE = 80.0
"""A face whose grey values span less than this (2nd to 98th percentile) is stretched for the predictor."""

JITTER: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 1.0), (-0.04, 0.03, 1.05), (0.04, -0.03, 0.96))
"""Starting boxes of the predictor: shift in x, shift in y and scale, relative to the detected box."""


def find_predictor() -> Path:
    """The 68-point model in the package `face_recognition_models`, found without importing it.

    Raises:
        UserError: if the package or the file is missing.
    """
    specification = importlib.util.find_spec("face_recognition_models")
    if specification is not None and specification.origin:
        path = Path(specification.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"
        if path.is_file():
            return path
    raise UserError(
        "faces.backend: dlib needs shape_predictor_68_face_landmarks.dat from the package face_recognition_models; "
        "install the locked requirements, or choose the backend face_alignment or annotations"
    )


@functools.cache
def _detector():
    import dlib

    return dlib.get_frontal_face_detector()


def _search(grey: np.ndarray, scale: float, upsample: int = 0) -> list[tuple[np.ndarray, float]]:
    """Boxes (left, top, right, bottom) with their scores, best first; in pixels of the image that `scale` shrank."""
    rectangles, scores, _ = _detector().run(grey, upsample, 0.0)
    found = [
        ((np.array([box.left(), box.top(), box.right(), box.bottom()]) + 0.5) / scale - 0.5, float(score))
        for box, score in zip(rectangles, scores, strict=True)
    ]
    return sorted(found, key=lambda face: -face[1])


def _searches(grey: np.ndarray) -> Iterator[tuple[list[tuple[np.ndarray, float]], bool]]:
    """What ever more expensive searches find, and whether they have come to full size. Most faces are found by the
    first."""
    import cv2

    longer = max(grey.shape)
    side = SEARCH_SIDE
    if longer > side:
        yield _search(*shrunk(grey, side)), False
    while 4 * side <= longer:
        side *= 2
        yield _search(*shrunk(grey, side)), False
    yield _search(grey, 1.0), True
    if longer <= UPSAMPLED_SIDE:
        yield _search(grey, 1.0, 1), True
    # Infrared and night pictures: the gradients are there, but faint.
    small, scale = shrunk(grey, SEARCH_SIDE)
    yield _search(cv2.createCLAHE(clipLimit=4.0, tileGridSize=(4, 4)).apply(small), scale, 1), True


def find_faces_at_once(grey: np.ndarray, side: int = SEARCH_SIDE) -> list[tuple[np.ndarray, float]]:
    """What one search finds in an image that is shrunk to a longer side: faces of 80 pixels or more there."""
    return _search(*shrunk(grey, side))


def find_faces(grey: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Frontal faces in a uint8 grey image (H, W).

    Searches the image shrunk to `SEARCH_SIDE`, then ever larger until it is at full size, and stops at the first search
    that finds a certain face (`RIVAL_SCORE`). Where none does, the first that found anything counts; only where all
    found nothing is the image searched doubled, if it is small, and then with its contrast equalised. A search in vain
    takes a third longer than one at full size: 1.3 s at 12 million pixels, 24 s and 1.3 GB at 200 million.

    Returns:
        (box, score) pairs, best score first; a box is float64 (left, top, right, bottom) in pixels of the image.
    """
    faint: list[tuple[np.ndarray, float]] = []
    for faces, at_full_size in _searches(grey):
        if faces and faces[0][1] >= RIVAL_SCORE:
            return faces
        faint = faint or faces
        if faint and at_full_size:
            break
    return faint


def find_all_faces(grey: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Every frontal face in a uint8 grey image (H, W), the one or more that `find_faces` finds before all.

    The others are looked for at `CROWD_SIDE`, and in ever larger images for as long as a face was found that is so
    small that there may be smaller ones beside it: a portrait costs one more search, a group as many as it needs.

    Returns:
        (box, score) pairs as of `find_faces`. A faint find counts only where nothing is certain.
    """
    faces = _certain(find_faces(grey))
    side, longer = CROWD_SIDE, max(grey.shape)
    while faces and longer > SEARCH_SIDE:
        small, scale = shrunk(grey, side)
        for box, score in _search(small, scale):
            if score >= RIVAL_SCORE and all(box_overlap(box, known) < SAME_FACE for known, _ in faces):
                faces.append((box, score))
        smallest = min(box_area(box) for box, _ in faces) ** 0.5 * scale
        if side >= min(longer, FINEST_SIDE) or smallest >= 2 * SMALLEST_FACE:
            break
        side *= 2
    return faces


def _certain(faces: list[tuple[np.ndarray, float]]) -> list[tuple[np.ndarray, float]]:
    return [face for face in faces if face[1] >= RIVAL_SCORE] or faces[:1]


def choose_face(faces: list[tuple[np.ndarray, float]]) -> tuple[np.ndarray, float]:
    """The largest face of several.

    Raises:
        Rejection: if there is none, or if a second one is nearly as large, so that the subject is not certain.
    """
    certain = _certain(faces)
    return certain[largest([box for box, _ in certain])]


def detection_score(grey: np.ndarray) -> float | None:
    """Score of the one face of an image for the choice of a view; None where there is none or more than one."""
    try:
        return choose_face(find_faces(grey))[1]
    except Rejection:
        return None


class DlibBackend:
    """Detector and 68-point predictor of dlib.

    The points are the mean of three predictions from slightly different boxes. `quality` is their agreement,
    exp(-spread / 0.05) with the root mean square spread in units of the eye distance: a good fit is found again from
    everywhere, a bad one depends on where it began. On rendered faces it correlates with the true error.
    """

    searches = True

    def __init__(self) -> None:
        import dlib

        self._predictor = dlib.shape_predictor(str(find_predictor()))

    def locate(self, image: np.ndarray, file: Path) -> Fit:
        """See `LandmarkBackend.locate`; `file` is not needed."""
        grey = to_grey(image)
        return self._fit(grey, choose_face(find_faces(grey))[0])

    def locate_all(self, image: np.ndarray) -> list[tuple[np.ndarray, Fit | Rejection]]:
        """See `SearchingBackend.locate_all`."""
        grey = to_grey(image)
        return fit_each(find_all_faces(grey), lambda box, _: self._fit(grey, box))

    def _fit(self, grey: np.ndarray, box: np.ndarray) -> Fit:
        points, quality = self._points(grey, box)
        check_points(points, grey.shape[1], grey.shape[0])
        return Fit(points.astype(np.float32), quality, "dlib")

    def _points(self, grey: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        import cv2
        import dlib

        side = max(box[2] - box[0], box[3] - box[1])
        left, top = (int(max(0, value)) for value in np.floor(box[:2] - 0.6 * side))
        right, bottom = (int(value) for value in np.ceil(box[2:] + 0.6 * side))
        region = np.ascontiguousarray(grey[top : bottom + 1, left : right + 1])
        low, high = np.percentile(region, (2, 98))
        if high - low < FAINT_RANGE:
            # The trees compare pixel differences with fixed thresholds, learnt on well-lit pictures.
            stretched = (region.astype(np.float32) - low) * (200 / max(high - low, 1.0)) + 28
            region = np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
        scale = min(8.0, max(1.0, FACE_SIDE / side))
        if scale > 1:
            region = cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        ratio = np.array([region.shape[1] / (min(right + 1, grey.shape[1]) - left)] * 2)
        ratio[1] = region.shape[0] / (min(bottom + 1, grey.shape[0]) - top)
        origin = np.array([left, top], dtype=np.float64)
        centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
        predictions = []
        for shift_x, shift_y, factor in JITTER:
            middle = centre + np.array([shift_x, shift_y]) * 2 * half
            corners = np.concatenate([middle - half * factor, middle + half * factor]).reshape(2, 2)
            start = np.rint((corners - origin + 0.5) * ratio - 0.5).astype(int).ravel()
            shape = self._predictor(region, dlib.rectangle(*(int(value) for value in start)))
            found = np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float64)
            predictions.append((found + 0.5) / ratio - 0.5 + origin)
        stack = np.stack(predictions)
        points = stack.mean(axis=0)
        eyes = np.hypot(*(points[42:48].mean(axis=0) - points[36:42].mean(axis=0)))
        spread = np.sqrt(((stack - points) ** 2).sum(axis=2).mean())
        return points, float(np.exp(-spread / (0.05 * max(eyes, 1e-6))))

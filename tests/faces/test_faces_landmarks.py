"""The dlib and annotations backends, the plausibility of landmarks, and the choice of a view."""

import numpy as np
import pytest

from fersnet.embedded.sheet import draw_faces
from fersnet.errors import UserError
from fersnet.faces import dlib_backend as dlib_backend_module
from fersnet.faces.alignment import TEMPLATE, align, alignment_matrix, transform_points
from fersnet.faces.annotations_backend import AnnotationsBackend
from fersnet.faces.backends import backend_files, open_backend, prepare_backend
from fersnet.faces.dlib_backend import DlibBackend, find_faces
from fersnet.faces.images import Rejection, read_image
from fersnet.faces.landmarks import anchors, check_points
from fersnet.faces.views import (
    LEFT_HALF,
    RIGHT_HALF,
    ROTATED_LEFT,
    ROTATED_RIGHT,
    UPRIGHT,
    choose_view,
    extract_view,
)


@pytest.fixture(scope="module")
def dlib_backend() -> DlibBackend:
    return DlibBackend()


def resized(image: np.ndarray, factor: float) -> np.ndarray:
    import cv2

    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def test_real_photograph_is_found_and_aligned(dlib_backend, tmp_path):
    from skimage import data

    image = data.astronaut()
    fit = dlib_backend.locate(image, tmp_path)
    assert fit.detector == "dlib" and fit.points.shape == (68, 2) and fit.quality > 0.7
    # Read off the picture by eye: the pupils and the middle of the lips.
    assert np.allclose(anchors(fit.points), [[203, 101], [247, 103], [223, 143]], atol=5)
    matrix = alignment_matrix(fit.points, 110)
    face = align(image, matrix, 110)
    assert face.shape == (110, 110, 3)
    placed = transform_points(matrix, fit.points)
    assert np.allclose(anchors(placed), TEMPLATE * 110 - 0.5, atol=4)
    # Brows to chin inside the central 96 pixels.
    assert (placed[6:11, 1] < 103).all() and (placed[17:27, 1] > 7).all()


@pytest.mark.parametrize("factor", [0.6, 1.0, 2.5, 6.0])
def test_landmarks_scale_with_the_picture(dlib_backend, photograph, tmp_path, factor):
    reference = dlib_backend.locate(photograph, tmp_path).points
    points = dlib_backend.locate(resized(photograph, factor), tmp_path).points
    back = (points + 0.5) / factor - 0.5
    eyes = np.hypot(*(anchors(reference)[1] - anchors(reference)[0]))
    assert np.hypot(*(back - reference).T).mean() < 0.04 * eyes


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3600, 900)])
def test_c2_a_small_face_in_a_large_picture_is_found(dlib_backend, tmp_path, width, height):
    """Case C2: what the detector finds in the picture itself is found, whatever is around it."""
    (path,) = draw_faces(1, 5, 216, ("happiness",), tmp_path)
    face = read_image(path)
    expected = dlib_backend.locate(face, path).points
    picture = np.full((height, width, 3), 120, dtype=np.uint8)
    top, left = height // 3, width // 2
    picture[top : top + 216, left : left + 216] = face
    points = dlib_backend.locate(picture, path).points - (left, top)
    eyes = np.hypot(*(anchors(expected)[1] - anchors(expected)[0]))
    assert np.hypot(*(points - expected).T).mean() < 0.05 * eyes


def test_c2_a_faint_find_does_not_hide_a_certain_face(monkeypatch):
    """Case C2: something like a face in the shrunk picture ends the search only if nothing better comes."""
    found = {400: [(np.zeros(4), 0.1)], 800: [(np.ones(4), 0.2)], 2000: [(np.full(4, 2.0), 1.5)]}
    monkeypatch.setattr(dlib_backend_module, "_search", lambda image, *_: found.get(image.shape[1], []))
    assert find_faces(np.zeros((10, 2000), dtype=np.uint8)) == found[2000]
    assert find_faces(np.zeros((10, 1900), dtype=np.uint8)) == found[400]


def test_dark_picture_is_found(dlib_backend, photograph, tmp_path):
    dark = (photograph.astype(float) * 0.08 + 3).astype(np.uint8)
    assert dlib_backend.locate(dark, tmp_path).quality > 0.3


def test_no_face(dlib_backend, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    with pytest.raises(Rejection, match=r"^no face found$"):
        dlib_backend.locate(noise, tmp_path)


def test_two_faces(dlib_backend, photograph, tmp_path):
    with pytest.raises(Rejection, match=r"^several faces found$"):
        dlib_backend.locate(np.concatenate([photograph, photograph], axis=1), tmp_path)


def test_small_bystander_does_not_matter(dlib_backend, photograph, tmp_path):
    large = resized(photograph, 3)
    bystander = np.zeros((large.shape[0], photograph.shape[1], 3), dtype=np.uint8)
    bystander[: photograph.shape[0]] = photograph
    points = dlib_backend.locate(np.concatenate([large, bystander], axis=1), tmp_path).points
    assert points[:, 0].max() < large.shape[1]


def test_face_cut_by_the_border(dlib_backend, photograph, tmp_path):
    left_eye = anchors(dlib_backend.locate(photograph, tmp_path).points)[0, 0]
    with pytest.raises(Rejection, match=r"cut by the image border|no face found"):
        dlib_backend.locate(np.ascontiguousarray(photograph[:, round(left_eye) :]), tmp_path)


def test_implausible_points(dlib_backend, photograph, tmp_path):
    points = dlib_backend.locate(photograph, tmp_path).points
    check_points(points, 260, 220)
    with pytest.raises(Rejection, match="too small"):
        check_points(points / 10, 260, 220)
    with pytest.raises(Rejection, match="do not form a face"):
        check_points(points[:, ::1] * [-1, 1] + [260, 0], 260, 220)
    with pytest.raises(Rejection, match="cut by the image border"):
        check_points(points - [points[36, 0] + 1, 0], 260, 220)
    with pytest.raises(Rejection, match="68 finite"):
        check_points(np.full((68, 2), np.nan), 260, 220)


def write_points(path, points) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points))


@pytest.mark.parametrize("tree", ["Landmarks", "landmarks", "Landmarks/Landmarks", "CK+/Landmarks/Landmarks"])
def test_annotations_of_ckplus(dlib_backend, photograph, tmp_path, tree):
    points = dlib_backend.locate(photograph, tmp_path).points
    file = tmp_path / "cohn-kanade-images/S005/001/S005_001_00000001.png"
    write_points(tmp_path / tree / "S005/001/S005_001_00000001_landmarks.txt", points)
    fit = AnnotationsBackend(tmp_path).locate(photograph, file)
    assert np.allclose(fit.points, points, atol=1e-4) and fit.quality == 1 and fit.detector == "annotations"


def test_annotations_beside_the_root(dlib_backend, photograph, tmp_path):
    points = dlib_backend.locate(photograph, tmp_path).points
    root = tmp_path / "cohn-kanade-images"
    (root / "S005/001").mkdir(parents=True)
    write_points(tmp_path / "Landmarks/S005/001/S005_001_00000001_landmarks.txt", points)
    fit = AnnotationsBackend(root).locate(photograph, root / "S005/001/S005_001_00000001.png")
    assert np.allclose(fit.points, points, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "file is empty"),
        ("rubbish", "not a table of numbers"),
        ("1 2\n" * 67, "does not hold 68 points"),
        ("1 2 3\n" * 68, "does not hold 68 points"),
        ("nan nan\n" * 68, "68 finite points"),
        ("1 1\n" * 68, "too small"),
        ("1 1\n" * 50_000, "too large"),
        ("é é\n" * 68, "not a table of numbers"),
    ],
)
def test_rubbish_in_a_landmark_file(photograph, tmp_path, text, reason):
    (tmp_path / "a_landmarks.txt").write_text(text, encoding="utf-8")
    with pytest.raises(Rejection, match=reason):
        AnnotationsBackend(tmp_path).locate(photograph, tmp_path / "a.png")


def test_missing_landmark_file_and_link_loop(photograph, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").symlink_to(tmp_path)
    with pytest.raises(Rejection, match=r"no landmark file: x_landmarks\.txt"):
        AnnotationsBackend(tmp_path).locate(photograph, tmp_path / "x.png")


def test_unknown_backend(tmp_path):
    for call in (lambda: prepare_backend("mtcnn"), lambda: open_backend("mtcnn", tmp_path)):
        with pytest.raises(UserError, match=r"faces\.backend: unknown backend 'mtcnn'"):
            call()


@pytest.mark.parametrize("view", [UPRIGHT, ROTATED_RIGHT, ROTATED_LEFT, LEFT_HALF, RIGHT_HALF])
def test_a_view_knows_the_way_back(view):
    image = np.random.default_rng(0).integers(0, 256, (40, 61, 3), dtype=np.uint8)
    extract = extract_view(image, view)
    rows, columns = np.mgrid[0 : extract.image.shape[0], 0 : extract.image.shape[1]]
    places = transform_points(extract.to_frame, np.column_stack([columns.ravel(), rows.ravel()])).astype(int)
    assert np.array_equal(image[places[:, 1], places[:, 0]], extract.image.reshape(-1, 3))


@pytest.mark.parametrize(
    ("arrange", "hint", "expected"),
    [
        (lambda face, blank: face, "frontal", UPRIGHT),
        (lambda face, blank: np.rot90(face), "frontal", ROTATED_RIGHT),
        (lambda face, blank: np.rot90(face, -1), "unknown", ROTATED_LEFT),
        (lambda face, blank: np.concatenate([face, blank], axis=1), "dual", LEFT_HALF),
        (lambda face, blank: np.concatenate([blank, face], axis=1), "dual", RIGHT_HALF),
        (lambda face, blank: face, "dual", UPRIGHT),
    ],
)
def test_the_view_with_the_frontal_face_is_chosen(photograph, arrange, hint, expected):
    blank = np.full_like(photograph, 90)
    frame = np.ascontiguousarray(arrange(photograph, blank))
    assert choose_view(frame, hint) == expected


def test_no_view_without_a_face():
    assert choose_view(np.full((120, 160, 3), 100, dtype=np.uint8), "unknown") is None


def test_a1_what_a_backend_reads_beside_the_pictures_is_known(tmp_path):
    for place in ("set/Landmarks", "set/inner/landmarks", "Landmarks", "weights/checkpoints"):
        (tmp_path / place).mkdir(parents=True)
    weights = tmp_path / "weights"
    for name in ("s3fd-1.pth", "checkpoints/2DFAN4-2.zip", "another.pth"):
        (weights / name).write_text("")
    found = backend_files("annotations", tmp_path / "set")
    assert found == [tmp_path / "set/Landmarks", tmp_path / "set/inner/landmarks", tmp_path / "Landmarks"]
    found = backend_files("face_alignment", tmp_path, str(weights))
    assert found == [weights / "checkpoints/2DFAN4-2.zip", weights / "s3fd-1.pth"]
    assert backend_files("face_alignment", tmp_path) == backend_files("dlib", tmp_path, str(weights)) == []

"""All faces of a picture."""

import numpy as np
import pytest

from fersnet import find_faces
from fersnet.embedded.sheet import draw_faces
from fersnet.errors import UserError
from fersnet.faces.find import find_in_each
from fersnet.faces.images import read_image, shrunk
from fersnet.faces.sequence import align_face
from fersnet.settings.data import FacesSettings


@pytest.fixture(scope="module")
def face(tmp_path_factory) -> np.ndarray:
    (path,) = draw_faces(1, 5, 256, ("happiness",), tmp_path_factory.mktemp("face"))
    return read_image(path)


def crowd(face: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
    """Eight columns and five rows of a face."""
    picture = np.full((height, width, 3), 110, dtype=np.uint8)
    small, _ = shrunk(face, side)
    for top in range(0, 5 * (height // 5), height // 5):
        for left in range(0, 8 * (width // 8), width // 8):
            picture[top : top + side, left : left + side] = small
    return picture


@pytest.mark.parametrize(("width", "height", "side"), [(640, 490, 76), (1600, 1000, 190)])
def test_forty_faces_are_found(face: np.ndarray, width: int, height: int, side: int) -> None:
    found = find_faces(crowd(face, width, height, side))
    assert len(found) == 40
    assert all(one.error is None and one.image.shape == (110, 110, 1) for one in found)
    centres = {(int((one.box[0] + one.box[2]) / 2 * 8 / width), int((one.box[1] + one.box[3]) / 2 * 5 / height))
               for one in found}  # fmt: skip
    assert len(centres) == 40


def test_a_small_face_beside_a_large_one_is_found_and_the_large_one_stays_as_in_a_training(face: np.ndarray) -> None:
    from fersnet.faces.dlib_backend import DlibBackend

    picture = np.full((600, 1000, 3), 110, dtype=np.uint8)
    picture[40:552, 40:552] = np.kron(face, np.ones((2, 2, 1), dtype=np.uint8))
    # Too small for the search by which a training finds its one face.
    picture[200:400, 700:900] = shrunk(face, 200)[0]
    large, small = find_faces(picture)
    assert small.box[0] > 700 and small.error is None
    trained = align_face(picture, None, "", DlibBackend(), FacesSettings())
    assert np.array_equal(large.image, trained.image)


def test_the_landmarks_lie_in_the_picture_and_settings_count(face: np.ndarray) -> None:
    (found,) = find_faces(face, FacesSettings(size=40, channels=3))
    assert found.image.shape == (40, 40, 3)
    left, top, right, bottom = found.box
    inside = (found.landmarks >= (left - 20, top - 20)) & (found.landmarks <= (right + 20, bottom + 20))
    assert inside.all()


def test_what_cannot_be_looked_into_is_one_line(tmp_path) -> None:
    (tmp_path / "text.png").write_text("text", encoding="utf-8")
    with pytest.raises(UserError, match=r"text\.png: not an image file"):
        find_faces(tmp_path / "text.png")
    with pytest.raises(UserError, match="choose dlib or face_alignment"):
        find_faces(np.zeros((50, 50, 3), dtype=np.uint8), FacesSettings(backend="annotations"))
    assert find_faces(np.zeros((50, 50), dtype=np.uint8)) == []


def test_processes_that_look_for_faces_leave_joblibs_alone(photograph: np.ndarray) -> None:
    """Whoever reads a film and then aligns in one process has both."""
    from joblib import Parallel, delayed

    found = [faces for _, batch in find_in_each([photograph] * 3, FacesSettings(), 2) for faces in batch]
    assert len(found) == 3 and all(found)
    assert Parallel(2)(delayed(abs)(number) for number in (-1, -2)) == [1, 2]

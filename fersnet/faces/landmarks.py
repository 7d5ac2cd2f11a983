"""Landmarks behind one interface: what a backend returns, which backends there are, and when a fit is refused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from fersnet.errors import UserError
from fersnet.faces.images import Rejection

POINTS = 68
"""The iBUG 68-point scheme: 0-16 contour, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth."""

MINIMUM_EYE_DISTANCE = 8.0
"""Smallest distance of the eye centres in pixels that is worth aligning."""


@dataclass(frozen=True)
class Fit:
    """The landmarks of one face.

    `points` is float32 (68, 2), pixel x and y, with pixel centres at whole numbers. `quality` is in 0 to 1 and
    documented by each backend. `detector` names what found the face.
    """

    points: np.ndarray
    quality: float
    detector: str


class LandmarkBackend(Protocol):
    """Finds the 68 landmarks of the one face in a frame.

    `searches` tells whether it looks into the picture, so that a rotated or halved view makes sense to it; landmarks
    read from files are in the frame's own coordinates.
    """

    searches: bool

    def locate(self, image: np.ndarray, file: Path) -> Fit:
        """Landmarks in a uint8 RGB image (H, W, 3) that was read from `file`.

        Raises:
            Rejection: with the reason, if there is not exactly one usable face.
        """
        ...


def prepare_backend(name: str, model_folder: str | None = None) -> None:
    """Make sure that the weight files of a backend are there, before any worker starts.

    Raises:
        UserError: naming the missing files, their checksums and where they go.
    """
    if name == "face_alignment":
        from fersnet.faces.face_alignment_backend import find_weights

        find_weights(model_folder)
    elif name == "dlib":
        from fersnet.faces.dlib_backend import find_predictor

        find_predictor()
    elif name != "annotations":
        raise UserError(f"faces.backend: unknown backend {name!r}; known are dlib, face_alignment, annotations")


def open_backend(name: str, root: Path, model_folder: str | None = None, device: str = "cpu") -> LandmarkBackend:
    """Load a backend by its name in the settings. There is no fallback from one backend to another.

    Args:
        name: `dlib`, `face_alignment` or `annotations`.
        root: Folder of the dataset, where `annotations` looks for landmark files.
        model_folder: Folder with the weights of `face_alignment`; None lets the library fetch its own.
        device: `cpu` or `cuda`, for `face_alignment`.

    Raises:
        UserError: if the backend is unknown or its weights are not there.
    """
    if name == "dlib":
        from fersnet.faces.dlib_backend import DlibBackend

        return DlibBackend()
    if name == "face_alignment":
        from fersnet.faces.face_alignment_backend import FaceAlignmentBackend

        return FaceAlignmentBackend(model_folder, device)
    if name == "annotations":
        from fersnet.faces.annotations_backend import AnnotationsBackend

        return AnnotationsBackend(root)
    raise UserError(f"faces.backend: unknown backend {name!r}; known are dlib, face_alignment, annotations")


def backend_files(name: str, root: Path, model_folder: str | None = None) -> list[Path]:
    """Files and folders of the user's, beside the pictures, that a backend reads; arguments as in `open_backend`."""
    if name == "annotations":
        from fersnet.faces.annotations_backend import find_landmark_folders

        return list(find_landmark_folders(root))
    if name == "face_alignment" and model_folder is not None:
        from fersnet.faces.face_alignment_backend import weight_files

        return weight_files(Path(model_folder))
    return []


def anchors(points: np.ndarray) -> np.ndarray:
    """Centres of the left-hand eye, the right-hand eye and the mouth corners: float64 (3, 2).

    Left and right are the image's. The mouth counts by its corners, which a dropped jaw moves least.
    """
    points = np.asarray(points, dtype=np.float64)
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[[48, 54]].mean(axis=0)])


def check_points(points: np.ndarray, width: int, height: int) -> None:
    """Refuse landmarks that no whole face can have.

    Raises:
        Rejection: if points are not finite; if the eyes nearly coincide; if the mouth does not lie below the eyes
            (in the face's own frame) at 0.4 to 2.5 eye distances; or if the image border cuts the face: an eye,
            nose or mouth point outside the image, or more than eight contour and brow points.
    """
    if points.shape != (POINTS, 2) or not np.isfinite(points).all():
        raise Rejection("landmarks are not 68 finite points")
    left, right, mouth = anchors(points)
    across = right - left
    distance = float(np.hypot(*across))
    if distance < MINIMUM_EYE_DISTANCE:
        raise Rejection("face is too small")
    middle = (left + right) / 2
    below = float((across[0] * (mouth - middle)[1] - across[1] * (mouth - middle)[0]) / distance**2)
    aside = float(across @ (mouth - middle) / distance**2)
    if not 0.4 <= below <= 2.5 or abs(aside) > 0.8:
        raise Rejection("landmarks do not form a face")
    outside = ((points < 0) | (points > (width - 1, height - 1))).any(axis=1)
    if outside[27:].any() or outside[:27].sum() > 8:
        raise Rejection("face is cut by the image border")

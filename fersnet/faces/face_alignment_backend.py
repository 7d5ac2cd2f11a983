"""The `face_alignment` backend: S3FD detector and FAN-4 landmarks of the library of that name.

Bulat and Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?" (ICCV 2017); Zhang et al.,
"S3FD" (ICCV 2017).
"""

import hashlib
import importlib.util
import logging
import re
import tempfile
from pathlib import Path
from urllib.parse import urlparse

import numpy as np

from fersnet.errors import UserError
from fersnet.faces.dlib_backend import choose_face
from fersnet.faces.images import Rejection, shrunk
from fersnet.faces.landmarks import Fit, check_points, fit_each

logger = logging.getLogger(__name__)

WEIGHTS = ("s3fd", "2DFAN4")
"""How the names of the two weight files begin."""
SEARCH_SIDE = 1920
"""Longer side, in pixels, up to which the detector sees a picture as it is; it takes 1.5 GB at full HD, and grows with
the pixels. In a larger picture, which is shrunk to this, it finds faces of a hundredth of the longer side."""

FULL_CONFIDENCE = 0.8
"""Mean heat-map peak from which a fit counts as certain."""


def weight_addresses() -> tuple[str, str]:
    """Addresses of the detector's and the landmark network's weights, as the installed library names them.

    Raises:
        UserError: if the library, which is an extra of the package, is not installed.
    """
    if importlib.util.find_spec("face_alignment") is None:
        raise UserError(
            "faces.backend face_alignment: its library is not installed; `pip install face-alignment`, "
            "or choose faces.backend dlib or annotations"
        )
    from face_alignment.api import models_urls
    from face_alignment.detection.sfd.sfd_detector import models_urls as detector_urls

    return detector_urls["s3fd"], models_urls["2DFAN-4"]


def _file_name(address: str) -> str:
    return Path(urlparse(address).path).name


def published_checksum(name: str) -> str:
    """First ten hexadecimal digits of the SHA-256 that the publisher wrote into a weight file's name."""
    match = re.search(r"-([0-9a-f]{8,})\.", name)
    return match[1] if match else ""


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def weight_files(folder: Path) -> list[Path]:
    """What may be a weight file in a folder of the user's, without asking the library, which is slow to load."""
    places = (folder, folder / "checkpoints")
    return sorted(path for place in places for begin in WEIGHTS for path in place.glob(f"{begin}-*"))


def missing_weights(folder: Path) -> str | None:
    """What a quick look does not find of the weight files in a folder of the user's; None if they seem to be there."""
    found = [path.name for path in weight_files(folder)]
    missing = [f"{begin}-*" for begin in WEIGHTS if not any(name.startswith(f"{begin}-") for name in found)]
    if not missing:
        return None
    there = f"{' and '.join(missing)} not found in {folder}" if folder.is_dir() else f"{folder}: no such folder"
    return f"faces.model_folder: {there}; put the weight files of face_alignment there, or choose another faces.backend"


def find_weights(model_folder: str | None) -> tuple[Path, Path]:
    """The two weight files: in `model_folder` (or its `checkpoints`), or in the library's cache, fetched if need be.

    A file whose checksum differs from the published one is used, with a warning: own weights in the same format are
    welcome, and the store names the checksum of what was used.

    Raises:
        UserError: naming each missing file, the start of its SHA-256, and the folder it belongs in.
    """
    import torch
    from face_alignment.utils import load_file_from_url

    addresses = weight_addresses()
    names = [_file_name(address) for address in addresses]
    wanted = " and ".join(f"{name} (SHA-256 starts with {published_checksum(name)})" for name in names)
    if model_folder is not None:
        folder = Path(model_folder)
        places = [next((p for p in (folder / n, folder / "checkpoints" / n) if p.is_file()), None) for n in names]
        missing = [name for name, place in zip(names, places, strict=True) if place is None]
        if missing:
            raise UserError(
                f"faces.model_folder: {' and '.join(missing)} not found in {folder}; put {wanted} there, "
                "or choose faces.backend dlib or annotations"
            )
        found = tuple(place for place in places if place is not None)
    else:
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        try:
            found = tuple(Path(load_file_from_url(a, progress=False, check_hash=True)) for a in addresses)
        except (OSError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise UserError(
                f"faces.backend face_alignment: its weights could not be fetched ({reason}); put {wanted} into {cache} "
                f"or into the folder named by faces.model_folder (published at {addresses[0]} and {addresses[1]})"
            ) from None
    for path in found:
        if not _checksum(path).startswith(published_checksum(path.name)):
            logger.warning("%s: the checksum is not the published one; the file is used as it is", path)
    return found[0], found[1]


def _load(detector_weights: Path, landmark_weights: Path, device: str):
    """The library's own object on the two files.

    The library takes the detector's path but looks for the landmark network in the hub folder of torch, so that
    folder is pointed, for this one call, to where the file is.
    """
    import torch
    from face_alignment import FaceAlignment, LandmarksType

    before = torch.hub.get_dir()
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Path(folder) / "checkpoints"
        checkpoints.mkdir()
        (checkpoints / landmark_weights.name).symlink_to(landmark_weights.resolve())
        torch.hub.set_dir(folder)
        try:
            return FaceAlignment(
                LandmarksType.TWO_D,
                device=device,
                face_detector="sfd",
                face_detector_kwargs={"path_to_detector": str(detector_weights)},
                compile=False,
            )
        finally:
            torch.hub.set_dir(before)


class FaceAlignmentBackend:
    """S3FD boxes and 2D-FAN-4 landmarks, exactly as the library computes them; boxes at `SEARCH_SIDE` at most.

    `quality` is the mean peak of the 68 heat maps over `FULL_CONFIDENCE`, at most 1. The library adds the heat maps of
    the image and of its mirror image, so the peaks are halved first. `detector` names the checksums of the weights.
    """

    searches = True

    def __init__(self, model_folder: str | None = None, device: str = "cpu") -> None:
        detector, landmarks = find_weights(model_folder)
        try:
            self._library = _load(detector, landmarks, device)
        except Exception as error:
            # torch reports damaged, foreign and hostile files with many types, all of them with one cause here.
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"{detector} or {landmarks}: not the weights of face_alignment ({first}); fetch the files anew"
            ) from error
        self._name = f"face_alignment {_checksum(detector)[:10]} {_checksum(landmarks)[:10]}"

    def locate(self, image: np.ndarray, file: Path) -> Fit:
        """See `LandmarkBackend.locate`; `file` is not needed."""
        return self._fit(image, *choose_face(self._boxes(image)))

    def locate_all(self, image: np.ndarray) -> list[tuple[np.ndarray, Fit | Rejection]]:
        """See `SearchingBackend.locate_all`."""
        return fit_each(self._boxes(image), lambda box, score: self._fit(image, box, score))

    def _boxes(self, image: np.ndarray) -> list[tuple[np.ndarray, float]]:
        """Boxes with their scores, best first."""
        small, scale = shrunk(image, SEARCH_SIDE)
        boxes = self._library.face_detector.detect_from_image(small)
        faces = [((np.asarray(box[:4], dtype=np.float64) + 0.5) / scale - 0.5, float(box[4])) for box in boxes]
        return sorted(faces, key=lambda face: -face[1])

    def _fit(self, image: np.ndarray, box: np.ndarray, score: float) -> Fit:
        try:
            points, scores, _ = self._library.get_landmarks_from_image(
                image, detected_faces=[[*box.tolist(), score]], return_landmark_score=True
            )
        except (ValueError, IndexError, OverflowError, ZeroDivisionError) as error:
            # The library crops without looking at the border; a box far outside has no pixels to crop.
            raise Rejection(f"landmarks failed: {error}") from error
        found = np.asarray(points[0], dtype=np.float32)
        peak = float(np.asarray(scores[0]).mean()) / (2 if self._library.flip_input else 1)
        check_points(found, image.shape[1], image.shape[0])
        return Fit(found, float(np.clip(peak / FULL_CONFIDENCE, 0, 1)), self._name)

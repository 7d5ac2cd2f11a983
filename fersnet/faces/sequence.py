"""One sequence: from its frames to aligned faces, ready to be stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fersnet.errors import UserError
from fersnet.faces.alignment import align, alignment_matrix, compose, invert, transform_points
from fersnet.faces.frames import read_frames, resolve_entry, split_entry
from fersnet.faces.images import Rejection, to_grey
from fersnet.faces.landmarks import Fit, LandmarkBackend
from fersnet.faces.lighting import normalise_lighting
from fersnet.faces.roles import ROLES, fill_clip, role_positions
from fersnet.faces.views import choose_view, extract_view
from fersnet.settings.data import FacesSettings

BLACK = 2.0
"""Mean grey level, of 255, below which a picture shows nothing; KDEF has four such."""


@dataclass(frozen=True)
class AlignedFace:
    """An aligned face: uint8 (S, S, C) image, float32 (68, 2) landmarks in its pixels, and how it was found.

    `matrix` (2, 3) maps the pixels of the whole frame to those of the face.
    """

    image: np.ndarray
    landmarks: np.ndarray
    matrix: np.ndarray
    quality: float
    detector: str


@dataclass(frozen=True)
class AlignedSequence:
    """The stored rows of one sequence.

    `images` uint8 (n, S, S, C); `landmarks` float32 (n, 68, 2); `rows` one dictionary each, in the store's order;
    `rejected` pairs of frame (position or "") and reason; `wanted` distinct frames that were needed, `refused` those
    of them that could not be used.
    """

    sequence_id: str
    images: np.ndarray
    landmarks: np.ndarray
    rows: list[dict[str, Any]]
    rejected: list[tuple[int | str, str]]
    wanted: int
    refused: int


def align_face(
    image: np.ndarray, file: Path, view: str, backend: LandmarkBackend, settings: FacesSettings
) -> AlignedFace:
    """Find, align and normalise the face in one frame.

    Args:
        image: uint8 RGB (H, W, 3).
        file: Where it was read from.
        view: View of the frame for `extract_view`.
        backend: Landmark backend.
        settings: Size, channels and lighting.

    Raises:
        Rejection: with the reason, if the face cannot be used.
    """
    if image.mean() < BLACK:
        raise Rejection("picture is black")
    extract = extract_view(image, view)
    # Warped from the extract: the other half of a dual view is another picture and must not leak in across the cut.
    face = align_fit(extract.image, backend.locate(extract.image, file), settings)
    detector = f"{face.detector}, {view}" if view else face.detector
    return replace(face, matrix=compose(face.matrix, invert(extract.to_frame)), detector=detector)


def align_fit(image: np.ndarray, fit: Fit, settings: FacesSettings) -> AlignedFace:
    """Align and normalise a face whose landmarks are known, in a uint8 RGB image (H, W, 3)."""
    matrix = alignment_matrix(fit.points, settings.size)
    face = align(image if settings.channels == 3 else to_grey(image), matrix, settings.size)
    face = normalise_lighting(face, settings.lighting).reshape(settings.size, settings.size, settings.channels)
    landmarks = transform_points(matrix, fit.points).astype(np.float32)
    return AlignedFace(face, landmarks, matrix, fit.quality, fit.detector)


def align_sequence(
    sequence: Mapping[str, Any], root: Path, backend: LandmarkBackend, settings: FacesSettings
) -> AlignedSequence:
    """Align the peak, neutral and clip frames of one sequence; a frame that several roles share is read once.

    Args:
        sequence: One row of the index (`sequence_id`, `subject`, `expression`, `frames`, `apex`, `neutral`, `view`).
        root: Folder that the frames are relative to.
        backend: Landmark backend.
        settings: Settings of the faces.

    Raises:
        UserError: if the apex or neutral positions lie outside the sequence.
    """
    entries = [str(entry) for entry in sequence["frames"]]
    apex, neutral = [int(position) for position in sequence["apex"]], int(sequence["neutral"])
    try:
        roles = role_positions(len(entries), apex, neutral, settings.peak_frames, settings.clip_frames)
    except ValueError as error:
        raise UserError(f"sequence {sequence['sequence_id']}: {error}; build the index anew") from None
    needed = sorted({position for positions in roles.values() for position in positions})
    hint = str(sequence["view"])
    view = None if hint and backend.searches else ""
    faces: dict[int, AlignedFace] = {}
    rejected: list[tuple[int | str, str]] = []
    for position, image in read_frames(root, entries, needed):
        try:
            if isinstance(image, Rejection):
                raise image
            if view is None:
                view = choose_view(image, hint)
                if view is None:
                    raise Rejection("no face found")
            file = resolve_entry(root, split_entry(entries[position])[0])
            faces[position] = align_face(image, file, view, backend, settings)
        except Rejection as rejection:
            rejected.append((position, str(rejection)))
    rejected.sort()
    refused = len(rejected)
    rows, chosen = [], []
    clip = fill_clip(roles["clip"], faces)
    if clip is None and apex:
        rejected.append(("", "clip left out: less than half of its frames are usable"))
    kept = {
        "clip": clip or [],
        "neutral": [position for position in roles["neutral"] if position in faces],
        "peak": [position for position in roles["peak"] if position in faces],
    }
    if apex and not kept["peak"]:
        rejected.append(("", "sequence left out: no peak frame is usable"))
        kept = {role: [] for role in ROLES}
    for role in ROLES:
        for position in kept[role]:
            face = faces[position]
            chosen.append(face)
            rows.append(
                {
                    "sequence_id": str(sequence["sequence_id"]),
                    "subject": str(sequence["subject"]),
                    "expression": str(sequence["expression"]),
                    "frame": position,
                    "role": role,
                    "detector": face.detector,
                    "quality": face.quality,
                    "source": entries[position],
                    "matrix": [float(value) for value in face.matrix.ravel()],
                }
            )
    shape = (len(chosen), settings.size, settings.size, settings.channels)
    images = np.stack([face.image for face in chosen]) if chosen else np.zeros(shape, dtype=np.uint8)
    landmarks = np.stack([face.landmarks for face in chosen]) if chosen else np.zeros((0, 68, 2), dtype=np.float32)
    return AlignedSequence(str(sequence["sequence_id"]), images, landmarks, rows, rejected, len(needed), refused)

"""A trained FERSNet together with the way of a picture into it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from fersnet.errors import UserError
from fersnet.expressions import VOCABULARY, synthesis_targets
from fersnet.faces.backends import open_backend
from fersnet.faces.images import Rejection, decode_image, read_image
from fersnet.faces.sequence import align_face
from fersnet.settings.data import FacesSettings
from fersnet.synthesis.generation import checked_synthesis, target_indices, to_bytes
from fersnet.training.batches import crop_and_flip
from fersnet.training.inference import Synthesizer, load

ALL = "all"
"""Stands for the expressions of the comparison of synthetic faces, in their order."""

ADVICE = "give an image with one whole frontal face"
"""What to do about a picture that cannot be used."""


def open_model(checkpoint: Path, backend: str | None = None, landmark_models: str | None = None) -> "TrainedModel":
    """The model of a checkpoint, on the CPU.

    Args:
        checkpoint: `checkpoint.pt` of a FERSNet variant.
        backend: Landmark backend; None takes the one that the training faces were aligned with.
        landmark_models: Folder with the weights of `face_alignment`; None lets the library fetch its own.

    Raises:
        UserError: if the checkpoint is missing, damaged, hostile, of another kind, or does not say how its faces were
            aligned; if the backend is unknown, needs landmark files, or has no weights.
    """
    network = load(checkpoint)
    faces = _face_settings(network, checkpoint)
    backend = backend or faces.backend
    if backend == "annotations":
        raise UserError(
            f"{checkpoint}: its faces were aligned by landmark files, which a new picture has not; add --backend dlib"
        )
    # The root matters to the backend that reads landmark files only.
    return TrainedModel(network, faces, open_backend(backend, Path(), landmark_models))


class TrainedModel:
    """Aligns a face as the training faces were, recognises its expression, and gives it others."""

    def __init__(self, network: Synthesizer, faces: FacesSettings, backend: Any) -> None:
        self._network = network
        self._faces = faces
        self._backend = backend

    @property
    def expressions(self) -> tuple[str, ...]:
        """The classes in class-index order."""
        return self._network.expressions

    @property
    def targets(self) -> tuple[str, ...]:
        """The expressions of a strip."""
        return synthesis_targets(self.expressions)

    def find_face(self, picture: Path) -> Tensor:
        """The one face of an image file, aligned and cropped: float (1, C, S, S) in [0, 1].

        Raises:
            UserError: if it is no image, or shows no face, several faces, or a face that cannot be used.
        """
        try:
            return self._find_face(picture)
        except Rejection as rejection:
            raise UserError(f"{picture}: {rejection}; {ADVICE}") from None

    def _find_face(self, picture: Path | BinaryIO) -> Tensor:
        image = read_image(picture) if isinstance(picture, Path) else decode_image(picture)
        face = align_face(image, Path(), "", self._backend, self._faces).image
        stored = torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1)[None]))
        return crop_and_flip(stored, self._network.image_size, train=False)

    def answer(self, picture: Path | BinaryIO) -> dict[str, Any]:
        """What is seen in a picture: `predicted` and `probabilities`, or `error`, the reason why it cannot be used."""
        try:
            probabilities = self.recognise(self._find_face(picture))
        except Rejection as rejection:
            return {"error": f"{rejection}; {ADVICE}"}
        return {"predicted": max(probabilities, key=probabilities.__getitem__), "probabilities": probabilities}

    def recognise(self, face: Tensor) -> dict[str, float]:
        """Probability of each expression, in class-index order, for a face from `find_face`."""
        probabilities = self._network.recognise(face)[0].double()
        return dict(zip(self.expressions, probabilities.tolist(), strict=True))

    def synthesize(self, face: Tensor, expressions: Sequence[str]) -> NDArray[np.uint8]:
        """The face with each of the expressions, side by side: RGB (S, S * M, 3).

        Raises:
            UserError: if the model does not know one of them, or cannot synthesise.
        """
        targets = target_indices(self.expressions, expressions)
        return _side_by_side(checked_synthesis(self._network, face.expand(len(targets), -1, -1, -1), targets))

    def strip(self, face: Tensor) -> NDArray[np.uint8]:
        """The face itself and then each of `targets`: RGB (S, (1 + M) * S, 3).

        Raises:
            UserError: as `synthesize`.
        """
        return np.hstack([_side_by_side(face), self.synthesize(face, self.targets)])


def check_expression(expression: str) -> None:
    """Raises a UserError unless the name is an expression, or `all`."""
    if expression not in (ALL, *VOCABULARY):
        raise UserError(
            f"--expression: unknown expression {expression!r}; choose {ALL} or from {', '.join(VOCABULARY)}"
        )


def _side_by_side(faces: Tensor) -> NDArray[np.uint8]:
    channels_last = to_bytes(faces).permute(0, 2, 3, 1).numpy()
    return np.hstack([np.broadcast_to(face, (*face.shape[:2], 3)) for face in channels_last])


def _face_settings(network: Synthesizer, checkpoint: Path) -> FacesSettings:
    try:
        settings = FacesSettings.model_validate(network.faces, strict=False)
    except ValidationError:
        raise UserError(f"{checkpoint}: does not say how its faces were aligned; train the model again") from None
    if settings.channels != network.network.channels or settings.size < network.image_size:
        raise UserError(f"{checkpoint}: its faces and its network do not fit; train the model again")
    return settings

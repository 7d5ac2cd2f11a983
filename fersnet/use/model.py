"""A trained FERSNet together with the way of a picture into it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from pydantic import ValidationError
from torch import Tensor

from fersnet.embedded.mark import is_rendered
from fersnet.errors import UserError
from fersnet.expressions import VOCABULARY, synthesis_targets
from fersnet.faces.find import Face, find_faces, find_in_each, searching, the_one_face, with_workers
from fersnet.faces.images import Rejection
from fersnet.settings.data import FacesSettings
from fersnet.synthesis.generation import checked_synthesis, target_indices, to_bytes
from fersnet.training.batches import crop_and_flip
from fersnet.training.device import choose_device, one_core
from fersnet.training.inference import BATCH, Synthesizer, gate_maps, load
from fersnet.use.store import fetch_checkpoint, store_uri
from fersnet.use.table import ADVICE, picture_rows, table_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from fersnet.faces.images import Picture

logger = logging.getLogger(__name__)

ALL = "all"
"""Stands for the expressions of the comparison of synthetic faces, in their order."""

RENDERED = "rendered"

NOTICE = (
    "this model was trained on rendered faces, and what it says of a photograph means nothing: train on real faces, "
    "or give it pictures of `fersnet render face`"
)


def load_model(
    model: str | Path,
    *,
    results: str | Path = "results/embedded",
    backend: str | None = None,
    landmark_models: str | None = None,
    device: Literal["auto", "cpu", "cuda"] = "cpu",
) -> "TrainedModel":
    """A trained FERSNet, ready for pictures.

    Args:
        model: A `checkpoint.pt`, the folder of a logged model, or an MLflow URI (`models:/...`, `runs:/...`).
        results: Run whose store has the model of a URI; the variable MLFLOW_TRACKING_URI names another store.
        backend: Landmark backend; None takes the one that the training faces were aligned with.
        landmark_models: Folder with the weights of `face_alignment`; None lets the library fetch its own.
        device: `cpu`, `cuda`, or `auto` for a GPU where there is one.

    Raises:
        UserError: if there is no such model, or the checkpoint is damaged, hostile, of another kind, or does not say
            how its faces were aligned; if the backend is unknown, needs landmark files, or has no weights.
    """
    trained = read_model(model, results=results, backend=backend, landmark_models=landmark_models, device=device)
    searching(trained.faces)
    return trained


def read_model(
    model: str | Path,
    *,
    results: str | Path,
    backend: str | None,
    landmark_models: str | None,
    device: Literal["auto", "cpu", "cuda"] = "cpu",
) -> "TrainedModel":
    """As `load_model`, but for the landmark backend's weights, which the first picture asks for."""
    with TemporaryDirectory() as folder:
        checkpoint = fetch_checkpoint(str(model), store_uri(Path(results)), Path(folder))
        network = load(checkpoint, choose_device(device))
        faces = _face_settings(network, checkpoint)
        chosen = {"backend": backend or faces.backend, "model_folder": landmark_models}
        if chosen["backend"] == "annotations":
            raise UserError(
                f"{checkpoint}: its faces were aligned by landmark files, which a new picture has not; "
                "add --backend dlib"
            )
        try:
            faces = FacesSettings.model_validate(faces.model_dump() | chosen)
        except ValidationError:
            raise UserError(f"faces.backend: unknown backend {backend!r}; known are dlib, face_alignment") from None
    return TrainedModel(network, faces)


class TrainedModel:
    """Finds the faces of pictures, aligns them as the training faces were, recognises their expressions, and gives them
    others. Get one from `load_model`."""

    def __init__(self, network: Synthesizer, faces: FacesSettings) -> None:
        self._network = network
        self.faces = faces
        """How a face is found and aligned."""
        self._told = False

    @property
    def expressions(self) -> tuple[str, ...]:
        """The classes in class-index order."""
        return self._network.expressions

    @property
    def targets(self) -> tuple[str, ...]:
        """The expressions of a strip."""
        return synthesis_targets(self.expressions)

    @property
    def trained_on(self) -> str:
        """`rendered`, `real` or `unknown` faces."""
        return self._network.trained_on

    def predict(self, images: "Picture | Iterable[Picture]", *, workers: int | None = None) -> "DataFrame":
        """What is seen in pictures, of which each may show several faces.

        Args:
            images: One picture or any number of them: paths, file contents as bytes, Pillow images, or pixels (uint8
                (H, W) or (H, W, 3), RGB). They are read in batches; of an animated one the first frame counts.
            workers: Processes that look for faces; None takes all cores for many pictures, and this one for few.

        Returns:
            A row per face, in the order of the pictures, largest face first; a picture that cannot be read, or shows no
            face, has one row, too. Columns: `picture` (position, from 0), `file` (its path, if it has one), `face`
            (from 1), `left`, `top`, `right`, `bottom` (its box in pixels), `quality` (of its landmarks, 0 to 1),
            `predicted`, `p_<expression>` per class, `trained_on` (`rendered`, `real` or `unknown` faces), and `error`,
            the reason where there are no probabilities.
        """
        rows: list[dict[str, Any]] = []
        number = 0
        given, workers = with_workers(as_list(images), workers)
        with one_core(workers > 1):
            for pictures, found in find_in_each(given, self.faces, workers):
                self.tell([picture for picture, faces in zip(pictures, found, strict=True) if isinstance(faces, list)])
                usable = [face for faces in found if isinstance(faces, list) for face in faces]
                probabilities = self.probabilities(usable)
                for picture, faces in zip(pictures, found, strict=True):
                    rows += picture_rows(number, name_of(picture), faces, probabilities)
                    number += 1
        return table_of(rows, self.expressions, self.trained_on)

    def probabilities(self, faces: Sequence[Face]) -> Iterator[NDArray[np.float64]]:
        """Probability of each expression, in class-index order, for each of the faces that can be used."""
        usable = [face for face in faces if face.image is not None]
        for start in range(0, len(usable), BATCH):
            yield from self._network.recognise(self.as_input(usable[start : start + BATCH])).double().numpy()

    def synthesize(self, images: "Picture | Iterable[Picture]", expression: str) -> list[NDArray[np.uint8]]:
        """The one face of each picture with another expression: RGB (S, S, 3), at the network's own size.

        Args:
            images: As of `predict`.
            expression: What the faces shall show, or `all` for the face itself and each of `targets`, side by side.

        Raises:
            UserError: if a picture cannot be read, or shows no face, several, or one that cannot be used; if the model
                does not know the expression, or cannot synthesise.
        """
        check_expression(expression)
        return [np.hstack(self.draw(self.find_face(picture), expression)) for picture in as_list(images)]

    def find_face(self, picture: "Picture") -> Face:
        """The one face of a picture.

        Raises:
            UserError: if it is no image, or shows no face, several faces, or a face that cannot be used.
        """
        self.tell([picture])
        faces = find_faces(picture, self.faces)
        try:
            return the_one_face(faces)
        except Rejection as rejection:
            raise UserError(f"{name_of(picture) or 'picture'}: {rejection}; {ADVICE}") from None

    def draw(self, face: Face, expression: str) -> list[NDArray[np.uint8]]:
        """Pictures, RGB (S, S, 3), of a face with another expression; for `all` of itself and with each of `targets`.

        Raises:
            UserError: if the model does not know the expression, or cannot synthesise.
        """
        image = self.as_input([face])
        targets = target_indices(self.expressions, self.targets if expression == ALL else [expression])
        drawn = checked_synthesis(self._network, image.expand(len(targets), -1, -1, -1), targets)
        return _pictures(torch.cat([image, drawn]) if expression == ALL else drawn)

    def gates(self, face: Face) -> dict[str, NDArray[np.float32]]:
        """What the gates let through for a face: `<level>/<task that receives>/<leaky or memory>`, each (h, w) in
        (0, 1); none for a network whose tasks share nothing by gates."""
        with torch.no_grad():
            output = self._network.network(self.as_input([face]).to(self._network.device))
        return {name: value[0].numpy() for name, value in gate_maps(output).items()}

    def as_input(self, faces: Sequence[Face]) -> Tensor:
        """Usable faces as the network takes them: float (B, C, S, S) in [0, 1]."""
        stored = np.ascontiguousarray(np.stack([face.image for face in faces]).transpose(0, 3, 1, 2))
        return crop_and_flip(torch.from_numpy(stored), self._network.image_size, train=False)

    def tell(self, pictures: "Sequence[Picture]") -> None:
        """Warn once where a model that knows rendered faces only is given pictures that are not known to be such."""
        if self.trained_on == RENDERED and not self._told and not all(is_rendered(picture) for picture in pictures):
            self._told = True
            logger.warning(NOTICE)


def as_list(images: "Picture | Iterable[Picture]") -> "Iterable[Picture]":
    """Pictures, of which there may be one only."""
    alone = isinstance(images, str | Path | bytes | Image) or (isinstance(images, np.ndarray) and images.ndim < 4)
    return [images] if alone else images


def name_of(picture: "Picture") -> str | None:
    """The path of a picture that is a file."""
    return str(picture) if isinstance(picture, str | Path) else None


def check_expression(expression: str) -> None:
    """Raises a UserError unless the name is an expression, or `all`."""
    if expression not in (ALL, *VOCABULARY):
        raise UserError(
            f"--expression: unknown expression {expression!r}; choose {ALL} or from {', '.join(VOCABULARY)}"
        )


def _pictures(faces: Tensor) -> list[NDArray[np.uint8]]:
    channels_last = to_bytes(faces).permute(0, 2, 3, 1).numpy()
    return [np.broadcast_to(face, (*face.shape[:2], 3)) for face in channels_last]


def _face_settings(network: Synthesizer, checkpoint: Path) -> FacesSettings:
    try:
        settings = FacesSettings.model_validate(network.faces, strict=False)
    except ValidationError:
        raise UserError(f"{checkpoint}: does not say how its faces were aligned; train the model again") from None
    if settings.channels != network.network.channels or settings.size < network.image_size:
        raise UserError(f"{checkpoint}: its faces and its network do not fit; train the model again")
    return settings

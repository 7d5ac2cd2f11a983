"""What the recognisers of peak faces share: the faces they are trained on, and prediction.

The training itself is `fersnet.training.classification.ClassificationTask`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from fersnet.errors import UserError
from fersnet.settings.methods import FaceNetworkSettings
from fersnet.training import loop
from fersnet.training.batches import FaceSet, join_faces, warn_of_missing_classes
from fersnet.training.classification import ClassificationTask
from fersnet.training.predictions import face_probabilities

if TYPE_CHECKING:
    from fersnet.training.task import Stage, TrainingRun


def all_faces(train: FaceSet, validation: FaceSet) -> FaceSet:
    """The faces a network is trained on: its schedule is fixed, so nothing is left to choose on the validation faces.

    Raises:
        UserError: where these are less than two.
    """
    known = set(train.rows.tolist())
    added = torch.tensor([row not in known for row in validation.rows.tolist()], dtype=torch.bool)
    faces = join_faces(train, validation.select(added)) if bool(added.any()) else train
    if len(faces) < 2:
        raise UserError(
            f"the training folds hold {len(faces)} peak faces, at least 2 are needed: see rejected.csv of the dataset, "
            "or lower folds.count"
        )
    warn_of_missing_classes(faces)
    return faces


def begun(
    method: str, train: FaceSet, validation: FaceSet, settings: FaceNetworkSettings, run: "TrainingRun"
) -> tuple[FaceSet, "TrainingRun"]:
    """The faces of a training, and its run with what the checkpoint says of itself: enough to build its networks again.

    Raises:
        UserError: where there are less than two faces.
    """
    faces = all_faces(train, validation)
    described = {
        "method": method,
        "expressions": list(faces.expressions),
        "channels": faces.images.shape[1],
        "subjects": len(faces.subject_names),
        "settings": settings.model_dump(mode="json"),
    }
    return faces, run.describing(described)


@dataclass(frozen=True)
class FaceModel:
    """A trained network, and how it reads faces."""

    network: nn.Module
    """Images float (B, C, crop, crop) in [0, 1] -> logits (B, K)."""
    crop: int
    device: torch.device
    seen: Tensor
    """bool (K,): whether a class was seen in training."""

    def predict_proba(self, faces: FaceSet) -> np.ndarray:
        """Class probabilities float32 (N, K) of the centre crops; rows sum to 1, an unseen class gets 0."""
        if not len(faces):
            return np.zeros((0, len(self.seen)), dtype=np.float32)
        self.network.eval()
        return face_probabilities(self._logits, faces.to(self.device), self.crop).astype(np.float32)

    def _logits(self, images: Tensor) -> Tensor:
        return self.network(images).masked_fill(~self.seen, -torch.inf)


def face_model(network: nn.Module, faces: FaceSet, run: "TrainingRun") -> FaceModel:
    """The model that a network has become by its training on some faces."""
    seen = torch.bincount(faces.labels, minlength=len(faces.expressions)) > 0
    return FaceModel(network, run.metadata["image_size"], run.device, seen.to(run.device))


def trained(task: ClassificationTask, stages: "list[Stage]", faces: FaceSet, run: "TrainingRun") -> FaceModel:
    """The model of a task's network after its training on some faces.

    Raises:
        UserError: for a loss that is not finite.
    """
    loop.train(task, stages, run)
    return face_model(task.network, faces, run)

"""The standard FER model: trained on real training faces alone, it judges synthetic test faces."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from fersnet.errors import UserError
from fersnet.models.standard_fer import StandardFER
from fersnet.seeds import derive_seed
from fersnet.settings.training import SIDE_FOR_ONE_FACE, StandardFerSettings
from fersnet.training.batches import FaceSet, warn_of_missing_classes
from fersnet.training.checkpoint import load_checkpoint, restore
from fersnet.training.classification import ClassificationTask
from fersnet.training.loop import train
from fersnet.training.other_sets import joined_sets, other_faces
from fersnet.training.task import Stage, TrainingRun

if TYPE_CHECKING:
    from pandas import DataFrame

    from fersnet.faces.store import FaceStore

KIND = "standard_fer"


def with_other_sets(faces: FaceSet, others: "Iterable[tuple[FaceStore, Collection[str]]]") -> FaceSet:
    """The fold's training faces, and other sets' peak faces of the same expressions.

    Args:
        others: each set's faces, and who in it must not be trained on, since the fold tests or validates on them.
    """
    more = [other_faces(store, left_out, faces.expressions) for store, left_out in others]
    more = [other for other in more if len(other)]
    return joined_sets([faces, *more]) if more else faces


def fit_standard_fer(faces: FaceSet, settings: StandardFerSettings, crop: int, run: TrainingRun) -> "DataFrame":
    """Trains the judge on real faces with random crops and flips; writes checkpoint.pt and history.csv.

    It shares nothing with the networks that it judges: its own weights, its own seed.

    Args:
        faces: real peak faces of the fold's training subjects.
        settings: width and optimisation.
        crop: side of the crops, `model.image_size`.
        run: where to write.

    Raises:
        UserError: if a face is synthetic, if a batch is too small for batch normalisation, or as `train` does.
    """
    if bool(faces.synthetic.any()):
        raise UserError("standard_fer: the judge is trained on real faces only; leave synthetic ones out")
    if crop < SIDE_FOR_ONE_FACE and min(settings.batch_size, len(faces)) == 1:
        raise UserError(
            f"standard_fer: BatchNorm needs 2 faces in a batch at model.image_size {crop}; "
            f"raise standard_fer.batch_size or lower folds.count ({len(faces)} training faces)"
        )
    warn_of_missing_classes(faces)
    torch.manual_seed(derive_seed(run.seed, KIND, "initialise"))
    channels = faces.images.shape[1]
    network = StandardFER(settings.width, channels, len(faces.expressions))
    metadata = {
        "kind": KIND,
        "width": settings.width,
        "channels": channels,
        "image_size": crop,
        "expressions": list(faces.expressions),
    }
    task = ClassificationTask(network, faces, faces.labels, crop, settings, run)
    return train(task, [Stage(KIND, settings.epochs, settings.batch_size, len(faces))], run.describing(metadata))


def load_standard_fer(checkpoint: Path, device: torch.device | str) -> tuple[StandardFER, tuple[str, ...]]:
    """The judge in evaluation mode on the device, and its expressions in class-index order.

    Raises:
        UserError: if the file is not readable or holds something else.
    """
    states, metadata = load_checkpoint(checkpoint)
    if metadata.get("kind") != KIND or "network" not in states:
        raise UserError(f"{checkpoint}: not a standard FER model (kind {metadata.get('kind')!r}); train one first")
    expressions = tuple(metadata["expressions"])
    network = StandardFER(metadata["width"], metadata["channels"], len(expressions))
    restore(network, states["network"], checkpoint)
    return network.to(device).eval().requires_grad_(False), expressions

"""The identity network behind L_idt, perceptual terms and the identity figures."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fersnet.errors import UserError
from fersnet.models.light_cnn import LightCNN9, load_public_checkpoint
from fersnet.seeds import derive_seed
from fersnet.settings.training import IdentitySettings
from fersnet.training.batches import FaceSet
from fersnet.training.checkpoint import load_checkpoint, restore, save_checkpoint, write_atomically
from fersnet.training.classification import ClassificationTask
from fersnet.training.loop import batches_of, train
from fersnet.training.task import Stage, TrainingRun

if TYPE_CHECKING:
    from pandas import DataFrame

logger = logging.getLogger(__name__)

KIND = "identity"
KNOWN_SHARE = 0.7
"""Of its training faces; a network that knows fewer has features that say little of who somebody is."""


def fit_identity(faces: FaceSet, settings: IdentitySettings, crop: int, run: TrainingRun) -> "DataFrame | None":
    """Trains LightCNN-9 to tell the given subjects apart, or takes the public checkpoint; writes checkpoint.pt.

    Where `settings.checkpoint` is null, the network learns by softmax over the subjects of `faces` (all roles and
    expressions, random crop and flip): the substitute for the weights that the published work downloads. The
    checkpoint's metadata says which it is: `source` is `trained` or `public`.

    Args:
        faces: all faces of the fold's training subjects, and of nobody else.
        settings: the network's size and optimisation, or the public file.
        crop: side of the training crops, as in the networks that use the features.
        run: where to write.

    Returns:
        The history; None for the public checkpoint (history.csv then has no rows).

    Raises:
        UserError: for an unreadable public file, or as `train` does.
    """
    metadata: dict[str, Any] = {"kind": KIND, "crop": crop}
    if settings.checkpoint is not None:
        network = load_public_checkpoint(Path(settings.checkpoint), settings.checkpoint_sha256)
        metadata |= run.metadata | _built(network, "public")
        save_checkpoint(run.folder / "checkpoint.pt", {"network": network}, metadata)
        write_atomically(run.folder / "history.csv", b"stage,epoch,seconds,cross_entropy,training_accuracy\n")
        return None
    torch.manual_seed(derive_seed(run.seed, KIND, "initialise"))
    network = LightCNN9(settings.width, settings.image_size, len(faces.subject_names))
    metadata |= _built(network, "trained") | {"subject_names": list(faces.subject_names)}
    task = ClassificationTask(network, faces, faces.subjects, crop, settings, run)
    stage = Stage(KIND, settings.epochs, settings.batch_size, len(faces))
    history = train(task, [stage], run.describing(metadata))
    known = history["training_accuracy"].iloc[-1]
    if known < KNOWN_SHARE:
        logger.warning(
            "the identity network knows %.0f %% of its training faces: L_idt and the identity figures say little; "
            "raise identity.epochs (there were %d steps)",
            *(100 * known, settings.epochs * len(batches_of(stage, run.seed, 1))),
        )
    return history


def load_identity(checkpoint: Path, device: torch.device | str) -> LightCNN9:
    """The identity network of a checkpoint: frozen, in evaluation mode, on the device.

    Raises:
        UserError: if the file is not readable or holds something else.
    """
    states, metadata = load_checkpoint(checkpoint)
    if metadata.get("kind") != KIND or "network" not in states:
        raise UserError(f"{checkpoint}: not an identity network (kind {metadata.get('kind')!r}); train one first")
    network = LightCNN9(metadata["width"], metadata["image_size"], metadata["subjects"])
    restore(network, states["network"], checkpoint)
    return network.to(device).eval().requires_grad_(False)


def _built(network: LightCNN9, source: str) -> dict[str, int | str]:
    return {
        "source": source,
        "width": network.width,
        "image_size": network.image_size,
        "subjects": network.classifier.out_features,
    }

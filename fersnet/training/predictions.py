"""From class probabilities to the prediction table, and its sequence-level reading."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fersnet.errors import UserError
from fersnet.training.batches import FaceSet, crop_and_flip

if TYPE_CHECKING:
    from pandas import DataFrame

KEYS = ("sequence_id", "subject", "expression")


def face_probabilities(
    logits_of: Callable[[Tensor], Tensor], faces: FaceSet, crop: int, batch_size: int = 64
) -> NDArray[np.float64]:
    """Softmax probabilities (N, K) of the faces' centre crops.

    Args:
        logits_of: images float (B, C, crop, crop) in [0, 1] on the faces' device -> logits (B, K). A module is put into
            evaluation mode for the call.
        faces: faces on the device of the computation.
        crop: side of the crop.
        batch_size: faces per pass.
    """
    module = logits_of if isinstance(logits_of, nn.Module) else None
    was_training = module is not None and module.training
    if module is not None:
        module.eval()
    parts = []
    with torch.no_grad():
        for images in faces.images.split(batch_size):
            logits = logits_of(crop_and_flip(images, crop, train=False))
            parts.append(logits.double().softmax(dim=1).cpu())
    if module is not None:
        module.train(was_training)
    return torch.cat(parts).numpy()


def prediction_table(faces: FaceSet, probabilities: NDArray[np.floating]) -> "DataFrame":
    """A row per face: sequence_id, subject, expression (the truth), frame, predicted, and p_<expression> per class.

    probabilities: (N, K) in the order of `faces.expressions`.

    Raises:
        UserError: as `table_of_predictions` does.
    """
    return table_of_predictions(
        faces.sequence_ids,
        [faces.subject_names[subject] for subject in faces.subjects.tolist()],
        [faces.expressions[label] for label in faces.labels.tolist()],
        faces.frames.tolist(),
        probabilities,
        faces.expressions,
    )


def table_of_predictions(
    sequence_ids: Sequence[str],
    subjects: Sequence[str],
    truths: Sequence[str],
    frames: Sequence[int],
    probabilities: NDArray[np.floating],
    expressions: Sequence[str],
) -> "DataFrame":
    """The prediction table from its parts; methods that read whole clips give one row per sequence, with frame -1.

    Rows are sorted by sequence and frame, so that equal predictions are equal files.

    Raises:
        UserError: if probabilities are not finite, not in [0, 1], or of another shape than (rows, classes).
    """
    import pandas as pd

    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (len(sequence_ids), len(expressions)):
        wanted = (len(sequence_ids), len(expressions))
        raise UserError(f"predictions: probabilities are {values.shape}, expected {wanted}; train the model again")
    if not np.isfinite(values).all() or values.min(initial=0.0) < 0 or values.max(initial=0.0) > 1 + 1e-6:
        raise UserError("predictions: probabilities outside [0, 1] or not finite; train with a lower learning_rate")
    columns: dict[str, object] = {
        "sequence_id": list(sequence_ids),
        "subject": list(subjects),
        "expression": list(truths),
        "frame": np.asarray(frames, dtype=np.int64),
        "predicted": [expressions[position] for position in values.argmax(axis=1)],
    }
    columns |= {f"p_{expression}": values[:, position] for position, expression in enumerate(expressions)}
    return pd.DataFrame(columns).sort_values(["sequence_id", "frame"], kind="stable", ignore_index=True)


def sequence_predictions(table: "DataFrame") -> "DataFrame":
    """A row per sequence: the mean probability of its faces, and the class where that is largest.

    Ties go to the first expression in class-index order.
    """
    columns = [column for column in table.columns if column.startswith("p_")]
    means = table.groupby(list(KEYS), sort=True)[columns].mean().reset_index()
    best = means[columns].to_numpy().argmax(axis=1)
    means.insert(len(KEYS), "predicted", [columns[position].removeprefix("p_") for position in best])
    return means


def accuracies(table: "DataFrame") -> dict[str, float]:
    """`sequence_accuracy` and `frame_accuracy` as shares in [0, 1]; nothing for a table without rows."""
    if table.empty:
        return {}
    sequences = sequence_predictions(table)
    return {
        "sequence_accuracy": float((sequences["predicted"] == sequences["expression"]).mean()),
        "frame_accuracy": float((table["predicted"] == table["expression"]).mean()),
    }

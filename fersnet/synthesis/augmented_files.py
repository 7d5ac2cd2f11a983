"""Synthetic training faces on disk, between the job that makes them and the job that trains with them."""

from io import BytesIO
from pathlib import Path

import numpy as np
import torch

from fersnet.errors import UserError
from fersnet.training.batches import FaceSet
from fersnet.training.checkpoint import write_atomically


def write_augmented(path: Path, faces: FaceSet) -> None:
    """Write the synthetic faces of an enlarged training set: images uint8 (M, H, W, C), source rows, targets."""
    chosen = faces.to("cpu").select(torch.nonzero(faces.synthetic.cpu()).flatten())
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        images=chosen.images.permute(0, 2, 3, 1).contiguous().numpy(),
        source=chosen.rows.numpy(),
        target=np.array([chosen.expressions[label] for label in chosen.labels.tolist()], dtype=np.str_),
    )
    write_atomically(path, buffer.getbuffer())


def with_augmented(real: FaceSet, path: Path) -> FaceSet:
    """The real training faces followed by the synthetic ones of a file.

    Subject, sequence and frame of a synthetic face are its source's.

    Raises:
        UserError: if the file is damaged, or a source is not among the real faces (it would leak another subject).
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            images, source, target = content["images"], content["source"], content["target"]
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{path}: not a file of augmented faces ({error}); delete it and run again") from None
    position = {row: place for place, row in enumerate(real.rows.tolist())}
    foreign = [row for row in source.tolist() if row not in position]
    if foreign:
        raise UserError(f"{path}: row {foreign[0]} is no training face of this fold; delete the file and run again")
    sources = real.select(torch.tensor([position[row] for row in source.tolist()], dtype=torch.int64))
    labels = [real.expressions.index(expression) for expression in target.tolist()]
    return FaceSet(
        images=torch.cat((real.images, torch.from_numpy(images).permute(0, 3, 1, 2).to(real.images.dtype))),
        labels=torch.cat((real.labels, torch.tensor(labels, dtype=torch.int64))),
        subjects=torch.cat((real.subjects, sources.subjects)),
        subject_names=real.subject_names,
        rows=torch.cat((real.rows, sources.rows)),
        sequence_ids=real.sequence_ids + sources.sequence_ids,
        frames=torch.cat((real.frames, sources.frames)),
        expressions=real.expressions,
        synthetic=torch.cat((real.synthetic, torch.ones(len(labels), dtype=torch.bool))),
    )

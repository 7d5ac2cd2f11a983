"""Augmentation by synthesis: a system turns training faces into the expressions that are missing (FES-DA)."""

import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fersnet.errors import UserError
from fersnet.seeds import derive_seed
from fersnet.settings.training import AugmentationSettings
from fersnet.synthesis.generation import Synthesizer, checked_synthesis, target_indices, to_bytes
from fersnet.training.batches import FaceSet, crop_and_flip

if TYPE_CHECKING:
    from pandas import DataFrame

logger = logging.getLogger(__name__)

COLUMNS = (
    *("source", "sequence_id", "frame", "subject", "source_expression", "target", "missing"),
    *("confidence", "predicted", "kept"),
)


def augment(
    faces: FaceSet,
    synthesizer: Synthesizer,
    logits_of: Callable[[Tensor], Tensor] | None,
    settings: AugmentationSettings,
    size: int,
    seed: int,
    targets: Collection[str] | None = None,
    batch_size: int = 32,
) -> tuple[FaceSet, "DataFrame"]:
    """Training faces enlarged until every class has `factor` times the largest class's count (paper: FES-DA).

    Sources and targets are taken in the order of `plan`; each source gets each target at most once, so a class may
    stay short where sources run out, too few faces pass the filter, or the system does not draw it (logged).

    Args:
        faces: real peak faces of the fold's training subjects, on the synthesizer's device.
        synthesizer: the trained system.
        logits_of: what reads the synthetic faces: uint8 (B, C, S, S) -> logits (B, K) for `faces.expressions`; None
            where nothing does, and all are kept.
        settings: factor and filter.
        size: side of the images that the system takes.
        seed: of the plan's order and of the noise that the system may draw.
        targets: expressions to be drawn, as far as the system knows them; None draws all of `faces`.
        batch_size: faces per pass.

    Returns:
        The real faces followed by the synthetic ones (whose `rows`, `sequence_ids`, `frames` and subjects are their
        source's), and a table with a row per generated face: source (row in faces.parquet), sequence_id, frame,
        subject, source_expression, target, missing (whether the subject had no such face), confidence (of its
        reader in the target), predicted (what that one reads; both empty where there is none), kept.

    Raises:
        UserError: if synthetic faces are given as sources, or as `checked_synthesis` does.
    """
    import pandas as pd

    if bool(faces.synthetic.any()):
        raise UserError("augmentation: sources must be real faces; give the training faces without synthetic ones")
    counts = list(faces.class_counts().values())
    goal = round(settings.factor * max(counts))
    made: list[Tensor] = []
    records: list[dict[str, object]] = []
    for target, count in enumerate(counts):
        expression = faces.expressions[target]
        if expression not in synthesizer.expressions or (targets is not None and expression not in targets):
            if goal > count:
                logger.warning("augmentation: %s is not drawn, and has %d faces of %d", expression, count, goal)
            continue
        (drawn,) = target_indices(synthesizer.expressions, [expression]).tolist()
        sources, missing = plan(faces, target, seed)
        needed, position = goal - count, 0
        while needed > 0 and position < len(sources):
            chosen = sources[position : position + min(needed, batch_size)]
            absent = missing[position : position + len(chosen)]
            torch.manual_seed(derive_seed(seed, "augment", target, position))
            position += len(chosen)
            images = faces.images[chosen.to(faces.images.device)]
            generated = synthesize_whole(synthesizer, images, drawn, size)
            read = None
            if logits_of is not None:
                with torch.no_grad():
                    read = logits_of(generated.to(images.device)).double().softmax(dim=1).cpu()
            kept = torch.ones(len(chosen), dtype=torch.bool)
            if read is not None:
                kept = read[:, target] >= settings.minimum_confidence
            made.append(generated[kept])
            records += _records(faces, chosen, target, absent, read, kept)
            needed -= int(kept.sum())
        if needed > 0:
            logger.warning("augmentation: %s stays %d faces short of %d", expression, needed, goal)
    table = pd.DataFrame(records, columns=list(COLUMNS))
    return _enlarged(faces, made, records), table


def plan(faces: FaceSet, target: int, seed: int) -> tuple[Tensor, Tensor]:
    """The order in which faces become sources of a target expression.

    Faces that show the target already are no sources. Subjects without any face of the target come first; among
    equals every subject is used once before one is used again, and the rest is drawn at random.

    Returns:
        Positions int64 (M,) in `faces`, and bool (M,): whether the subject has no face of the target.
    """
    labels, subjects = faces.labels.cpu().numpy(), faces.subjects.cpu().numpy()
    generator = np.random.default_rng(derive_seed(seed, "plan", target))
    order = generator.permutation(len(labels))
    order = order[labels[order] != target]
    missing = ~np.isin(subjects[order], np.unique(subjects[labels == target]))
    turn = np.zeros(len(order), dtype=np.int64)
    used: dict[int, int] = {}
    for position, subject in enumerate(subjects[order].tolist()):
        turn[position] = used[subject] = used.get(subject, -1) + 1
    ranked = np.lexsort((np.arange(len(order)), turn, ~missing))
    return torch.from_numpy(order[ranked].astype(np.int64)), torch.from_numpy(missing[ranked])


def synthesize_whole(synthesizer: Synthesizer, images: Tensor, target: int, size: int) -> Tensor:
    """Synthetic faces of the stored size, uint8 (B, C, S, S) on the CPU, so that training can crop them like real ones.

    The network sees `size` of S pixels. The four corner crops cover the whole face and are blended into each other;
    over them lies the centre crop, faded in over its margin. All five are crops as in training.

    Args:
        synthesizer: the trained system.
        images: uint8 (B, C, S, S).
        target: class index of the system's.
        size: side of the network's input, from S/2 to S.

    Raises:
        UserError: if the crops cannot cover the face, or as `checked_synthesis` does.
    """
    side = images.shape[2]
    rest = side - size
    middle = rest // 2
    if rest > size:
        raise UserError(f"model.image_size: augmentation needs at least half of faces.size ({side}), found {size}")
    wanted = torch.full((len(images),), target, dtype=torch.int64, device=images.device)

    def made(top: int, left: int) -> Tensor:
        crop = images[:, :, top : top + size, left : left + size]
        return checked_synthesis(synthesizer, crop_and_flip(crop, size, train=False), wanted)

    if rest == 0:
        return to_bytes(made(0, 0))
    ramp = torch.linspace(1, 0, side - 2 * rest + 2, device=images.device)[1:-1]
    early = torch.cat((ramp.new_ones(rest), ramp, ramp.new_zeros(rest)))
    whole = images.new_zeros(images.shape, dtype=torch.float32)
    for top, vertical in ((0, early), (rest, 1 - early)):
        for left, horizontal in ((0, early), (rest, 1 - early)):
            weight = vertical[top : top + size, None] * horizontal[None, left : left + size]
            whole[:, :, top : top + size, left : left + size] += weight * made(top, left)
    steps = torch.arange(size, device=images.device)
    fade = (torch.minimum(steps, steps.flip(0)) / max(middle, 1)).clamp(max=1)
    weight = fade[:, None] * fade[None, :]
    centre = whole[:, :, middle : middle + size, middle : middle + size]
    centre.lerp_(made(middle, middle), weight.expand_as(centre))
    return to_bytes(whole)


def _records(
    faces: FaceSet, chosen: Tensor, target: int, missing: Tensor, read: Tensor | None, kept: Tensor
) -> list[dict[str, object]]:
    part = faces.select(chosen)
    confidence: list[float | None] = [None] * len(part)
    predicted: list[str | None] = [None] * len(part)
    if read is not None:
        confidence = read[:, target].tolist()
        predicted = [faces.expressions[label] for label in read.argmax(dim=1).tolist()]
    return [
        {
            "source": row,
            "sequence_id": sequence_id,
            "frame": frame,
            "subject": faces.subject_names[subject],
            "source_expression": faces.expressions[label],
            "target": faces.expressions[target],
            "missing": absent,
            "confidence": certainty,
            "predicted": answer,
            "kept": stays,
        }
        for row, sequence_id, frame, subject, label, absent, certainty, answer, stays in zip(
            part.rows.tolist(),
            part.sequence_ids,
            part.frames.tolist(),
            part.subjects.tolist(),
            part.labels.tolist(),
            missing.tolist(),
            confidence,
            predicted,
            kept.tolist(),
            strict=True,
        )
    ]


def _enlarged(faces: FaceSet, made: list[Tensor], records: list[dict[str, object]]) -> FaceSet:
    real = faces.to("cpu")
    kept = [record for record in records if record["kept"]]
    names = {name: position for position, name in enumerate(real.subject_names)}

    def column(name: str, numbers: dict[str, int] | None = None) -> Tensor:
        values = [record[name] if numbers is None else numbers[str(record[name])] for record in kept]
        return torch.tensor(values, dtype=torch.int64)

    labels = {expression: position for position, expression in enumerate(real.expressions)}
    return FaceSet(
        images=torch.cat((real.images, *made)),
        labels=torch.cat((real.labels, column("target", labels))),
        subjects=torch.cat((real.subjects, column("subject", names))),
        subject_names=real.subject_names,
        rows=torch.cat((real.rows, column("source"))),
        sequence_ids=real.sequence_ids + tuple(str(record["sequence_id"]) for record in kept),
        frames=torch.cat((real.frames, column("frame"))),
        expressions=real.expressions,
        synthetic=torch.cat((real.synthetic, torch.ones(len(kept), dtype=torch.bool))),
    ).to(faces.images.device)

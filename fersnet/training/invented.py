"""Invented faces, on which a training is set up that nobody needs the result of: to count it, time it or kill it."""

import torch

from fersnet.expressions import SIX
from fersnet.training.batches import FaceSet, loose_faces


def invented_faces(
    count: int, side: int, channels: int = 1, *, people: int, expressions: tuple[str, ...] = SIX
) -> FaceSet:
    """Noise, the same whenever it is asked for: one face of each person and expression, then from the first again.

    uint8 (count, channels, side, side).
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, channels, side, side), dtype=torch.uint8, generator=generator)
    rows = torch.arange(count)
    return loose_faces(images, rows % len(expressions), rows // len(expressions) % people, expressions)

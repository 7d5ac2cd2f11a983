"""A rendered portrait, and checkpoints of small untrained networks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from fersnet.embedded.sheet import draw_faces
from fersnet.expressions import SIX
from fersnet.models.fersnet import FERSNet
from fersnet.training.checkpoint import save_checkpoint

FACES = {"backend": "dlib", "size": 36, "channels": 1, "lighting": "none"}
MakeCheckpoint = Callable[..., Path]


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of one face, 256 x 256 pixels."""
    (path,) = draw_faces(1, 5, 256, ("happiness",), tmp_path_factory.mktemp("portrait é"))
    return path


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> MakeCheckpoint:
    """Writes a checkpoint as `fit` does; keyword arguments change its metadata, those of `network` the network."""

    def make(*arguments: Any, **changes: Any) -> Path:
        return write_checkpoint(tmp_path / "checkpoint.pt", *arguments, **changes)

    return make


def write_checkpoint(
    path: Path, expressions: tuple[str, ...] = SIX, network: dict[str, Any] | None = None, **changes: Any
) -> Path:
    """What `make_checkpoint` says, at a place of one's own."""
    make = {"width": 4, "image_size": 32, "channels": 1, "classes": len(expressions), "sharing": "convflu"}
    make |= network or {}
    torch.manual_seed(1)
    metadata = {"kind": "fersnet", "network": make, "expressions": expressions, "faces": FACES} | changes
    untrained = FERSNet(**make)
    if untrained.decoder is not None:
        # Around mid-grey, since what an untrained decoder draws would be clipped to black.
        torch.nn.init.constant_(untrained.decoder.output.bias, 0.5)
    save_checkpoint(path, {"fersnet": untrained}, metadata)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, portrait: Path) -> Path:
    """Twelve frames: a face that moves, and from the seventh on a second one."""
    path = tmp_path_factory.mktemp("clip") / "clip é.mp4"
    face = np.asarray(Image.open(portrait).convert("RGB"))[..., ::-1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 300))
    for number in range(12):
        frame = np.full((300, 640, 3), 110, dtype=np.uint8)
        left = 5 * number
        frame[20:276, left : left + 256] = face
        if number >= 6:
            frame[20:276, 360:616] = face
        writer.write(frame)
    writer.release()
    return path

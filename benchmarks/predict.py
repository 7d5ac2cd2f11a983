"""Speed of `load_model(...).predict`: pictures of 640 x 490 pixels with one rendered face, detection included.

For the network of the default run and for that of the published size, in one process and in as many as there are cores.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fersnet import load_model
from fersnet.embedded.sheet import draw_faces
from fersnet.expressions import SIX
from fersnet.models.fersnet import FERSNet
from fersnet.training.checkpoint import save_checkpoint

PICTURES = 300
SIZES = {"default": (16, 48, 50), "published": (64, 96, 110)}
"""Width of the network, side of its input, side of the stored face."""


def pictures(folder: Path) -> list[Path]:
    """JPEG files, as a camera writes them, with a face of 400 pixels."""
    paths = []
    for number, face in enumerate(draw_faces(4, 1, 400, ("happiness", "fear"), folder)):
        picture = np.full((490, 640, 3), 120, dtype=np.uint8)
        picture[60:460, 120:520] = np.asarray(Image.open(face).convert("RGB"))
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(picture).save(paths[-1], quality=92)
    return (paths * PICTURES)[:PICTURES]


def save_untrained(folder: Path, width: int, side: int, stored: int) -> Path:
    """The checkpoint of a network of this size that was never trained."""
    make = {"width": width, "image_size": side, "channels": 1, "classes": 6, "sharing": "convflu"}
    faces = {"backend": "dlib", "size": stored, "channels": 1, "lighting": "none"}
    metadata = {"kind": "fersnet", "network": make, "expressions": SIX, "faces": faces}
    save_checkpoint(folder / "checkpoint.pt", {"fersnet": FERSNet(**make)}, metadata)
    return folder / "checkpoint.pt"


def main() -> None:
    """Print faces per second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = pictures(folder)
        for size, (width, side, stored) in SIZES.items():
            model = load_model(save_untrained(folder, width, side, stored))
            for workers in sorted({1, len(os.sched_getaffinity(0))}):
                model.predict(images[:4], workers=workers)
                start = time.perf_counter()
                found = model.predict(images, workers=workers)["error"].isna().sum()
                seconds = time.perf_counter() - start
                print(f"{size:10} {workers} processes: {found / seconds:6.1f} faces/s ({seconds:.1f} s)", flush=True)


if __name__ == "__main__":
    main()

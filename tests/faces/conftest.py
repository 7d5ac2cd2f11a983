"""A photograph of a real face, and small datasets made from it."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def photograph() -> np.ndarray:
    """The head of scikit-image's astronaut: uint8 RGB (220, 260, 3) with one frontal face."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[0:220, 100:360])


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory, photograph):
    """Four sequences of six frames (subjects 005 and Zoë) with slightly moved faces: (root, index)."""
    import cv2
    import pandas as pd
    from PIL import Image

    root = tmp_path_factory.mktemp("small dataset é")
    rows = []
    for number, (subject, expression) in enumerate(
        [("005", "anger"), ("005", "happiness"), ("Zoë", "fear"), ("Zoë", "surprise")]
    ):
        folder = root / subject / expression
        folder.mkdir(parents=True)
        frames = []
        for frame in range(6):
            shift = np.array([[1.0, 0, 3 * number + frame], [0, 1, 2 * frame - number]])
            moved = cv2.warpAffine(photograph, shift, (260, 220), borderMode=cv2.BORDER_REPLICATE)
            Image.fromarray(moved).save(folder / f"{frame:03d}.png", compress_level=1)
            frames.append(f"{subject}/{expression}/{frame:03d}.png")
        rows.append((f"{subject}_{expression}", subject, expression, 6, frames, [3, 4, 5], 0, ""))
    columns = ["sequence_id", "subject", "expression", "n_frames", "frames", "apex", "neutral", "view"]
    return root, pd.DataFrame(rows, columns=columns)


def write_video(path: Path, frames: list[np.ndarray], codec: str = "MJPG") -> None:
    """Write uint8 RGB frames as a video file."""
    import cv2

    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 24, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()


@pytest.fixture(scope="session")
def video_writer():
    """The function `write_video`."""
    return write_video

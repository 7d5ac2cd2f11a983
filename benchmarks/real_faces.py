"""Faces found in the London Set, and how far dlib's eye centres lie from the annotated ones.

`python benchmarks/real_faces.py [~/faces/london]`; where the set is not there it says so, and measures nothing.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fersnet.datasets.index import read_dataset
from fersnet.expressions import NEUTRAL
from fersnet.faces.store import build_store, open_store
from fersnet.settings.data import DatasetSettings, FacesSettings

PUPILS = slice(1, 3)
"""Lines of a `.tem` file: its first one counts the points, of which the first two are the pupils."""
EYES = (slice(36, 42), slice(42, 48))
"""Of the 68 points."""


def annotated_eyes(picture: Path) -> NDArray[np.float64]:
    """float64 (2, 2): the pupils beside a picture, in its pixels."""
    lines = picture.with_suffix(".tem").read_text(encoding="utf-8").splitlines()[PUPILS]
    return np.array([[float(value) for value in line.split()] for line in lines])


def measure(root: Path) -> dict[str, float]:
    """Pictures and faces found, and the mean and largest distance of eye centres as a share of the eyes' distance."""
    with tempfile.TemporaryDirectory() as name:
        settings = DatasetSettings(reader="london", root=str(root), expressions=("happiness", NEUTRAL))
        index = read_dataset(settings, root)
        build_store(index.sequences, root, Path(name), FacesSettings(size=50), "dlib", 1, index_rejected=index.rejected)
        store = open_store(Path(name))
        peaks = store.table[store.table["role"] == "peak"]
        distances = []
        for row in peaks[peaks["expression"] == NEUTRAL].itertuples():
            eyes, matrix = annotated_eyes(root / row.source), np.array(row.matrix).reshape(2, 3)
            points = (store.landmarks[row.Index].astype(float) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
            found = np.stack([points[eye].mean(axis=0) for eye in EYES])
            distances.append(np.linalg.norm(found - eyes, axis=1).mean() / np.linalg.norm(eyes[1] - eyes[0]))
        return {
            "pictures": len(index.sequences),
            "faces": len(peaks),
            "mean_distance": float(np.mean(distances)),
            "largest_distance": float(np.max(distances)),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, nargs="?", default=Path("~/faces/london"))
    folder = parser.parse_args().root.expanduser()
    if folder.is_dir():
        print(json.dumps(measure(folder), indent=1))
    else:
        print(f"not measured, since nothing is at {folder}: fersnet fetch london --to {folder}")

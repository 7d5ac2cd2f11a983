"""What the fixed judge of synthetic faces is worth: `python benchmarks/judge.py [--seeds 1 2] [--json]`.

The recognition sets of the default run are rendered and aligned with each seed, as the run does it. The judge reads
their peak faces: clear ones, the same under each of the changes that it was trained for, and faces whose eyes or mouth
are painted over; and pictures of noise. Accuracies are shares of images in percent; confidence is the mean of the
largest probability. A seed takes four minutes of one core.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import cv2
import pandas as pd
import torch

from fersnet.datasets.index import read_dataset
from fersnet.embedded.trees import write_tree
from fersnet.expressions import synthesis_targets
from fersnet.faces.store import FaceStore, build_store, open_store
from fersnet.judge.figures import figures
from fersnet.judge.fixed import load_fixed_judge
from fersnet.judge.record import FILE
from fersnet.settings.load import load_settings
from fersnet.training.batches import crop_and_flip, face_set

SETTINGS = load_settings({"preset": "embedded"}, [])


def build(dataset: str, folder: Path, seed: int, workers: int) -> FaceStore:
    """The faces of a dataset of the default run."""
    settings = SETTINGS.datasets[dataset]
    write_tree(settings.reader, folder / "tree", settings.embedded, seed, workers)
    index = read_dataset(settings, folder / "tree", SETTINGS.faces.peak_frames)
    faces = SETTINGS.faces.model_copy(update={"clip_frames": 2})
    build_store(index.sequences, folder / "tree", folder / "store", faces, SETTINGS.faces.backend, workers)
    return open_store(folder / "store")


def read(store: FaceStore, classes: tuple[str, ...], judge: torch.nn.Module, seed: int) -> dict[str, float]:
    """The figures of a judge of these classes on the peak faces that show them."""
    faces = face_set(store, frozenset(store.table["subject"]), classes)
    crops = crop_and_flip(faces.images, SETTINGS.model.image_size, train=False)
    return {"n": len(faces)} | figures(judge, crops, faces.labels, seed)


def main() -> None:
    """Render, read, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[SETTINGS.seed], help="of the rendered sets")
    parser.add_argument("--judge", type=Path, default=FILE, help="judge.pt with its judge.json beside it")
    parser.add_argument("--workers", type=int, default=1, help="processes that render and align")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    rows = []
    for seed in options.seeds:
        for dataset in SETTINGS.recognition_datasets:
            every = SETTINGS.datasets[dataset].classes
            with tempfile.TemporaryDirectory() as folder:
                store = build(dataset, Path(folder), seed, options.workers)
                for classes in dict.fromkeys((synthesis_targets(every), every)):
                    judge = load_fixed_judge(classes, "cpu", options.judge)
                    place = {"dataset": dataset, "seed": seed, "classes": len(classes)}
                    rows.append(place | read(store, classes, judge, seed))
    if options.json:
        json.dump(rows, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        print(pd.DataFrame(rows).set_index(["dataset", "seed", "classes"]).T.round(2).to_string())


if __name__ == "__main__":
    main()

"""What the last and the averaged weights of a finished run are worth: `python benchmarks/weights.py results/decoder`.

For each FERSNet of the run, pooled over folds: the share of test sequences that it recognises, and of synthetic faces
in which a judge reads their target: the fold's own where the run trained it, else the fixed one of rendered faces. The
mean over repeated trainings, and the standard deviation between them. Every test face is drawn with each target. Per
cent. The checkpoints hold both weights.
"""

import argparse
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fersnet.expressions import synthesis_targets
from fersnet.faces.store import open_store
from fersnet.folds import read_folds, split_subjects
from fersnet.judge.fixed import load_fixed_judge
from fersnet.repeats import split_repeat
from fersnet.training.batches import FaceSet, crop_and_flip, face_set
from fersnet.training.checkpoint import load_checkpoint, restore
from fersnet.training.inference import KIND, Synthesizer, build
from fersnet.training.predictions import accuracies, prediction_table
from fersnet.training.standard_fer import KIND as STANDARD_FER
from fersnet.training.standard_fer import load_standard_fer


def main() -> None:
    """Read every checkpoint, print a row per dataset, variant and kind of weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of the run")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keys = ["dataset", "method", "weights"]
    trainings = measure(arguments.results, torch.device(arguments.device)).groupby(keys)
    print(trainings.agg(["mean", "std", "count"]).round(1).to_string())


def measure(results: Path, device: torch.device) -> pd.DataFrame:
    """`accuracy` and `read` of each training, by `dataset`, `method`, `weights` and `repeat`."""
    rows = []
    for checkpoint in sorted(results.glob("models/*/*/fold*/checkpoint.pt")):
        dataset, method, fold = checkpoint.parts[-4:-1]
        folder = results / "datasets" / dataset
        metadata = load_checkpoint(checkpoint)[1]
        if metadata.get("kind") != KIND or not (folder / "folds.csv").is_file():
            continue
        tested = split_subjects(read_folds(folder / "folds.csv"), int(fold.removeprefix("fold")), False).test
        faces = face_set(open_store(folder), tested, tuple(metadata["expressions"]))
        judge = checkpoint.parents[2] / STANDARD_FER / fold / checkpoint.name
        name, repeat = split_repeat(method)
        for last in (True, False):
            place = {"dataset": dataset, "method": name, "weights": "last" if last else "averaged", "repeat": repeat}
            rows.append(place | figures(checkpoint, last, faces, judge, device))
    keys = ["dataset", "method", "weights", "repeat"]
    sums = pd.DataFrame(rows).groupby(keys).sum()
    accuracy, read = sums["right"] / sums["sequences"], sums["read"] / sums["drawn"]
    return pd.DataFrame({"accuracy": 100 * accuracy, "read": 100 * read})


def figures(checkpoint: Path, last: bool, faces: FaceSet, judge_file: Path, device: torch.device) -> dict[str, float]:
    """Sequences and synthetic faces of the test faces, and how many of them are recognised and read."""
    states, metadata = load_checkpoint(checkpoint, last=last)
    network = build(metadata, checkpoint)
    restore(network, states["fersnet"], checkpoint)
    model = Synthesizer(network, faces.expressions, device)
    images = crop_and_flip(faces.images, model.image_size, train=False)
    table = prediction_table(faces, model.recognise(images).double().numpy())
    sequences = table["sequence_id"].nunique()
    found = {"right": accuracies(table)["sequence_accuracy"] * sequences, "sequences": sequences}
    if not network.synthesises:
        return found | {"read": np.nan, "drawn": np.nan}
    targets = synthesis_targets(model.expressions)
    judge, known = judge_of(judge_file, targets, device)
    images, read, drawn = images.to(device), 0, 0
    for target in targets:
        wanted = torch.full((len(images),), model.expressions.index(target))
        with torch.no_grad():
            seen = judge(model.synthesize(images, wanted)).argmax(dim=1)
        read, drawn = read + int((seen == known.index(target)).sum()), drawn + len(seen)
    return found | {"read": read, "drawn": drawn}


@cache
def judge_of(file: Path, targets: tuple[str, ...], device: torch.device) -> tuple[torch.nn.Module, tuple[str, ...]]:
    """The fold's own judge where the run trained it, else the fixed one; and its classes."""
    return load_standard_fer(file, device) if file.is_file() else (load_fixed_judge(targets, device), targets)


if __name__ == "__main__":
    main()

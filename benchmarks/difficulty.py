"""How hard the embedded faces are, and whether action units carry them: `python benchmarks/difficulty.py [--json]`.

The default data's recordings (one of each expression a person, default sizes, intensities and oddities of style) go
through the face store; a small CNN, the standard FER model of the default run, is trained subject-wise on them and
reads people it has never seen. The same network, trained on all of them, then reads clear portraits of fresh people:
at rising intensity, and without the key action unit of their expression.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from fersnet.datasets.readers.oulu_casia import read_index
from fersnet.embedded.action_units import PROTOTYPES
from fersnet.embedded.identity import draw_identity
from fersnet.embedded.performance import draw_performance, draw_view
from fersnet.embedded.renderer import render_face
from fersnet.embedded.trees import write_tree
from fersnet.expressions import SIX
from fersnet.faces.alignment import align, alignment_matrix
from fersnet.faces.store import FaceStore, build_store, open_store
from fersnet.folds import assign_folds, split_subjects
from fersnet.models.standard_fer import StandardFER
from fersnet.seeds import derive_seed
from fersnet.settings.load import load_settings
from fersnet.training.batches import crop_and_flip, face_set
from fersnet.training.predictions import accuracies, face_probabilities, prediction_table
from fersnet.training.standard_fer import fit_standard_fer, load_standard_fer
from fersnet.training.task import TrainingRun

SETTINGS = load_settings({"preset": "embedded"}, [])
AMOUNTS = (0.25, 0.5, 0.75, 1.0)
CPU = torch.device("cpu")


def build(folder: Path, subjects: int, seed: int) -> FaceStore:
    """Render and align the recordings of so many people."""
    embedded = SETTINGS.datasets["oulu_casia"].embedded.model_copy(update={"subjects": subjects})
    write_tree("oulu_casia", folder / "raw", embedded, seed)
    index = read_index(folder / "raw")
    settings = SETTINGS.faces.model_copy(update={"clip_frames": 2})
    build_store(index.sequences, folder / "raw", folder / "store", settings, "dlib", 1)
    return open_store(folder / "store")


def trained(store: FaceStore, subjects: frozenset[str], folder: Path, seed: int) -> StandardFER:
    """The standard FER model of the default run, trained on these people."""
    run = TrainingRun(folder, seed, CPU, "")
    folder.mkdir()
    fit_standard_fer(face_set(store, subjects, SIX), SETTINGS.standard_fer, SETTINGS.model.image_size, run)
    return load_standard_fer(folder / "checkpoint.pt", CPU)[0]


def unseen_people(store: FaceStore, folder: Path, seed: int) -> dict[str, float]:
    """Accuracy on the test people, pooled over the folds, in percent."""
    folds = assign_folds(store.table.drop_duplicates("sequence_id"), SETTINGS.folds)
    tables = []
    for fold in range(1, SETTINGS.folds.count + 1):
        split = split_subjects(folds, fold, hold_out_validation=False)
        network = trained(store, split.train, folder / str(fold), seed)
        test = face_set(store, split.test, SIX)
        tables.append(prediction_table(test, face_probabilities(network, test, SETTINGS.model.image_size)))
    return {name: 100 * value for name, value in accuracies(pd.concat(tables)).items()}


def portraits(
    expression: str, people: range, seed: int, amount: float, without: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Aligned grey portraits, one a person, with some action units left out."""
    side, size = SETTINGS.faces.size, (256, 256)
    for person in people:
        identity = draw_identity(derive_seed("difficulty", seed, person))
        performance = draw_performance(identity, expression, person)
        view = performance.turned(draw_view(derive_seed("difficulty view", seed, person), size), amount)
        units = performance.action_units(amount)
        kept = {unit: value for unit, value in units.items() if int(str(unit).rstrip("LR")) not in without}
        render = render_face(identity, kept, view, size, np.random.default_rng(person))
        grey = cv2.cvtColor(render.image, cv2.COLOR_RGB2GRAY)
        yield align(grey, alignment_matrix(render.landmarks, side), side)


def belief(network: StandardFER, images: Iterator[np.ndarray], expression: str) -> tuple[float, float]:
    """Mean probability of the expression and the share of images read as it, both in percent."""
    batch = torch.from_numpy(np.stack(list(images)))[:, None]
    with torch.inference_mode():
        shares = network(crop_and_flip(batch, SETTINGS.model.image_size, train=False)).softmax(dim=1).numpy()
    column = SIX.index(expression)
    return 100 * float(shares[:, column].mean()), 100 * float((shares.argmax(axis=1) == column).mean())


def knock_outs(network: StandardFER, people: range, seed: int) -> Iterator[dict[str, object]]:
    """Per expression: belief at rising intensity, and what is left of it without the key unit."""
    for expression in SIX:
        key = PROTOTYPES[expression].key
        # Where the jaw drops by 27 instead of 26, both are the key.
        keys = (26, 27) if key == 26 else (key,)
        rising = [belief(network, portraits(expression, people, seed, amount, ()), expression) for amount in AMOUNTS]
        left = belief(network, portraits(expression, people, seed, 1.0, keys), expression)
        yield {
            "expression": expression,
            **{f"belief_at_{amount}": value for amount, (value, _) in zip(AMOUNTS, rising, strict=True)},
            "rises": all(a < b for (a, _), (b, _) in pairwise(rising)),
            "read": rising[-1][1],
            "without": "+".join(map(str, keys)),
            "belief_left": left[0],
            "read_left": left[1],
        }


def main() -> None:
    """Measure the difficulty of the default data, then the knock-outs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=24, help="people in the data set")
    parser.add_argument("--people", type=int, default=20, help="fresh people for the knock-outs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    # As the workflow's jobs; with more threads PyTorch's backward pass was seen to crash in a process that has dlib.
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = build(folder, options.subjects, options.seed)
        difficulty = unseen_people(store, folder, options.seed)
        network = trained(store, frozenset(store.table["subject"]), folder / "all", options.seed)
    rows = list(knock_outs(network, range(options.people), options.seed))
    if options.json:
        json.dump({"unseen_people": difficulty, "knock_outs": rows}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        print(f"unseen people, {options.subjects} in all:", {key: round(value, 1) for key, value in difficulty.items()})
        print(pd.DataFrame(rows).round(1).to_string(index=False))


if __name__ == "__main__":
    main()

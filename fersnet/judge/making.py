"""Makes the fixed judge: renders its people, trains it, measures it on others, and writes its file and its record."""

import hashlib
import json
import logging
from pathlib import Path

import torch

from fersnet.expressions import SEVEN
from fersnet.judge.figures import figures
from fersnet.judge.fixed import KIND, SIDE, load_fixed_judge
from fersnet.judge.people import NOTHING, Portraits, portraits
from fersnet.judge.record import COMMAND, FILE, RECORD
from fersnet.judge.training import BATCH, JudgeTask
from fersnet.training.batches import crop_and_flip
from fersnet.training.checkpoint import load_checkpoint, save_checkpoint, write_atomically
from fersnet.training.loop import train
from fersnet.training.task import Stage, TrainingRun

SEED = 1

logger = logging.getLogger(__name__)


def make_judge(folder: Path, people: int, epochs: int, measured_on: int, workers: int = 1) -> Path:
    """Writes `judge.pt`, with weights of half precision, and `judge.json` into the folder.

    A training that was stopped goes on from where it was, after the same faces have been rendered again. On one core
    of a CPU that multiplies bf16, rendering takes 45 ms a face and an epoch of 800 people 26 s.

    Args:
        people: of whom it learns.
        measured_on: further people, on whom the figures of the record are measured.
    """
    work = folder / ".judge.training"
    work.mkdir(parents=True, exist_ok=True)
    faces = portraits("training", range(people), workers)
    logger.info("%d faces of %d people", len(faces.labels), people)
    run = TrainingRun(work, SEED, torch.device("cpu"), f"{people} {epochs}", precision="bf16")
    train(JudgeTask(faces, epochs, run), [Stage("judge", epochs, BATCH, len(faces.labels))], run)
    states, _ = load_checkpoint(work / "checkpoint.pt")
    halved = {name: value.half() if value.is_floating_point() else value for name, value in states["network"].items()}
    file = folder / FILE.name
    save_checkpoint(file, {"network": halved}, {"kind": KIND, "expressions": list(SEVEN)})
    record = {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "command": f"{COMMAND} --people {people} --epochs {epochs} --measured-on {measured_on}",
        "people": people,
        "faces": len(faces.labels),
        "epochs": epochs,
    }
    _write_record(folder, record)
    measured = portraits("measured", range(measured_on), workers)
    _write_record(folder, record | {"measured_on": {"people": measured_on, **measure(file, measured)}})
    for path in work.iterdir():
        path.unlink()
    work.rmdir()
    return file


def measure(file: Path, faces: Portraits) -> dict[str, float]:
    """The figures of a judge on faces that show one of the seven expressions, and its confidence on neutral ones."""
    judge = load_fixed_judge(SEVEN, "cpu", file)
    images, labels = torch.from_numpy(faces.images)[:, None], torch.from_numpy(faces.labels)
    crops = crop_and_flip(images, SIDE, train=False)
    shown = labels != NOTHING
    neutral = float(judge(crops[~shown]).softmax(dim=1).amax(dim=1).mean())
    return figures(judge, crops[shown], labels[shown]) | {"confidence on neutral faces": round(neutral, 4)}


def _write_record(folder: Path, record: dict[str, object]) -> None:
    write_atomically(folder / RECORD.name, (json.dumps(record, indent=2) + "\n").encode())

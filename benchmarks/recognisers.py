"""Speed of the training steps of the recognisers of peak faces: `python benchmarks/recognisers.py [--json]`.

For each method and size, per training image: milliseconds, images per second, GFLOP (twice the multiply-adds of
convolutions and matrix products, forward and backward) and GFLOP per second; and the time of a plain implementation of
the published step (`plain/<method>.py`) over this project's. A method of several stages makes a step of each with every
batch. After a warm-up of both, their epochs are timed in turn, and the medians count. The sizes are that of the
embedded preset (48 pixels, grey) and the published one (96 pixels, colour). The faces are noise, which costs the same.
"""

import argparse
import importlib.util
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from plain.recognition import CLASSES, PlainRecogniser
from plain.timing import compare

from fersnet.methods.contract import NEUTRAL_FACES, OTHER_SETS
from fersnet.methods.find import Found, find_known, load_code
from fersnet.models.describe import count_parameters
from fersnet.training.batches import crop_and_flip
from fersnet.training.invented import invented_faces
from fersnet.training.task import TrainingRun

SIZES = {"small": (48, 1), "published": (96, 3)}
"""Side and channels of the images."""
KNOWN = {
    key: found
    for key, found in find_known({}).recognisers.items()
    if "clips" not in found.declared.reads and importlib.util.find_spec(f"plain.{key}") is not None
}


def measure(key: str, found: Found, size: str, options: argparse.Namespace) -> dict[str, Any]:
    """Time and operations per image; at least three epochs of each are timed, and more until `seconds` have passed."""
    side, channels = SIZES[size]
    faces = invented_faces(max(2 * options.batch, 12), side, channels, people=2)
    settings = found.declared.settings(**(found.declared.embedded if size == "small" else {}))
    device = torch.device(options.device)
    run = TrainingRun(Path(tempfile.gettempdir()), 0, device, "", {"image_size": side}, options.precision)
    code = load_code(found.module)
    more, counts = {}, {}
    if NEUTRAL_FACES in found.declared.reads:
        more, counts = {"neutral": faces}, {"neutral": len(faces)}
    if OTHER_SETS in found.declared.reads:
        more, counts = {"others": {"other": faces}}, {"others": {"other": len(faces)}}
    task = code.task(faces, settings, run, CLASSES, **more)
    stages = code.stages(settings, len(faces), **counts)
    step: PlainRecogniser = importlib.import_module(f"plain.{key}").STEP(
        settings.width, channels, side, len(faces.subject_names)
    )
    for network in step.networks:
        network.to(device)
    images, labels, subjects = (value.to(device) for value in (faces.images, faces.labels, faces.subjects))

    def epoch() -> None:
        for stage in stages:
            task.begin_epoch(stage, 1)
            for indices in torch.arange(len(faces)).split(options.batch):
                losses = task.training_step(indices)
            next(iter(losses.values())).item()

    def plain_epoch() -> None:
        for indices in torch.arange(len(faces)).split(options.batch):
            here = indices.to(device)
            loss = step(crop_and_flip(images[here], side, train=True), labels[here], subjects[here])
        loss.item()

    parameters = sum(count_parameters(network) for network in task.networks.values())
    return {
        "parameters": parameters,
        **compare(epoch, plain_epoch, len(faces), options.seconds, options.processor_time),
    }


def main() -> None:
    """Prints a line per method and size, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=16, help="images per step, for every method")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--seconds", type=float, default=3.0, help="shortest time per method and size")
    parser.add_argument("--processor-time", action="store_true", help="of one thread; other work does not count")
    parser.add_argument("--only", choices=list(KNOWN), help="key of the one method to measure")
    parser.add_argument("--size", choices=list(SIZES), help="the one size to measure")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    chosen = {
        f"{key} {size}": (key, found, size)
        for key, found in KNOWN.items()
        for size in SIZES
        if options.only in (None, key) and options.size in (None, size)
    }
    if options.json:
        results = {name: measure(*one, options) for name, one in chosen.items()}
        print(json.dumps({"options": vars(options), "results": results}, indent=2))
        return
    heads = f"{'parameters':>10} {'ms/image':>9} {'images/s':>9} {'GFLOP/image':>12} {'GFLOP/s':>8} {'plain/this':>11}"
    print(f"{'method':20} {heads}")
    for name, one in chosen.items():
        figures = measure(*one, options)
        print(
            f"{name:20} {figures['parameters']:10} {figures['milliseconds']:9.2f} {figures['images_per_second']:9.1f} "
            f"{figures['gigaflop']:12.3f} {figures['gigaflop_per_second']:8.1f} {figures['plain_over_this']:11.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Speed of the rivals' training steps: `python benchmarks/rivals.py [--size 48] [--width 16] [--json]`.

For each method, per training image: milliseconds, images per second, GFLOP (twice the multiply-adds of convolutions
and matrix products, forward and backward) and GFLOP per second; and the time of a plain implementation of the
published step (`plain/<method>.py`) over this project's. After a warm-up of both, their epochs are timed in turn, and
the medians count. The faces are noise, which costs the same.
"""

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from plain.parts import Plain
from plain.timing import compare

from fersnet.methods.find import find_known, load_code
from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals.common import RivalFaces
from fersnet.settings.methods import AugmentationOfFaces
from fersnet.training.invented import invented_faces
from fersnet.training.task import Stage, TrainingRun, TrainingTask


def tasks(options: argparse.Namespace) -> Iterator[tuple[str, TrainingTask, Stage, Plain]]:
    """Each system's task with every stage of it that has a plain counterpart, and the plain step of that stage."""
    count = max(6, 10 * options.batch)
    faces = invented_faces(count, options.size, options.channels, people=1)
    metadata = {"image_size": options.size}
    run = TrainingRun(Path(tempfile.gettempdir()), 0, torch.device(options.device), "", metadata, options.precision)
    identity = LightCNN9(options.identity_width, 96, 10)
    for key, found in find_known({}).systems.items():
        if options.only not in (None, key) or importlib.util.find_spec(f"plain.{key}") is None:
            continue
        code, steps = load_code(found.module), importlib.import_module(f"plain.{key}").STEPS
        settings = found.declared.settings(width=options.width)
        neutral = {"neutral": None} if "neutral faces" in found.declared.reads else {}
        task = code.task(faces, settings, run, identity, **neutral)
        stages = {stage.kind or stage.name: stage for stage in code.stages(settings, faces.class_counts())}
        for name, make in steps.items():
            stage = replace(stages[name], epochs=1, batch_size=options.batch, samples=count)
            yield f"{key} {name}", task, stage, make(options.width, options.channels, options.size, identity)


def measure(task: TrainingTask, stage: Stage, step: Plain, seconds: float) -> dict[str, float]:
    """Time and operations per image; at least three epochs of each are timed, and more until `seconds` have passed."""
    faces = task.faces
    assert isinstance(faces, RivalFaces)
    for network in step.networks:
        network.to(faces.images.device)

    def epoch() -> None:
        for indices in torch.arange(stage.samples).split(stage.batch_size):
            losses = task.training_step(indices)
        next(iter(losses.values())).item()

    def plain_epoch() -> None:
        for indices in torch.arange(stage.samples).split(stage.batch_size):
            loss = step(faces.draw(indices, AugmentationOfFaces()), faces.labels[indices])
        loss.item()

    task.begin_epoch(stage, 1)
    return compare(epoch, plain_epoch, stage.samples, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=48, help="image side in pixels")
    parser.add_argument("--width", type=int, default=16, help="base width; 64 is published")
    parser.add_argument("--channels", type=int, default=1, choices=(1, 3))
    parser.add_argument("--batch", type=int, default=8, help="images per step, for every method")
    parser.add_argument("--identity-width", type=int, default=8, help="width of the identity network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--seconds", type=float, default=3.0, help="shortest time per method and stage")
    parser.add_argument("--only", help="key of the one system to measure")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = {name: measure(task, stage, step, options.seconds) for name, task, stage, step in tasks(options)}
    if options.json:
        print(json.dumps({"options": vars(options), "results": results}, indent=2))
        return
    heads = f"{'ms/image':>9} {'images/s':>9} {'GFLOP/image':>12} {'GFLOP/s':>8} {'plain ms':>9} {'plain/this':>11}"
    print(f"{'method':20} {heads}")
    for name, figures in results.items():
        print(
            f"{name:20} {figures['milliseconds']:9.2f} {figures['images_per_second']:9.1f} "
            f"{figures['gigaflop']:12.3f} {figures['gigaflop_per_second']:8.1f} "
            f"{figures['plain_milliseconds']:9.2f} {figures['plain_over_this']:11.2f}"
        )


if __name__ == "__main__":
    main()

"""Speed of the rivals' training steps: `python benchmarks/rivals.py [--size 48] [--width 16] [--json]`.

For each method, per training image: milliseconds, images per second, GFLOP (twice the multiply-adds of convolutions
and matrix products, forward and backward) and GFLOP per second; and the time of a plain implementation of the
published step (`plain/rivals.py`) over this project's. After a warm-up of both, their epochs are timed in turn, and
the medians count. StarGAN's figures average over its `critic_steps`. The faces are noise, which costs the same.
"""

import argparse
import json
import statistics
import tempfile
import time
import timeit
from collections.abc import Iterator
from pathlib import Path

import torch
from plain import rivals as plain

from fersnet.expressions import SIX
from fersnet.models.describe import OperationCounter
from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals import caae, common, cyclegan, exprgan, stargan
from fersnet.settings.rivals import CAAESettings, CycleGANSettings, ExprGANSettings, StarGANSettings
from fersnet.training.loop import Stage, TrainingRun, TrainingTask


def tasks(options: argparse.Namespace) -> Iterator[tuple[str, TrainingTask, Stage, plain.Plain]]:
    """Each method's task with every stage of it that differs in cost, and the plain step of that stage."""
    device = torch.device(options.device)
    generator = torch.Generator().manual_seed(0)
    count = max(6, 10 * options.batch)
    images = torch.randint(
        256, (count, options.channels, options.size, options.size), dtype=torch.uint8, generator=generator
    )
    faces = common.RivalFaces(images.to(device), (torch.arange(count) % len(SIX)).to(device), options.size, SIX)
    run = TrainingRun(Path(tempfile.gettempdir()), 0, device, "", {}, options.precision)
    width, batch = options.width, options.batch
    identity = LightCNN9(options.identity_width, 96, 10)

    def stage(name: str) -> Stage:
        return Stage(name, 1, batch, count)

    size, channels = options.size, options.channels
    star = stargan.StarGANTask(faces, StarGANSettings(width=width), run)
    yield "stargan", star, stage("training"), plain.StarGAN(width, channels, size)
    cycle = cyclegan.CycleGANTask(faces, None, CycleGANSettings(width=width), run)
    yield "cyclegan", cycle, stage(SIX[0]), plain.CycleGAN(width, channels)
    autoencoder = caae.CAAETask(faces, CAAESettings(width=width), run)
    yield "caae", autoencoder, stage("training"), plain.CAAE(width, channels, size)
    for name in ("controller", "refinement"):
        control = exprgan.ExprGANTask(faces, ExprGANSettings(width=width), run, identity)
        step = plain.ExprGAN(width, channels, size, identity, name == "refinement")
        yield f"exprgan {name}", control, stage(name), step


def measure(task: TrainingTask, stage: Stage, step: plain.Plain, seconds: float) -> dict[str, float]:
    """Time and operations per image; at least three epochs of each are timed, and more until `seconds` have passed."""
    faces = task.faces
    assert isinstance(faces, common.RivalFaces)
    for network in step.networks:
        network.to(faces.images.device)

    def epoch() -> None:
        for indices in torch.arange(stage.samples).split(stage.batch_size):
            losses = task.training_step(indices)
        next(iter(losses.values())).item()

    def plain_epoch() -> None:
        for indices in torch.arange(stage.samples).split(stage.batch_size):
            loss = step(faces.draw(indices, "flip"), faces.labels[indices])
        loss.item()

    task.begin_epoch(stage, 1)
    with OperationCounter() as counter:
        epoch()
    plain_epoch()
    gigaflop = counter.total / 1e9 / stage.samples
    began = time.perf_counter()
    ours, theirs = [], []
    while len(ours) < 3 or time.perf_counter() - began < seconds:
        ours.append(timeit.timeit(epoch, number=1) / stage.samples)
        theirs.append(timeit.timeit(plain_epoch, number=1) / stage.samples)
    taken, plainly = statistics.median(ours), statistics.median(theirs)
    return {
        "milliseconds": 1000 * taken,
        "images_per_second": 1 / taken,
        "gigaflop": gigaflop,
        "gigaflop_per_second": gigaflop / taken,
        "plain_milliseconds": 1000 * plainly,
        "plain_over_this": plainly / taken,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=48, help="image side in pixels")
    parser.add_argument("--width", type=int, default=16, help="base width; 64 is published")
    parser.add_argument("--channels", type=int, default=1, choices=(1, 3))
    parser.add_argument("--batch", type=int, default=8, help="images per step, for every method")
    parser.add_argument("--identity-width", type=int, default=8, help="width of ExprGAN's identity network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--seconds", type=float, default=3.0, help="shortest time per method and stage")
    parser.add_argument("--only", help="first word of the methods to measure, e.g. cyclegan")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = {
        name: measure(task, stage, step, options.seconds)
        for name, task, stage, step in tasks(options)
        if options.only in (None, name.split()[0])
    }
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

"""Speed of the rivals' training steps: `python benchmarks/rivals.py [--size 48] [--width 16] [--json]`.

For each method, per training image: milliseconds, images per second, GFLOP (twice the multiply-adds of convolutions
and matrix products, forward and backward) and GFLOP per second. One epoch of each stage is run to warm up, then whole
epochs are timed; StarGAN's figure averages over its `critic_steps`. The faces are noise, which costs the same.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from fersnet.expressions import SIX
from fersnet.models.describe import OperationCounter
from fersnet.models.light_cnn import LightCNN9
from fersnet.rivals import caae, common, cyclegan, exprgan, stargan
from fersnet.settings.rivals import CAAESettings, CycleGANSettings, ExprGANSettings, StarGANSettings
from fersnet.training.loop import Stage, TrainingRun, TrainingTask


def tasks(options: argparse.Namespace) -> Iterator[tuple[str, TrainingTask, Stage]]:
    """Each method's task with every stage of it that differs in cost."""
    device = torch.device(options.device)
    generator = torch.Generator().manual_seed(0)
    count = max(6, 10 * options.batch)
    images = torch.randint(
        256, (count, options.channels, options.size, options.size), dtype=torch.uint8, generator=generator
    )
    faces = common.RivalFaces(images.to(device), (torch.arange(count) % len(SIX)).to(device), options.size)
    run = TrainingRun(Path(tempfile.gettempdir()), 0, device, "", {}, options.precision)
    width, batch = options.width, options.batch
    identity = LightCNN9(options.identity_width, 96, 10)

    def stage(name: str) -> Stage:
        return Stage(name, 1, batch, count)

    yield "stargan", stargan.StarGANTask(faces, StarGANSettings(width=width), run), stage("training")
    yield "cyclegan", cyclegan.CycleGANTask(faces, None, CycleGANSettings(width=width), run), stage(SIX[0])
    yield "caae", caae.CAAETask(faces, CAAESettings(width=width), run), stage("training")
    control = exprgan.ExprGANTask(faces, ExprGANSettings(width=width), run, identity)
    yield "exprgan controller", control, stage("controller")
    yield "exprgan refinement", control, stage("refinement")


def measure(task: TrainingTask, stage: Stage, seconds: float) -> dict[str, float]:
    """Time and operations per image; at least one epoch is timed, and more until `seconds` have passed."""

    def run_epoch() -> None:
        for indices in torch.arange(stage.samples).split(stage.batch_size):
            losses = task.training_step(indices)
        next(iter(losses.values())).item()

    task.begin_epoch(stage, 1)
    with OperationCounter() as counter:
        run_epoch()
    gigaflop = counter.total / 1e9 / stage.samples
    began, epochs = time.perf_counter(), 0
    while epochs == 0 or time.perf_counter() - began < seconds:
        run_epoch()
        epochs += 1
    taken = (time.perf_counter() - began) / (epochs * stage.samples)
    return {
        "milliseconds": 1000 * taken,
        "images_per_second": 1 / taken,
        "gigaflop": gigaflop,
        "gigaflop_per_second": gigaflop / taken,
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
    parser.add_argument("--seconds", type=float, default=3.0, help="shortest time per method")
    parser.add_argument("--only", help="first word of the methods to measure, e.g. cyclegan")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = {
        name: measure(task, stage, options.seconds)
        for name, task, stage in tasks(options)
        if options.only in (None, name.split()[0])
    }
    if options.json:
        print(json.dumps({"options": vars(options), "results": results}, indent=2))
        return
    print(f"{'method':20} {'ms/image':>9} {'images/s':>9} {'GFLOP/image':>12} {'GFLOP/s':>8}")
    for name, figures in results.items():
        cells = (figures["milliseconds"], figures["images_per_second"], figures["gigaflop"])
        print(f"{name:20} {cells[0]:9.2f} {cells[1]:9.1f} {cells[2]:12.3f} {figures['gigaflop_per_second']:8.1f}")


if __name__ == "__main__":
    main()

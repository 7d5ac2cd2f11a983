"""Times one training step of FERSNet against the machine's matrix-product rate.

    python benchmarks/train_step.py --size 96 --width 64 --batch 8 --json

The step is the whole procedure: generator, three discriminator steps, cycle pass and all five losses. The published
procedure costs 945 GFLOP at the default arguments (width 64, 96x96x3, batch 8, six classes, identity network at 96x96);
`reference_flop` counts it for any others with the same passes. `ratio` is the seconds per step over the seconds that
the reference's operations would take at the fp32 matrix-product rate measured in the same run; the goal is 0.5.
`flop` counts what the step here computes, backward passes included.
"""

import argparse
import contextlib
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fersnet.expressions import SIX
from fersnet.models.describe import OperationCounter, describe
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.light_cnn import LightCNN9
from fersnet.settings.training import FersnetSettings, LossSettings
from fersnet.training.fersnet_task import FERSNetTask
from fersnet.training.graphs import PLAIN_STEPS
from fersnet.training.invented import invented_faces
from fersnet.training.task import TrainingRun

MATRIX_SIDE = 2048
IDENTITY_WIDTH = 48


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description="Time one training step of FERSNet.")
    parser.add_argument("--size", type=int, default=96, help="side of the faces")
    parser.add_argument("--width", type=int, default=64, help="base width")
    parser.add_argument("--batch", type=int, default=8, help="faces per step")
    parser.add_argument("--channels", type=int, default=3, choices=(1, 3), help="1 grey, 3 colour")
    parser.add_argument("--steps", type=int, default=3, help="timed steps per setting, after one that is not timed")
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"], choices=("fp32", "bf16"))
    parser.add_argument("--preset", default="slides", choices=("slides", "released"), help="forms of the losses")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads; default: all")
    parser.add_argument("--cuda-graphs", action="store_true", help="on a GPU, steps recorded and played back")
    parser.add_argument("--compare", type=int, default=0, metavar="STEPS", help="compare bf16 losses with fp32's")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    result = measure(arguments)
    print(json.dumps(result, indent=2) if arguments.json else _as_text(result))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Rates of the machine, and a row per setting."""
    device = torch.device(arguments.device)
    reference = reference_flop(arguments.width, arguments.size, arguments.channels, arguments.batch)
    rates = {"fp32": matrix_rate(torch.float32, device), "bf16": matrix_rate(torch.bfloat16, device)}
    settings = []
    for precision in arguments.precision:
        task = make_task(arguments, precision)
        flop = step_flop(task, arguments.batch) if not settings else settings[0]["flop"]
        seconds = step_seconds(task, arguments.batch, arguments.steps, device)
        settings.append(
            {
                "precision": precision,
                "seconds_per_step": seconds,
                "images_per_second": arguments.batch / seconds,
                "gflop_per_second": flop / seconds / 1e9,
                "ratio": seconds * rates["fp32"] / reference,
                "flop": flop,
            }
        )
        del task
    result = {
        "device": str(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "size": arguments.size,
        "width": arguments.width,
        "batch": arguments.batch,
        "reference_gflop": reference / 1e9,
        "fp32_gflop_per_second": rates["fp32"] / 1e9,
        "bf16_gflop_per_second": rates["bf16"] / 1e9,
        "settings": settings,
        "peak_memory_gb": _peak_memory(device) / 1e9,
    }
    if arguments.compare:
        result["loss_difference"] = loss_difference(arguments)
    return result


def make_task(arguments: argparse.Namespace, precision: str) -> FERSNetTask:
    """The published network with random faces of eight subjects, on the device."""
    torch.manual_seed(0)
    size, channels, classes = arguments.size, arguments.channels, len(SIX)
    return FERSNetTask(
        invented_faces(8 * classes, size + 14, channels, people=8),
        FERSNet(arguments.width, size, channels, classes),
        Discriminator(arguments.width, channels, classes),
        LightCNN9(IDENTITY_WIDTH, size, 8),
        LossSettings(preset=arguments.preset),
        FersnetSettings(batch_size=arguments.batch),
        TrainingRun(
            *(Path(), 0, torch.device(arguments.device), "benchmark"),
            precision=precision,
            cuda_graphs=arguments.cuda_graphs,
        ),
    )


def reference_flop(width: int, size: int, channels: int, batch: int) -> float:
    """Operations of the published step: what its passes cost when a backward pass costs two forward ones.

    Generator: once for the discriminator's faces, and forward and backward for synthesis and for the way back.
    Discriminator: three steps of forward and backward on real and synthetic faces, and once forward and back to the
    image. Identity network: forward on both faces, and back to the synthetic one. The published counts of the network
    (14.9 GFLOP) and ours differ by 1 %; the published one is scaled to other sizes.
    """
    published, ours = 14.9e9, describe(64, 96, 3, len(SIX))["fersnet"].flop
    costs = describe(width, size, channels, len(SIX), identity_width=IDENTITY_WIDTH, identity_image_size=size)
    generator = published * costs["fersnet"].flop / ours
    discriminator, identity = costs["discriminator"].flop, costs["identity network"].flop
    return batch * (7 * generator + (3 * 2 * 3 + 2) * discriminator + 3 * identity)


def step_flop(task: FERSNetTask, batch: int) -> int:
    """Operations of convolutions and matrix products in one step, counted as they run."""
    with OperationCounter() as counter:
        run_step(task, batch, 0)
    return counter.total


def run_step(task: FERSNetTask, batch: int, step: int) -> dict[str, Tensor]:
    """One step on a batch that depends on the number of the step alone."""
    torch.manual_seed(step)
    return task.training_step(torch.randperm(len(task.faces))[:batch])


def step_seconds(task: FERSNetTask, batch: int, steps: int, device: torch.device) -> float:
    """Median seconds of a step, those left out that set up libraries or are recorded."""
    left_out = 1 if task.recorded is None else PLAIN_STEPS + 1
    times = [_seconds(lambda step=step: run_step(task, batch, step), device) for step in range(left_out + steps)]
    return sorted(times[left_out:])[steps // 2]


def matrix_rate(dtype: torch.dtype, device: torch.device) -> float:
    """Floating-point operations per second of a square matrix product: the best of several."""
    left, right = torch.randn(2, MATRIX_SIDE, MATRIX_SIDE, device=device).to(dtype)
    best = min(_seconds(lambda: left @ right, device) for _ in range(12))
    return 2 * MATRIX_SIDE**3 / best


def loss_difference(arguments: argparse.Namespace) -> dict[str, float]:
    """The largest relative difference, over the losses' means of all steps, between bf16 and fp32."""
    means = []
    for precision in ("fp32", "bf16"):
        task = make_task(arguments, precision)
        rows = [run_step(task, arguments.batch, step) for step in range(arguments.compare)]
        means.append({name: sum(float(row[name]) for row in rows) / len(rows) for name in rows[0]})
        del task
    return {name: abs(means[1][name] / value - 1) for name, value in means[0].items() if name != "training_accuracy"}


def _seconds(call: Callable[[], Any], device: torch.device) -> float:
    began = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Linux keeps it in kilobytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1024
    return peak


def _as_text(result: dict[str, Any]) -> str:
    lines = [f"{name}: {value}" for name, value in result.items() if not isinstance(value, list | dict)]
    for row in result["settings"]:
        lines.append(
            ", ".join(
                f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
            )
        )
    lines += [f"{name}: bf16 is {value:.2%} off fp32" for name, value in result.get("loss_difference", {}).items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

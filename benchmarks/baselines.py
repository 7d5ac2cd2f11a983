"""Speed of the recognition baselines on clips of 12 x 64 x 64 made of noise.

For every method: training and prediction in clips per core-second (processor time, so that other work on the machine
does not count). For the handcrafted ones also the core-minutes of a whole ten-fold run of a dataset of CK+'s size, 327
clips, scaled up from one fold of fewer clips; folds are independent jobs, so divide by the number of cores.

    python benchmarks/baselines.py [--json] [--clips 60] [--methods lbp_top hog3d]
"""

import argparse
import importlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fersnet.baselines.clips import ClipSet
from fersnet.settings.baselines import BaselinesSettings, StmExpletSettings
from fersnet.training.task import TrainingRun

CLASSES, FOLDS, CKPLUS_CLIPS = 7, 10, 327
HANDCRAFTED = ("lbp_top", "hog3d", "stm_explet")
NETWORKS = ("cnn3d", "dtagn", "lbvcnn")


def noise(count: int, size: int, frames: int) -> ClipSet:
    """Clips of noise whose subjects have `CLASSES` clips each, one per class."""
    rng = np.random.default_rng(0)
    return ClipSet(
        rng.integers(0, 256, (count, frames, size, size), dtype=np.uint8),
        rng.uniform(0, size, (count, frames, 68, 2)).astype(np.float32),
        np.arange(count) % CLASSES,
        [f"S{number // CLASSES:03d}" for number in range(count)],
        [f"{number:04d}" for number in range(count)],
    )


def measure(method: str, settings: BaselinesSettings, clips: ClipSet) -> dict[str, Any]:
    """Times one fold: a tenth of the clips to test, a tenth to choose on, one epoch per stage of a network."""
    module = importlib.import_module(f"fersnet.baselines.{method}")
    own = getattr(settings, method)
    if method in NETWORKS:
        single = {key: 1 for key in ("epochs", "joint_epochs") if key in type(own).model_fields}
        own = own.model_copy(update=single)
    tenth = max(len(clips) // FOLDS, 1)
    test, validation, train = (clips.select(part) for part in np.split(np.arange(len(clips)), [tenth, 2 * tenth]))
    with tempfile.TemporaryDirectory() as folder:
        run = TrainingRun(Path(folder), seed=1, device=torch.device("cpu"), fingerprint="benchmark")
        began = time.process_time()
        model = module.fit(train, validation, own, 1, run, CLASSES)
        fitted = time.process_time()
        model.predict_proba(test)
        ended = time.process_time()
    used = len(train) + len(validation)
    result = {
        "method": method,
        "clips": len(clips),
        "fit_core_seconds": round(fitted - began, 3),
        "fit_clips_per_core_second": round(used / (fitted - began), 2),
        "predict_clips_per_core_second": round(len(test) / (ended - fitted), 2),
    }
    if method in HANDCRAFTED:
        # An upper bound: what does not grow with the clips, such as a mixture of fixed sample, is scaled as well.
        fold = (ended - began) * CKPLUS_CLIPS / len(clips)
        result["ckplus_ten_folds_core_minutes"] = round(FOLDS * fold / 60, 2)
    return result


def main() -> None:
    """Prints a line per method, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--clips", type=int, default=70, help="clips of the measured fold (at least 20)")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    parser.add_argument("--methods", nargs="+", choices=[*HANDCRAFTED, *NETWORKS], default=[*HANDCRAFTED, *NETWORKS])
    options = parser.parse_args()
    if options.clips < 20:
        parser.error("--clips: at least 20")
    torch.set_num_threads(options.threads)
    settings = BaselinesSettings()
    clips = noise(options.clips, settings.size, 12)
    # Loads the libraries, which is not what is measured.
    measure("stm_explet", BaselinesSettings(stm_explet=StmExpletSettings(modes=(2, 3), components=4)), clips)
    results = []
    for method in options.methods:
        results.append(measure(method, settings, clips))
        if not options.json:
            print("  ".join(f"{key} {value}" for key, value in results[-1].items()), flush=True)
    if options.json:
        print(json.dumps({"size": settings.size, "frames": 12, "threads": options.threads, "results": results}))


if __name__ == "__main__":
    main()

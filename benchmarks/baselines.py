"""Speed of the recognition baselines on clips of 12 x 64 x 64 made of noise.

For every method: training and prediction in clips per core-second (processor time, so that other work on the machine
does not count). For the handcrafted ones also the core-minutes of a whole ten-fold run of a dataset of CK+'s size, 327
clips, scaled up from one fold of fewer clips; folds are independent jobs, so divide by the number of cores.

    python benchmarks/baselines.py [--json] [--clips 60] [--methods NAME ...]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fersnet.baselines.clips import ClipSet
from fersnet.methods.find import find_known, load_code
from fersnet.settings.base import Section
from fersnet.settings.methods import BaselinesSettings
from fersnet.training.task import TrainingRun

CLASSES, FOLDS, CKPLUS_CLIPS = 7, 10, 327
KNOWN = {key: found for key, found in find_known({}).recognisers.items() if "clips" in found.declared.reads}
"""The methods that read clips."""


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


def measure(method: str, settings: Section, clips: ClipSet) -> dict[str, Any]:
    """Times one fold: a tenth of the clips to test, a tenth to choose on, one epoch per stage of a network."""
    found = KNOWN[method]
    networks = found.declared.trains_networks
    settings = settings.model_copy(update={key: 1 for key in type(settings).model_fields if key.endswith("epochs")})
    tenth = max(len(clips) // FOLDS, 1)
    test, validation, train = (clips.select(part) for part in np.split(np.arange(len(clips)), [tenth, 2 * tenth]))
    with tempfile.TemporaryDirectory() as folder:
        run = TrainingRun(Path(folder), seed=1, device=torch.device("cpu"), fingerprint="benchmark")
        began = time.process_time()
        model = load_code(found.module).fit(train, validation, settings, run, CLASSES)
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
    if not networks:
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
    parser.add_argument("--methods", nargs="+", choices=list(KNOWN), default=list(KNOWN))
    options = parser.parse_args()
    if options.clips < 20:
        parser.error("--clips: at least 20")
    torch.set_num_threads(options.threads)
    size = BaselinesSettings().size
    clips = noise(options.clips, size, 12)
    results = []
    for method in options.methods:
        declared = KNOWN[method].declared
        # The first loads the libraries, which is not what is measured.
        measure(method, declared.settings(**declared.small), clips)
        results.append(measure(method, declared.settings(), clips))
        if not options.json:
            print("  ".join(f"{key} {value}" for key, value in results[-1].items()), flush=True)
    if options.json:
        print(json.dumps({"size": size, "frames": 12, "threads": options.threads, "results": results}))


if __name__ == "__main__":
    main()

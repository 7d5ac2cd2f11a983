"""Time and memory of finding, aligning and storing faces: `python benchmarks/alignment.py [--json]`.

The frames are moved copies of a photograph that ships with scikit-image, written as grey PNG files.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fersnet.faces.store import build_store, open_store
from fersnet.settings.data import FacesSettings

SIZES = {"embedded": (240, 200), "ckplus": (640, 490)}
SETTINGS = FacesSettings(peak_frames=3, clip_frames=8)


def write_sequences(root: Path, size: tuple[int, int], sequences: int, frames: int) -> pd.DataFrame:
    """Write image sequences under `root` and return their index."""
    import cv2
    from skimage import data

    head = cv2.cvtColor(data.astronaut()[0:220, 92:361], cv2.COLOR_RGB2GRAY)
    head = cv2.resize(head, size, interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(sequences):
        folder = root / f"S{number:03d}"
        folder.mkdir(parents=True)
        entries = []
        for frame in range(frames):
            shift_x, shift_y = rng.uniform(-0.04, 0.04, 2) * size[0]
            move = np.array([[1, 0, shift_x], [0, 1, shift_y]])
            picture = cv2.warpAffine(head, move, size, borderMode=cv2.BORDER_REPLICATE)
            cv2.imwrite(str(folder / f"{frame}.png"), picture)
            entries.append(f"S{number:03d}/{frame}.png")
        name = f"S{number:03d}"
        rows.append((name, name, "fear", frames, entries, [frames - 3, frames - 2, frames - 1], 0, ""))
    columns = ["sequence_id", "subject", "expression", "n_frames", "frames", "apex", "neutral", "view"]
    return pd.DataFrame(rows, columns=columns)


def peak_memory() -> dict[str, float]:
    """Largest resident size so far, in MB, of this process and of the largest of its ended children."""
    return {
        "process_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "worker_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def measure(size: tuple[int, int], sequences: int, frames: int, workers: int) -> dict[str, float]:
    """Frames per second of one build, start of the workers included, and the memory after it."""
    from joblib.externals.loky import get_reusable_executor

    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder) / "raw", Path(folder) / "out"
        index = write_sequences(root, size, sequences, frames)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        build_store(index, root, out, SETTINGS, "dlib", workers)
        seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
        get_reusable_executor().shutdown(wait=True)
        used = len(open_store(out).table.drop_duplicates(["sequence_id", "frame"]))
        return {
            "width": size[0],
            "height": size[1],
            "workers": workers,
            "frames": used,
            "seconds": seconds,
            "frames_per_second": used / seconds,
            # Free of what else the machine does, but measured in this process only.
            "cpu_milliseconds_per_frame": 1000 * cpu_seconds / used if workers == 1 else float("nan"),
            **peak_memory(),
        }


def main() -> None:
    """Measure both sizes on one and two workers, then four times the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--sequences", type=int, default=15, help="sequences in the smaller builds")
    parser.add_argument("--frames", type=int, default=8, help="frames per sequence")
    options = parser.parse_args()
    measure(SIZES["embedded"], 1, options.frames, 1)  # loads models and compiles byte code
    plan = [(size, workers, options.sequences) for size in SIZES.values() for workers in (1, 2)]
    plan.append((SIZES["ckplus"], 2, 4 * options.sequences))
    results = [measure(size, sequences, options.frames, workers) for size, workers, sequences in plan]
    if options.json:
        clean = [{key: None if value != value else value for key, value in row.items()} for row in results]
        json.dump(clean, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(pd.DataFrame(results).round(1).to_string(index=False) + "\n")


if __name__ == "__main__":
    main()

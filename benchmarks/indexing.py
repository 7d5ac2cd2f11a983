"""Time to index a CK+ tree of the published size, 593 sequences with 10,708 frames: `python benchmarks/indexing.py`."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from fersnet.datasets.readers.ckplus import read_index

SEQUENCES, FRAMES, SUBJECTS, LABELLED = 593, 10_708, 123, 327


def write_tree(root: Path) -> None:
    """Lay out empty-handed sequences: names, label files and one-pixel frames; the reader opens labels alone."""
    pixel = cv2.imencode(".png", np.zeros((1, 1), np.uint8))[1].tobytes()
    for number in range(SEQUENCES):
        subject, take = f"S{number % SUBJECTS + 5:03d}", f"{number // SUBJECTS + 1:03d}"
        frames = FRAMES // SEQUENCES + (number < FRAMES % SEQUENCES)
        images, labels, landmarks = (
            root / part / subject / take for part in ("cohn-kanade-images", "Emotion", "Landmarks")
        )
        for folder in (images, labels, landmarks):
            folder.mkdir(parents=True)
        for frame in range(1, frames + 1):
            name = f"{subject}_{take}_{frame:08d}"
            (images / f"{name}.png").write_bytes(pixel)
            (landmarks / f"{name}_landmarks.txt").touch()
        if number < LABELLED:
            code = number % 7 + 1
            (labels / f"{subject}_{take}_{frames:08d}_emotion.txt").write_text(f"   {code:.7e}\n")


def measure(repetitions: int) -> dict[str, float]:
    """Median seconds of wall and processor time of `read_index`, and what it found."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_tree(root)
        wall, cpu = [], []
        for _ in range(repetitions):
            begin, begin_cpu = time.perf_counter(), time.process_time()
            index = read_index(root)
            wall.append(time.perf_counter() - begin)
            cpu.append(time.process_time() - begin_cpu)
    return {
        "labelled_sequences": len(index.sequences),
        "rejected": len(index.rejected),
        "seconds": float(np.median(wall)),
        "cpu_seconds": float(np.median(cpu)),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    result = measure(options.repetitions)
    if options.json:
        json.dump(result, sys.stdout)
        sys.stdout.write("\n")
    else:
        for key, value in result.items():
            print(f"{key:24s} {value:10.3f}")


if __name__ == "__main__":
    main()

"""Makes the fixed judge again: `python -m fersnet.judge`, 20 minutes of one core; broken off, it goes on."""

import argparse
import logging
from pathlib import Path

import cv2
import torch

from fersnet.judge.making import make_judge
from fersnet.judge.record import FILE


def main() -> None:
    """Render, train, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m fersnet.judge", description=__doc__)
    parser.add_argument("--people", type=int, default=800, help="people of whom it learns")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--measured-on", type=int, default=40, help="further people, for the figures of the record")
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    parser.add_argument("--folder", type=Path, default=FILE.parent, help="where judge.pt and judge.json go")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    print(make_judge(options.folder, options.people, options.epochs, options.measured_on, options.workers))


if __name__ == "__main__":
    main()

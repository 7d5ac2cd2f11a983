"""A training's epoch beside that of a plain one, timed in turn: for `../rivals.py` and `../recognisers.py`."""

import statistics
import time
import timeit
from collections.abc import Callable

from fersnet.models.describe import OperationCounter


def compare(
    epoch: Callable[[], None], plain_epoch: Callable[[], None], samples: int, seconds: float, processor: bool = False
) -> dict[str, float]:
    """Time and operations per image, of epochs of so many samples.

    After a warm-up at least three of each are timed, and more until `seconds` have passed; the medians count.

    Args:
        processor: whether processor time counts, so that other work on the machine does not: for one thread of a CPU.
    """
    timer = time.process_time if processor else time.perf_counter
    with OperationCounter() as counter:
        epoch()
    plain_epoch()
    gigaflop = counter.total / 1e9 / samples
    began = time.perf_counter()
    ours, theirs = [], []
    while len(ours) < 3 or time.perf_counter() - began < seconds:
        ours.append(timeit.timeit(epoch, timer=timer, number=1) / samples)
        theirs.append(timeit.timeit(plain_epoch, timer=timer, number=1) / samples)
    taken, plainly = statistics.median(ours), statistics.median(theirs)
    return {
        "milliseconds": 1000 * taken,
        "images_per_second": 1 / taken,
        "gigaflop": gigaflop,
        "gigaflop_per_second": gigaflop / taken,
        "plain_milliseconds": 1000 * plainly,
        "plain_over_this": plainly / taken,
    }

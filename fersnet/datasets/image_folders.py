"""What the image-folder readers share: numbered frames of one folder, and one-level trees of subjects."""

import re
from collections.abc import Iterable
from itertools import pairwise

from fersnet.datasets.sequences import IndexBuilder
from fersnet.datasets.walk import is_image, join


def numbered_frames(builder: IndexBuilder, sequence_id: str, folder: str, files: Iterable[str]) -> list[str]:
    """The images of a folder whose stem is a number, by that number; no first number is assumed.

    Other images, and the second of two with one number, are rejected; other files are passed over.
    """
    by_number: dict[int, str] = {}
    for name in files:
        if not is_image(name):
            continue
        stem = name.rpartition(".")[0]
        if re.fullmatch(r"[0-9]{1,9}", stem) is None:
            builder.reject(sequence_id, join(folder, name), "file name is not a frame number")
        elif int(stem) in by_number:
            builder.reject(sequence_id, join(folder, name), "another frame has this number; the first one is kept")
        else:
            by_number[int(stem)] = name
    report_gaps(builder, sequence_id, folder, list(by_number))
    return [join(folder, by_number[number]) for number in sorted(by_number)]


def report_gaps(builder: IndexBuilder, sequence_id: str, folder: str, numbers: list[int]) -> None:
    """Notes each run of frame numbers that is missing between the first and the last."""
    ordered = sorted(numbers)
    for before, after in pairwise(ordered):
        if after > before + 1:
            missing = f"{before + 1}" if after == before + 2 else f"{before + 1}-{after - 1}"
            builder.reject(sequence_id, join(folder, f"#{missing}"), "frame numbers have a gap")

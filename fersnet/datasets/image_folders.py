"""What the image-folder readers share: numbered frames of one folder, and one-level trees of subjects."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from fersnet.datasets.sequences import IndexBuilder
from fersnet.datasets.subjects import composed
from fersnet.datasets.walk import is_image, join

_NUMBERED = re.compile(r"(.*?)([0-9]{1,18})", re.DOTALL)


def numbered_frames(builder: IndexBuilder, sequence_id: str, folder: str, files: Iterable[str]) -> list[str]:
    """The images of a folder by the number at the end of their names, as in `000.jpeg` or `FirstF_000.jpeg`.

    No first number is assumed. What stands before the number must be the same for most images of the folder: numbers of
    two takes do not make one sequence. Other images, and the second of two with one number, are rejected; other files
    are passed over.
    """
    images = {name: _NUMBERED.fullmatch(name.rpartition(".")[0]) for name in files if is_image(name)}
    beginnings = Counter(_beginning(match) for match in images.values() if match is not None)
    usual = next((text for text, times in beginnings.items() if 2 * times > beginnings.total()), None)
    by_number: dict[int, str] = {}
    for name, match in images.items():
        path = join(folder, name)
        if match is None:
            builder.reject(sequence_id, path, "file name does not end in a frame number")
        elif usual is None:
            builder.reject(
                sequence_id, path, "file names of one sequence begin in different ways, none like most of them"
            )
        elif _beginning(match) != usual:
            builder.reject(
                sequence_id, path, f"file name begins unlike most of its sequence; those begin with {usual!r}"
            )
        elif int(match[2]) in by_number:
            builder.reject(sequence_id, path, "another frame has this number; the first one is kept")
        else:
            by_number[int(match[2])] = name
    report_gaps(builder, sequence_id, folder, list(by_number))
    return [join(folder, by_number[number]) for number in sorted(by_number)]


def _beginning(match: re.Match[str]) -> str:
    """What stands before the number in a file name."""
    return composed(match[1]).casefold()


def report_gaps(builder: IndexBuilder, sequence_id: str, folder: str, numbers: list[int]) -> None:
    """Notes each run of frame numbers that is missing between the first and the last."""
    ordered = sorted(numbers)
    for before, after in pairwise(ordered):
        if after > before + 1:
            missing = f"{before + 1}" if after == before + 2 else f"{before + 1}-{after - 1}"
            builder.reject(sequence_id, join(folder, f"#{missing}"), "frame numbers have a gap")

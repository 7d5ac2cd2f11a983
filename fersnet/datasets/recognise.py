"""Where a reader finds nothing: what there is instead, and what to do with it."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from fersnet.datasets.sequences import OptionError
from fersnet.datasets.subjects import SubjectError
from fersnet.datasets.walk import HALF_DOWNLOAD_SUFFIXES, POINTER_BYTES, is_image, is_pointer, is_video
from fersnet.errors import UserError

MOST_FILES = 5_000
"""So many files are looked at, so that a wrong root, such as a home folder, takes no time."""

ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".tgz", ".tar.gz")
_AGREEMENT = (
    "which is handed out under a signed agreement and has no reader here; sort your own copy as "
    "subject/expression/*.png and set `reader: folder`"
)
_OTHER_SETS = (
    (re.compile(r"Rafd[0-9]{3}_[0-9]{2}_.*", re.IGNORECASE), f"RaFD, {_AGREEMENT}"),
    (re.compile(r"[A-Z]{2}\.[A-Z]{2}[0-9]\.[0-9]+\.tiff?"), f"JAFFE, {_AGREEMENT}"),
    (re.compile(r"[0-9]{3}_[a-z]{2}_[0-9]{3}_[0-9]{4}\.jpe?g"), f"MUG, {_AGREEMENT}"),
    (re.compile(r"[0-9]{2}[FM]_[A-Z]{2}_[A-Z]\.BMP", re.IGNORECASE), f"NimStim, {_AGREEMENT}"),
    (
        re.compile(r"(ic?ml_face_data|fer2013(new)?)\.csv", re.IGNORECASE),
        "FER2013, which does not say who is in which picture, so that nobody can keep a person out of training; take a "
        "set with subjects",
    ),
)
"""Sets that the project has no reader for, by the names of their files."""


@contextmanager
def told_what_is_there(root: Path) -> Iterator[None]:
    """Adds what there is to the one line of a reader that finds nothing; wrong options and names of subjects are other
    matters."""
    try:
        yield
    except (OptionError, SubjectError):
        raise
    except UserError as error:
        there = what_is_there(root)
        if not there:
            raise
        raise UserError(f"{error}; {there}") from None


def what_is_there(root: Path) -> str:
    """What a folder looks like: another set, Git-LFS pointers, what other systems leave beside files, archives, half
    downloads; empty where nothing of this is found.
    """
    if root.is_file():
        return "it is an archive: unpack it first" if root.name.lower().endswith(ARCHIVES) else ""
    found: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for path in islice(_files(root), MOST_FILES):
        for pattern, name in _OTHER_SETS:
            if pattern.fullmatch(path.name):
                return f"this looks like {name}"
        kind = _kind(path)
        found[kind] += 1
        examples.setdefault(kind, path.name)
    if found["file"]:
        # Usable files of another kind than was looked for: the oddities beside them are not why.
        found = Counter({kind: found[kind] for kind in ("pointer", "archive", "half")})
    said = {
        "pointer": "Git-LFS pointers stand in the place of files ({n}): fetch the files with `git lfs pull`",
        "archive": "there are archives, such as {example} ({n}): unpack them first",
        "half": "there are half downloads, such as {example} ({n}): fetch them again",
        "twin": "there is what macOS puts beside pictures, such as {example} ({n}): copy the pictures themselves",
        "thumbnails": "there is what Windows keeps of pictures, such as {example} ({n}): copy the pictures themselves",
    }
    return "; ".join(line.format(n=found[kind], example=examples[kind]) for kind, line in said.items() if found[kind])


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(files))


def _kind(path: Path) -> str:
    name = path.name.lower()
    if name.startswith("._"):
        return "twin"
    if name == "thumbs.db":
        return "thumbnails"
    if name.endswith(HALF_DOWNLOAD_SUFFIXES):
        return "half"
    if name.endswith(ARCHIVES):
        return "archive"
    if is_image(name) or is_video(name):
        try:
            pointer = path.stat().st_size <= POINTER_BYTES and is_pointer(path)
        except OSError:
            pointer = False
        return "pointer" if pointer else "file"
    return "other"

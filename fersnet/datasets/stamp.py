"""What tells that data on disk has changed: a hash over names and contents.

Contents decide, so that a copied or touched tree is the same data, and a picture of the same size and time is not.
Sizes and times only tell what has to be read again: what was read is remembered between runs.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from fersnet.datasets.index import watched_files
from fersnet.datasets.walk import Tree, join
from fersnet.memory import recall, remember
from fersnet.project import named_file
from fersnet.settings.data import DatasetSettings

UNREAD = (".wrl", ".obj", ".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")
"""Endings of large files that no reader opens (3D models, archives); they count by name."""

SETTLED_SECONDS = 2.0
"""A file that has changed within this time may change again without a new time on it, and is not remembered."""

STAMPS = Path(".snakemake", "stamps")
"""Where a run remembers what it has read, below the working folder."""
UNREADABLE = "unreadable"

ANNOUNCED_BYTES = 500_000_000
"""From here on, the reading takes long enough to be announced."""

Entry = tuple[str, Path | None]
"""A name, and the file whose content counts with it; None where the name alone does."""


def data_stamp(dataset: DatasetSettings, memory: Path, module: str | None = None) -> str:
    """The stamp of all that a dataset's reader and the alignment read at its root.

    Args:
        dataset: a dataset with a root.
        memory: folder in which the checksums of files are remembered.
        module: the reader's module, for one that the config's `modules` brings in.
    """
    root = Path(dataset.root or "")
    files = watched_files(dataset, root, module)
    if files is None:
        return _stamp(root, tree_entries(root, bool(dataset.options.get("follow_links"))), memory)
    return _stamp(root, _file_entries(files), memory)


def option_stamp(dataset: DatasetSettings, memory: Path) -> str:
    """The stamp of a file that the options of a dataset's reader name; the reader says that it is missing."""
    selection = dataset.options.get("selection")
    return files_stamp([named_file(str(selection))] if selection else [], memory)


def files_stamp(paths: Iterable[Path], memory: Path) -> str:
    """The stamp of files and folders of the user's, wherever they lie; "" for none of them. One may be missing."""
    paths = list(paths)
    stamps = [
        _stamp(path, tree_entries(path, True) if path.is_dir() else _file_entries([path]), memory) for path in paths
    ]
    return hashlib.sha256(" ".join(stamps).encode()).hexdigest()[:16] if stamps else ""


def tree_entries(root: Path, follow_links: bool = False) -> Iterator[Entry]:
    """Every folder and file that a reader can get to, and what it is told about the others.

    A folder that can be reached in several ways is entered once, so that no arrangement of links takes for ever.
    """
    told: list[Entry] = []
    tree = Tree(root, lambda path, reason: told.append((f"{path}: {reason}", None)), follow_links)
    entered: dict[str, str] = {}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        first = entered.setdefault(os.path.realpath(root / folder), folder)
        yield f"{folder}/", None
        if first != folder:
            yield f"{folder}/ is {first}/", None
            continue
        listing = tree.listing(folder)
        for name in listing.files:
            path = join(folder, name)
            yield path, None if name.lower().endswith(UNREAD) else root / path
        waiting += (join(folder, name) for name in reversed(listing.folders))
    yield from told


def _file_entries(paths: Iterable[Path]) -> Iterator[Entry]:
    for number, path in enumerate(paths):
        yield str(number), path


def _stamp(place: Path, entries: Iterable[Entry], memory: Path) -> str:
    listed = [(name, file, None if file is None else _look(file)) for name, file in entries]
    record = memory / f"{hashlib.sha256(os.fsencode(place.absolute())).hexdigest()[:16]}.json"
    known = recall(record)
    unknown = sum(look[0] for _, file, look in listed if look and known.get(str(file), [None])[:-1] != look)
    if unknown >= ANNOUNCED_BYTES:
        print(f"{place}: reading {unknown / 1e9:.1f} GB, to know it again", file=sys.stderr, flush=True)
    digest = hashlib.sha256()
    remembered = dict(known)
    for name, file, look in listed:
        content = ""
        if file is not None:
            old = known.get(str(file))
            content = old[-1] if look and old and old[:-1] == look else _checksum(file)
            settled = look and time.time() - max(look[1:]) / 1e9 > SETTLED_SECONDS
            if settled and not content.startswith(UNREADABLE):
                remembered[str(file)] = [*look, content]
        digest.update(f"{name}\0{content}\n".encode("utf-8", "surrogateescape"))
    if remembered != known:
        remember(record, remembered)
    return digest.hexdigest()[:16]


def _look(file: Path) -> list[int] | None:
    """Size and times of a file, links followed; None if there is none."""
    try:
        status = file.stat()
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _checksum(file: Path) -> str:
    """Of a regular file's content; what cannot be read has a name of its own."""
    try:
        if not file.is_file():
            return "no file"
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        return f"{UNREADABLE}: {getattr(error, 'strerror', None) or error}"

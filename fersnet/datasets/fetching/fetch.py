"""Fetching an open set into a folder of the user's."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pooch

from fersnet.datasets.fetching.about import write_about
from fersnet.datasets.fetching.downloader import ResumingDownloader
from fersnet.datasets.fetching.files import RemoteFile, pinned_files, read_lock, record_files, write_lock
from fersnet.datasets.fetching.folder import WORKPLACE, check_folder
from fersnet.datasets.fetching.sources import ByHand, OpenSet, PinnedFiles, ZenodoArchives
from fersnet.datasets.fetching.unpack import place_in, unpack
from fersnet.errors import UserError

SPARE = 50_000_000
"""Bytes that stay free on the disk."""

Announce = Callable[[str, int, int], Callable[[int], None]]
"""Told what comes, how many bytes it has and how many of them are there; the result is told of each arrival."""


def fetch(one: OpenSet, folder: Path, parts: Sequence[int], announce: Announce) -> int:
    """Fetch what is not there yet, check it, and write licence and citation beside it.

    A file that is there with the right checksum is left alone, and one with another is replaced. What breaks off is
    taken up by the next call.

    Args:
        one: an open set that can be fetched.
        folder: where to; made if it is missing.
        parts: which archives, for a set that has some.

    Returns:
        Number of files, or archives, that were fetched.

    Raises:
        UserError: if the folder lies within the project, the disk is too small, the host does not have or give what it
            should, or a checksum is wrong twice.
        OSError: if the disk does not take it.
    """
    if isinstance(one.source, ByHand):
        raise UserError(f"{one.name} is not fetched: {one.source.instructions}")
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_about(one, folder)
    if isinstance(one.source, PinnedFiles):
        return _fetch_pinned(one, one.source, folder, announce)
    return _fetch_archives(one, one.source, folder, parts, announce)


def _fetch_pinned(one: OpenSet, source: PinnedFiles, folder: Path, announce: Announce) -> int:
    missing = [file for file in pinned_files(source) if not _is_there(place_in(folder, file.name), file)]
    downloads = _Downloads(one, folder, missing, announce, sum(file.bytes for file in missing))
    for file in missing:
        target = place_in(folder, file.name)
        fetched = downloads.fetch(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        fetched.replace(target)
    return len(missing)


def _fetch_archives(
    one: OpenSet, source: ZenodoArchives, folder: Path, parts: Iterable[int], announce: Announce
) -> int:
    lock = folder / WORKPLACE / "lock.json"
    locked = read_lock(lock)
    wanted = [part for part in parts if not _is_unpacked(folder, locked.get(source.archive.format(part=part)))]
    if not wanted:
        return 0
    files = record_files(source, wanted, locked)
    # The archives come one after the other, and each is deleted once it is unpacked to about its own size.
    needed = sum(file.bytes for file in files) + max(file.bytes for file in files)
    downloads = _Downloads(one, folder, files, announce, needed)
    for file in files:
        locked[file.name] = locked.get(file.name, {}) | {"checksum": file.checksum, "bytes": file.bytes}
    write_lock(lock, locked)
    for file in files:
        archive = downloads.fetch(file)
        # Where the disk is full the archive stays, and need not come again.
        locked[file.name] |= {"files": unpack(archive, folder, folder / WORKPLACE / "unpacking")}
        archive.unlink()
        write_lock(lock, locked)
    return len(files)


def _is_there(path: Path, file: RemoteFile) -> bool:
    algorithm, _, wanted = file.checksum.partition(":")
    return _has_size(path, file.bytes) and pooch.file_hash(str(path), alg=algorithm) == wanted


def _is_unpacked(folder: Path, locked: dict | None) -> bool:
    members = (locked or {}).get("files")
    return bool(members) and all(_has_size(folder / name, size) for name, size in members.items())


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


class _Downloads:
    """The downloads of one call, which share a connection."""

    def __init__(
        self, one: OpenSet, folder: Path, files: Sequence[RemoteFile], announce: Announce, needed: int
    ) -> None:
        self.workplace = folder / WORKPLACE
        self.workplace.mkdir(exist_ok=True)
        total = sum(file.bytes for file in files)
        self.downloader = ResumingDownloader(
            self.workplace, {file.url: file.bytes for file in files}, lambda count: None
        )
        parts = [self.downloader.part(file.url) for file in files]
        have = sum(part.stat().st_size for part in parts if part.is_file())
        free = shutil.disk_usage(folder).free
        if needed - have > free - SPARE:
            raise UserError(
                f"{folder}: {(needed - have) / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free; "
                "make room, or choose another folder" + (" or fewer parts" if len(files) > 1 and needed > total else "")
            )
        if files:
            self.downloader.report = announce(one.name, total, have)
        pooch.get_logger().setLevel("WARNING")
        self.keeper = pooch.create(
            path=self.workplace,
            base_url="",
            registry={_flat(file): file.checksum for file in files},
            urls={_flat(file): file.url for file in files},
        )

    def fetch(self, file: RemoteFile) -> Path:
        """A file with the right checksum, in the workplace."""
        for last in (False, True):
            try:
                return Path(self.keeper.fetch(_flat(file), downloader=self.downloader))
            except ValueError:  # pooch's word for a wrong checksum
                self.downloader.report(-file.bytes)
                if last:
                    raise UserError(
                        f"{file.url}: came twice with another checksum than {file.checksum}; the host's file is "
                        "damaged or another one, and nothing of it was kept"
                    ) from None
        raise AssertionError


def _flat(file: RemoteFile) -> str:
    return file.name.replace("/", "_")

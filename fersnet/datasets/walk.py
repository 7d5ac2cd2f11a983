"""Listing the folders of a dataset tree without trusting them.

Every reader descends a fixed number of levels through `Tree.listing`, so no arrangement of links can make it run for
ever. Hidden files and the litter of file managers are passed over in silence; whatever else cannot be used is reported.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fersnet.datasets.subjects import composed
from fersnet.errors import UserError

IMAGE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".avif"),
    *(".avifs", ".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c", ".pbm", ".pgm", ".ppm", ".pnm"),
)
"""File endings, in lower case, that count as frames: those of `fersnet.faces.images.FORMATS`."""

UNREAD_SUFFIXES = (
    *(".heic", ".heif", ".hif", ".jxl", ".jxr", ".psd", ".svg", ".tga", ".exr", ".hdr", ".ico", ".icns", ".dcm"),
    *(".dng", ".raw", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw"),
)
"""File endings, in lower case, of pictures that are not decoded."""

VIDEO_SUFFIXES = (".avi", ".mpg", ".mpeg", ".mp4", ".mov", ".wmv", ".mkv", ".flv", ".webm", ".m4v")
"""File endings, in lower case, that count as videos."""

HALF_DOWNLOAD_SUFFIXES = (".part", ".partial", ".filepart", ".crdownload", ".download", ".aria2", ".!ut")
"""File endings, in lower case, that browsers and download managers take away once a file is whole."""

POINTER = b"version https://git-lfs"
"""How the small text files begin that Git keeps in the place of large ones until they are fetched."""
POINTER_BYTES = 1024
"""No pointer is larger."""

LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "@eadir"})
"""Names, in lower case, that operating systems leave behind; names that start with a dot are passed over as well."""

Report = Callable[[str, str], None]


@dataclass(frozen=True)
class Listing:
    """The usable content of one folder: names in sorted order."""

    folders: tuple[str, ...]
    files: tuple[str, ...]


class Tree:
    """A folder of the user's, read through a guard.

    Args:
        root: the folder. It may itself be a symbolic link.
        follow_links: whether links inside it may lead out of it.
        report: called with (path relative to the root, reason) for every entry that is left out.
    """

    def __init__(self, root: Path, report: Report, follow_links: bool = False) -> None:
        self.root = Path(root)
        self.report = report
        self.follow_links = follow_links
        self._real_root = os.path.realpath(self.root)
        self._spellings: dict[str, dict[str, str]] = {}

    def listing(self, folder: str) -> Listing:
        """The usable content of a folder given relative to the root ("" is the root itself).

        Unreadable or vanished folders, links that are broken, loop or leave the root, special files, empty images,
        Git-LFS pointers in the place of pictures and videos, half downloads, pictures of kinds that are not decoded,
        and names that are not valid text are reported and left out.
        """
        folders: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    path = join(folder, entry.name)
                    if is_litter(entry.name):
                        continue
                    if not _is_text(entry.name):
                        self.report(ascii(path)[1:-1], "file name is not valid UTF-8")
                        continue
                    kind = self._kind(entry, path)
                    if kind == "folder":
                        folders.append(entry.name)
                    elif kind == "file" and (reason := unread(entry.name)):
                        self.report(path, reason)
                    elif kind == "file":
                        files.append(entry.name)
        except FileNotFoundError:
            self.report(folder, "folder vanished while it was read")
        except OSError as error:
            self.report(folder, f"folder cannot be read: {error.strerror or error}")
        return Listing(tuple(sorted(folders)), tuple(sorted(files)))

    def _kind(self, entry: "os.DirEntry[str]", path: str) -> str | None:
        try:
            if entry.is_symlink() and not self._link_is_fine(path):
                return None
            if entry.is_dir():
                return "folder"
            if not entry.is_file():
                self.report(path, "neither a regular file nor a folder")
                return None
            if is_image(entry.name) or is_video(entry.name):
                size = entry.stat().st_size
                if size == 0 and is_image(entry.name):
                    self.report(path, "empty file")
                    return None
                if size <= POINTER_BYTES and is_pointer(self.root / path):
                    self.report(path, "a Git-LFS pointer, not the file itself; fetch the files with `git lfs pull`")
                    return None
        except FileNotFoundError:
            self.report(path, "file vanished while its folder was read")
            return None
        except OSError as error:
            self.report(path, f"cannot be read: {error.strerror or error}")
            return None
        return "file"

    def _link_is_fine(self, path: str) -> bool:
        link = self.root / path
        target = os.path.realpath(link)
        here = os.path.realpath(link.parent)
        if not Path(target).exists():
            self.report(path, "symbolic link leads nowhere")
        elif _is_within(here, target):
            self.report(path, "symbolic link loops back to a folder that holds it")
        elif not self.follow_links and not _is_within(target, self._real_root):
            self.report(path, "symbolic link leaves the dataset folder (option follow_links: true allows it)")
        else:
            return True
        return False

    def below(self, depth: int, stop: Callable[[str], bool] = lambda name: False) -> Iterator[tuple[str, Listing]]:
        """Every folder down to `depth` levels below the root, shallow ones first, with its listing.

        A folder whose name satisfies `stop` is not descended into.
        """
        level = [""]
        for _ in range(depth + 1):
            following: list[str] = []
            for folder in level:
                listing = self.listing(folder)
                yield folder, listing
                following += [join(folder, name) for name in listing.folders if not stop(name)]
            level = following

    def spelled(self, path: str) -> str:
        """A relative path that somebody wrote down, as the disk spells it: a list may have letters in composed form and
        the disk in decomposed form, or the other way round. A path that is not there comes back as it is."""
        parts = path.split("/")
        if path.isascii() or ".." in parts or path.startswith("/") or os.path.lexists(self.root / path):
            return path
        folder = ""
        for part in parts:
            folder = join(folder, self._names(folder).get(composed(part), part))
        return folder

    def _names(self, folder: str) -> dict[str, str]:
        """The names in a folder by their composed form; none where it cannot be read."""
        if folder not in self._spellings:
            try:
                with os.scandir(self.root / folder) as entries:
                    names = sorted(entry.name for entry in entries)
            except OSError:
                names = []
            self._spellings[folder] = {composed(name): name for name in names}
        return self._spellings[folder]

    def holds(self, path: str) -> str | None:
        """Why a path that somebody wrote down cannot be used, or None if it is a file inside the root."""
        if "\0" in path:
            return "path holds a zero byte"
        try:
            target = os.path.realpath(self.root / path)
        except OSError as error:
            return f"cannot be read: {error.strerror or error}"
        lexical = os.path.normpath(self.root / path)
        if not _is_within(lexical, os.path.normpath(self.root)):
            return "path leaves the folder of the manifest"
        if not self.follow_links and not _is_within(target, self._real_root):
            return "symbolic link leaves the dataset folder (option follow_links: true allows it)"
        if not Path(target).exists():
            return "file is missing"
        if not Path(target).is_file():
            return "not a regular file"
        if Path(target).stat().st_size == 0:
            return "empty file"
        return None


def open_tree(root: Path, report: Report, follow_links: bool = False) -> Tree:
    """A `Tree` on an existing folder.

    Raises:
        UserError: if there is no such folder.
    """
    if not Path(root).is_dir():
        raise UserError(f"{root}: no such folder; set the dataset's root to the folder that holds your copy")
    return Tree(Path(root), report, follow_links)


def join(folder: str, name: str) -> str:
    """A relative path with forward slashes."""
    return f"{folder}/{name}" if folder else name


def is_litter(name: str) -> bool:
    """Whether a name is hidden or left behind by an operating system."""
    return name.startswith(".") or name.lower() in LITTER


def is_image(name: str) -> bool:
    """Whether a file name ends like an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def is_video(name: str) -> bool:
    """Whether a file name ends like a video."""
    return name.lower().endswith(VIDEO_SUFFIXES)


def is_pointer(path: Path) -> bool:
    """Whether a file is a Git-LFS pointer. One that cannot be read is not told from others."""
    try:
        with path.open("rb") as file:
            return file.read(len(POINTER)) == POINTER
    except OSError:
        return False


def unread(name: str) -> str | None:
    """Why a file cannot be read, by its name's ending: pictures that are not decoded, and half downloads; None for
    other files."""
    if name.lower().endswith(HALF_DOWNLOAD_SUFFIXES):
        return "half a download; fetch the file again"
    if not name.lower().endswith(UNREAD_SUFFIXES):
        return None
    suffix = next(suffix for suffix in UNREAD_SUFFIXES if name.lower().endswith(suffix))
    return f"pictures that end in {suffix} are not read; convert them to JPEG or PNG"


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that orders the numbers inside names by value, so that `2.png` comes before `10.png`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", composed(name))
    return tuple((0, int(part), part) if part[0] in "0123456789" else (1, 0, part.casefold()) for part in parts)


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True

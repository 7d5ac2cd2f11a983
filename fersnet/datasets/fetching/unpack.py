"""Unpacking a zip archive that nobody has vouched for."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from fersnet.errors import UserError

MOST_FILES = 10_000
GROWTH = 3
"""An archive may declare so many times its own size; pictures and videos hardly shrink in a zip."""


def place_in(folder: Path, name: str) -> Path:
    """The place of a file below a folder.

    Raises:
        UserError: if the name, or a link that is there, leads out of it.
    """
    path = folder / name
    pure = PurePosixPath(name)
    strange = any(not letter.isprintable() or letter in '\\:*?"<>|' for letter in name)
    if not name or pure.is_absolute() or ".." in pure.parts or strange:
        raise UserError(f"{name!r}: not a name that stays in {folder}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{path}: leads out of {folder} by a link; nothing is written there")
    return path


def unpack(archive: Path, folder: Path, workplace: Path) -> dict[str, int]:
    """Unpack an archive below a folder; a file appears there as a whole or not at all.

    Args:
        archive: zip file.
        folder: where its files go.
        workplace: a folder on the same disk, in which they are written first; it is emptied before and after.

    Returns:
        Bytes of each file by its name.

    Raises:
        UserError: if the archive is damaged, or holds what none of these archives has: names that lead out of the
            folder, links, passwords, the same name twice, or much more than its own size.
    """
    shutil.rmtree(workplace, ignore_errors=True)
    workplace.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as content:
            files = _checked(archive, content.infolist(), folder)
            for name, info in files.items():
                target = workplace / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with content.open(info) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
        for name in files:
            target = place_in(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            (workplace / name).replace(target)
        return {name: info.file_size for name, info in files.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(f"{archive.name}: a damaged archive ({error}); nothing of it is unpacked") from None
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _checked(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by name, after a look at all that it declares."""
    files = {member.filename: member for member in members if not member.is_dir()}
    names = [member.filename for member in members if not member.is_dir()]
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    if len({name.casefold() for name in names}) < len(names) or folders & set(names):
        raise UserError(f"{archive.name}: holds a name twice; it is not unpacked")
    if len(members) > MOST_FILES:
        raise UserError(f"{archive.name}: holds {len(members)} files, more than {MOST_FILES}; it is not unpacked")
    declared, most = sum(info.file_size for info in files.values()), GROWTH * archive.stat().st_size
    if declared > most:
        raise UserError(f"{archive.name}: would grow to {declared} bytes, beyond {most}; it is not unpacked")
    for name, info in files.items():
        if info.flag_bits & 1:
            raise UserError(f"{archive.name}: {name!r} asks for a password; it is not unpacked")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UserError(f"{archive.name}: {name!r} is a link; it is not unpacked")
        try:
            place_in(folder, name)
        except UserError as error:
            raise UserError(f"{archive.name}: {error}; it is not unpacked") from None
    return files

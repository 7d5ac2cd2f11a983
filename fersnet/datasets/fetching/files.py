"""The files that make up an open set: what the project's own table, or the host's record, says of each."""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from fersnet.datasets.fetching.downloader import TIMEOUT, cause
from fersnet.datasets.fetching.sources import PinnedFiles, ZenodoArchives
from fersnet.errors import UserError


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be fetched."""

    name: str
    """Its path in the folder that is fetched to."""
    url: str
    bytes: int
    checksum: str
    """As pooch writes it: `sha256:…` or `md5:…`."""


def pinned_files(source: PinnedFiles) -> list[RemoteFile]:
    """The files of the project's own table."""
    with (Path(__file__).parent / source.table).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        RemoteFile(row["path"], source.address + row["path"], int(row["bytes"]), f"sha256:{row['sha256']}")
        for row in rows
    ]


def record_files(source: ZenodoArchives, parts: Iterable[int], locked: Mapping[str, Mapping]) -> list[RemoteFile]:
    """The archives of these parts, as the host's record lists them now.

    Args:
        locked: What the record said when the set was first fetched into this folder, by archive.

    Raises:
        UserError: if the record cannot be read, lacks an archive, or says of one something else than at first.
    """
    listed = {str(entry["key"]): entry for entry in _record(source)}
    files = []
    for name in (source.archive.format(part=part) for part in parts):
        if name not in listed:
            raise UserError(f"{source.address}: the record lists no {name}; the set may have moved")
        try:
            entry = listed[name]
            file = RemoteFile(name, str(entry["links"]["self"]), int(entry["size"]), str(entry["checksum"]).lower())
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{source.address}: the record says of {name} no size, checksum or address") from None
        if not re.fullmatch(r"md5:[0-9a-f]{32}", file.checksum) or file.bytes < 1:
            raise UserError(f"{source.address}: the record says of {name} no usable size and MD5")
        first = locked.get(name)
        if first and (first["checksum"], first["bytes"]) != (file.checksum, file.bytes):
            raise UserError(
                f"{source.address}: {name} is another file ({file.checksum}) than when the set was first fetched "
                f"({first['checksum']}); fetch into a new folder to take the new one"
            )
        files.append(file)
    return files


def _record(source: ZenodoArchives) -> list[dict]:
    try:
        with requests.get(source.address, timeout=TIMEOUT) as response:
            if response.status_code != 200:
                raise UserError(
                    f"{source.address}: the host answers {response.status_code} {response.reason}; try again later"
                )
            return [entry for entry in response.json()["files"] if "key" in entry]
    except (requests.JSONDecodeError, KeyError, TypeError):
        raise UserError(f"{source.address}: no list of files in the host's answer; try again later") from None
    except requests.RequestException as error:
        raise UserError(f"{source.address}: the host cannot be reached ({cause(error)})") from None


def read_lock(path: Path) -> dict[str, dict]:
    """What was said of each archive at first, and the files that it held once it was unpacked.

    Raises:
        UserError: if the file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); delete it, and the archives are fetched anew") from None


def write_lock(path: Path, locked: Mapping[str, Mapping]) -> None:
    """Write the lock, as a whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(locked, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)

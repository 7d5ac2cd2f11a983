"""The file of the fixed judge, and the record beside it that says which file it must be, and what it can do."""

import hashlib
import json
from pathlib import Path
from typing import Any

from fersnet.errors import UserError

FILE = Path(__file__).with_name("judge.pt")
RECORD = FILE.with_suffix(".json")
COMMAND = "python -m fersnet.judge"
"""What makes both."""


def checked_sha256(file: Path = FILE) -> str:
    """The checksum of the judge, which is that of the record beside it.

    Raises:
        UserError: if one of the two is missing or damaged, or the file is another one.
    """
    expected = read_record(file.with_suffix(".json"))["sha256"]
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{file}: the fixed judge cannot be read ({error.strerror}); get it again") from None
    if found != expected:
        raise UserError(
            f"{file}: its SHA-256 is {found}, not {expected} as {RECORD.name} says; get both again, or make them "
            f"with `{COMMAND}`"
        )
    return found


def read_record(path: Path = RECORD) -> dict[str, Any]:
    """How the judge was made, its checksum and its figures.

    Raises:
        UserError: if the record is missing or damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        record["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: not the record of a judge; get it again, or make it with `{COMMAND}`") from None
    return record

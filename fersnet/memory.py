"""What a run keeps between its calls, below the working folder's `.snakemake`, to spare itself work."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def recall(record: Path) -> dict[str, Any]:
    """What `remember` wrote; nothing where there is none, or it cannot be read."""
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def remember(record: Path, found: dict[str, Any]) -> None:
    """Keep what was found, to spare a later run the work. Where it cannot be written, that is done again next time."""
    temporary = record.with_name(f".{record.name}.{os.getpid()}")
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(found), encoding="utf-8")
        temporary.replace(record)
    except OSError:
        with suppress(OSError):
            temporary.unlink()

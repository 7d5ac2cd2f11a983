"""The first tables of a store that is an SQLite file: whole, or not there."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fersnet.use.moved import columns_of, opened
from fersnet.use.store import connect

logger = logging.getLogger(__name__)


def make_store(database: Path) -> None:
    """Make the file of a store with all its tables, unless it is there.

    MLflow makes a hundred changes one after another; cut off in between, they leave a file that it neither opens nor
    mends. So they are made under another name. A file without a single experiment is such a one, and is made again:
    nothing can be in it.

    Raises:
        UserError: if a file of this name is no database.
        MlflowException, OSError: if it cannot be made.
    """
    if _is_made(database):
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(database.parent):
        if _is_made(database):
            return
        part = database.with_name(f"{database.name}.part")
        for left in database.parent.glob(f"{part.name}*"):
            left.unlink()
        connect(f"sqlite:///{part.resolve()}").search_experiments(max_results=1)
        part.replace(database)


def _is_made(database: Path) -> bool:
    if not database.is_file():
        return False
    with opened(database, "ro") as connection:
        known = bool(columns_of(connection, "experiments"))
        return known and connection.execute("SELECT 1 FROM experiments LIMIT 1").fetchone() is not None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process that asks so is in a folder; the system lets go of it however a process ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        # Some network file systems have no locks; all that is lost is that two may make a store at once.
        logger.warning("%s: cannot be locked (%s)", folder, error.strerror)
    try:
        yield
    finally:
        os.close(handle)

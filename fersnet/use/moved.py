"""Runs that have been moved or copied with their store: MLflow keeps absolute locations of artifacts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from fersnet.errors import UserError

ARTIFACTS = Path("tracking", "artifacts")
"""Where a run keeps its artifacts, in its folder."""

LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("trace_tags", "value"),
)
"""Table and column of everything in a store's database that names a place of artifacts."""


def experiment_name(results: Path) -> str:
    """Name of a run's experiment."""
    return f"fersnet-{results.name}"


def database_of(uri: str) -> Path | None:
    """The file of a store that is an SQLite database; None for all others."""
    if not uri.startswith("sqlite:"):
        return None
    from sqlalchemy.engine import make_url

    name = make_url(uri).database
    return Path(name) if name else None


def own_results(database: Path) -> Path | None:
    """The folder of the run whose own store a database is; None for a store that is no run's own."""
    tracking = database.absolute().parent.resolve()
    own = database.name == "mlflow.db" and tracking.name == "tracking" and (tracking / "jobs").is_dir()
    return tracking.parent if own else None


def places_left(database: Path, results: Path) -> list[str]:
    """Places, not in a run's folder, at which a store looks for the artifacts of the run.

    In the run's own store these are the places of all experiments with artifacts in the run's folder, whatever it was
    called; in another store that of the run's experiment.

    Raises:
        UserError: if the database cannot be read, or if it is not the run's own and the place is still there: then
            it is the folder of another run of this name.
    """
    home = (results / ARTIFACTS).resolve()
    own = own_results(database) == results.resolve()
    places = []
    with opened(database, "ro") as connection:
        if not columns_of(connection, "experiments"):
            return []
        experiments = connection.execute("SELECT experiment_id, name, artifact_location FROM experiments").fetchall()
        for number, name, place in experiments:
            # Others are the user's choice, and not made by a run.
            if not place.endswith(f"/{ARTIFACTS.as_posix()}") or place == home.as_uri():
                continue
            runs = connection.execute("SELECT run_uuid FROM runs WHERE experiment_id = ?", (number,)).fetchall()
            if name == experiment_name(results):
                there = Path(url2pathname(urlsplit(place).path))
                if not own and there.is_dir():
                    raise UserError(
                        f"its experiment {name!r} keeps its artifacts in another run's folder, {there}; give this run "
                        "another name, or name another store in MLFLOW_TRACKING_URI"
                    )
                places.append(place)
            elif own and any((home / run).is_dir() for (run,) in runs):
                places.append(place)
    return places


def bring_home(database: Path, results: Path) -> None:
    """Let a store look for a run's artifacts in the run's folder, where the run has been moved or copied.

    Raises:
        UserError: as `places_left`, or if the database cannot be changed.
    """
    places = places_left(database, results) if database.is_file() else []
    if not places:
        return
    try:
        _rename(database, places, (results / ARTIFACTS).resolve().as_uri())
    except UserError as error:
        raise UserError(f"{error}; it names {places[0]}, from where the run was moved: make it writable") from None


def copy_home(database: Path, results: Path, folder: Path) -> Path:
    """A copy, in a folder, of a moved run's own store that looks in the run's folder: reading must change nothing.

    Raises:
        UserError: as `places_left`.
    """
    copy = folder / database.name
    with opened(database, "ro") as source, opened(copy, "rwc") as target:
        source.backup(target)
    _rename(copy, places_left(database, results), (results / ARTIFACTS).resolve().as_uri())
    return copy


def _rename(database: Path, places: list[str], home: str) -> None:
    """Change all locations in one transaction."""
    with opened(database, "rw") as connection, connection:
        for table, column in LOCATIONS:
            if column not in columns_of(connection, table):
                continue
            begins = f"substr({column} || '/', 1, ?) = ?"
            change = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {begins}"
            for place in places:
                connection.execute(change, (home, len(place) + 1, len(place) + 1, f"{place}/"))


@contextmanager
def opened(database: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection to a database, opened to read (`ro`), to write (`rw`), or made where it is missing (`rwc`).

    Raises:
        UserError: if it cannot be opened or asked.
    """
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode={mode}", uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise UserError(str(error)) from None


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """The columns of a table; none if there is no such table."""
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}

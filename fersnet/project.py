"""Where the project lies, and which files of a run are its own.

The project's own files are found beside this package; a user's are taken from the working folder, which is where a
run's results go too, and may be any folder.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CONFIG = PROJECT / "config"
DEFAULT = CONFIG / "config.yaml"
"""The config that every other one is laid over."""


def config_files() -> list[Path]:
    """The configs of a run that names none: the default, and what stands in its place in another working folder."""
    own = Path("config", DEFAULT.name)
    return [DEFAULT, own] if own.is_file() and not own.samefile(DEFAULT) else [DEFAULT]


def named_file(name: str) -> Path:
    """A file that a config names: the working folder's, or the project's own where the working folder has none."""
    path = Path(name)
    return PROJECT / path if not path.exists() and (PROJECT / path).exists() else path

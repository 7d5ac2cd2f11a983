"""The way into the readers: dispatch by settings, the quick look before any job, and the index on disk."""

import inspect
import os
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType

from fersnet.csv_files import read_csv
from fersnet.datasets.counts import commonest_reasons
from fersnet.datasets.recognise import told_what_is_there
from fersnet.datasets.sequences import (
    OPTIONAL_COLUMNS,
    REJECTED_COLUMNS,
    SEQUENCE_COLUMNS,
    OptionError,
    SequenceIndex,
    labelled,
)
from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL
from fersnet.methods.find import load_code, load_module
from fersnet.settings.data import DatasetSettings

INDEX_FILE = "index.parquet"
REJECTED_FILE = "index_rejected.csv"


def _shipped(reader: str) -> str:
    return f"fersnet.datasets.readers.{reader}"


def _reader(settings: DatasetSettings, module: str | None) -> ModuleType:
    """The reader's code, after checking that it knows every option."""
    reader = load_code(module or _shipped(settings.reader))
    parameters = inspect.signature(reader.read_index).parameters
    known = [name for name in parameters if name not in ("root", "peak_frames")]
    for option, value in settings.options.items():
        if option not in known:
            raise OptionError(
                f"options.{option}: the {settings.reader} reader has no such option, only {', '.join(known) or 'none'}"
            )
        if isinstance(parameters[option].default, bool) and not isinstance(value, bool):
            raise OptionError(f"options.{option}: {value!r} is neither true nor false")
    return reader


def look_at(settings: DatasetSettings, root: Path, module: str | None = None) -> str | None:
    """A quick check of a dataset's shape, for validation before any job: None if it is fine, else one line that says
    what was looked for and where.
    """
    try:
        with told_what_is_there(Path(root)):
            _reader(settings, module).locate(Path(root), **settings.options)
    except UserError as error:
        return str(error)
    return None


def wrong_option(settings: DatasetSettings, module: str | None = None) -> str | None:
    """What is wrong with the reader's options, whatever the tree: a reader looks at them before it looks for one."""
    if not settings.options:
        return None
    try:
        _reader(settings, module).locate(Path(os.devnull), **settings.options)
    except OptionError as error:
        return str(error)
    except UserError:
        pass
    return None


def watched_files(settings: DatasetSettings, root: Path, module: str | None = None) -> list[Path] | None:
    """The files whose change is a change of the data; None where everything below the root counts.

    Raises:
        UserError: if an option is unknown or wrong.
    """
    watched = getattr(_reader(settings, module), "watched_files", None)
    return None if watched is None else watched(root, **settings.options)


def read_dataset(
    settings: DatasetSettings, root: Path, peak_frames: int = 3, module: str | None = None
) -> SequenceIndex:
    """Reads a tree with the reader, options and classes of the settings.

    Sequences whose expression is not among the configured classes are moved to the rejections; but neutral ones stay,
    without an apex, as the neutral faces of their subjects.

    Args:
        settings: the dataset's section.
        root: the folder (or manifest) to read; it takes the place of `settings.root`, which is null for embedded faces.
        peak_frames: peak frames per sequence (`faces.peak_frames`).
        module: the reader's module, for one that the config's `modules` brings in.

    Raises:
        UserError: if the tree is not found, an option is unknown or wrong, or no labelled sequence is left.
    """
    from pandas import DataFrame, concat

    with told_what_is_there(Path(root)):
        index = _reader(settings, module).read_index(Path(root), peak_frames=peak_frames, **settings.options)
    classes = settings.classes or load_module(module or _shipped(settings.reader)).READER.classes
    wanted = index.sequences["expression"].isin([*classes, NEUTRAL])
    others = [(row.sequence_id, "", f"expression {row.expression} is not among the configured classes")
              for row in index.sequences[~wanted].itertuples()]  # fmt: skip
    rejected = concat([index.rejected, DataFrame(others, columns=list(REJECTED_COLUMNS), dtype="str")])
    sequences = index.sequences[wanted].reset_index(drop=True)
    if NEUTRAL not in classes:
        sequences["apex"] = [
            [] if row.expression == NEUTRAL else row.apex for row in sequences[["expression", "apex"]].itertuples()
        ]
    if labelled(sequences).empty:
        reasons = "; ".join(commonest_reasons(rejected)) or "nothing was found"
        raise UserError(f"{root}: no usable labelled sequence; the commonest reasons: {reasons}")
    return SequenceIndex(sequences, rejected.sort_values(list(REJECTED_COLUMNS)).reset_index(drop=True))


def complete_index(
    settings: DatasetSettings,
    index: SequenceIndex,
    root: Path,
    peak_frames: int,
    workers: int,
    module: str | None = None,
) -> SequenceIndex:
    """The index with what takes longer than a look at the names: videos are decoded, where the reader leaves them open.

    Args:
        settings: the dataset's section.
        index: what `read_dataset` gave.
        root: as there.
        peak_frames: as there.
        workers: number of processes.
        module: as there.

    Raises:
        UserError: if no labelled sequence is left.
    """
    complete = getattr(_reader(settings, module), "complete_index", None)
    if complete is None:
        return index
    whole = complete(index, Path(root), peak_frames=peak_frames, workers=workers, **settings.options)
    if labelled(whole.sequences).empty:
        reasons = "; ".join(commonest_reasons(whole.rejected))
        raise UserError(f"{root}: no usable labelled sequence; the commonest reasons: {reasons}")
    return whole


def write_index(index: SequenceIndex, folder: Path) -> None:
    """Writes `index.parquet` and `index_rejected.csv` (its header only, when nothing was rejected), each atomically."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    types = {"n_frames": pa.int64(), "frames": pa.list_(pa.string()), "apex": pa.list_(pa.int64()),
             "neutral": pa.int64(), "age": pa.int64()}  # fmt: skip
    schema = pa.schema([(name, types.get(name, pa.string())) for name in _columns(index.sequences.columns)])
    table = pa.Table.from_pandas(index.sequences[schema.names], schema=schema, preserve_index=False)
    _replace(folder / INDEX_FILE, lambda path: pq.write_table(table, path))
    _replace(folder / REJECTED_FILE, lambda path: index.rejected.to_csv(path, index=False))


def _columns(there: Collection[str]) -> list[str]:
    """The columns of an index that has the given ones: those that all have, and the optional ones among them."""
    return [*SEQUENCE_COLUMNS, *(name for name in OPTIONAL_COLUMNS if name in there)]


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_index(folder: str | Path) -> SequenceIndex:
    """The labelled sequences of a dataset, from `results/<run>/datasets/<dataset>`; `frames` and `apex` are lists.

    Raises:
        UserError: if a file is missing or not of this form.
    """
    from pandas import read_parquet

    folder = Path(folder)
    try:
        sequences = read_parquet(folder / INDEX_FILE)
        sequences = sequences[_columns(sequences.columns)]
        rejected = read_csv(folder / REJECTED_FILE, text=("frame",))[list(REJECTED_COLUMNS)]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{folder}: no readable index ({error}); delete the folder and run again") from error
    for column in ("frames", "apex"):
        sequences[column] = [cell.tolist() for cell in sequences[column]]
    if "age" in sequences:
        sequences["age"] = sequences["age"].astype("Int64")
    return SequenceIndex(sequences, rejected)

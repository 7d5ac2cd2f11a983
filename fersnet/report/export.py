"""A run in one file that can be sent: its tables and all that they can be recomputed from, and no face."""

import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from fersnet import __version__
from fersnet.csv_files import read_csv
from fersnet.errors import UserError
from fersnet.report.recompute import TRAINING_JOBS, RunFolder, recompute
from fersnet.report.references import BIBTEX, to_bibtex
from fersnet.report.run_file import NAME, RunFile, parse_run, read_run
from fersnet.report.subgroups import ATTRIBUTES
from fersnet.report.table import Table, read_json
from fersnet.report.writing import to_latex, to_markdown

SUMS = "SHA256SUMS"
CONFIG = ("reported.csv", "claims.csv", "sequence_counts.csv")
FORMS = (".csv", ".json", ".md", ".tex")
LARGEST = 4 * 2**30
"""Bytes that an export may unpack to."""
_SEAL = b"sha256:"
_DATE = (1980, 1, 1, 0, 0, 0)
"""The same content gives the same bytes."""
_BIBTEX = f"tables/{BIBTEX}"
INDEX_COLUMNS = ("sequence_id", "subject", "expression", "apex")


def export_run(results: Path, out: Path) -> int:
    """Write the export of a finished run, and return the number of its files.

    Raises:
        UserError: if the run is not finished, or the file cannot be written.
    """
    run = read_run(results)
    files = RunFolder(results, run)
    contents = {NAME: _run_content(run), TRAINING_JOBS: _csv(files.training_jobs)}
    for table in run.tables:
        for form in FORMS:
            path = Path(table).with_suffix(form)
            contents[str(path)] = _content(results / path)
    contents[_BIBTEX] = _content(results / _BIBTEX)
    for path in (
        *files.prediction_files(),
        *files.cross_files(),
        *files.evaluation_files(),
        *files.evaluation_files("_sets.csv"),
    ):
        contents[str(path.relative_to(results))] = _content(path)
    for path in (*files.selection_files(), *files.augmentation_files()):
        contents[str(path.relative_to(results))] = _content(path)
    for dataset in files.datasets:
        folder = results / "datasets" / dataset
        place = f"datasets/{dataset}"
        contents[f"{place}/folds.csv"] = _content(folder / "folds.csv")
        # What lies on the disk of whoever ran it, and where, is nobody else's business.
        contents[f"{place}/index.parquet"] = _columns(folder / "index.parquet", *INDEX_COLUMNS, more=ATTRIBUTES)
        contents[f"{place}/faces.parquet"] = _columns(folder / "faces.parquet", "sequence_id", "frame", "role")
        checksum = folder / "checksum.txt"
        if checksum.is_file():
            contents[f"{place}/checksum.txt"] = checksum.read_bytes()
    contents |= {f"config/{name}": _content(files.config_file(name)) for name in CONFIG}
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    contents[SUMS] = "".join(sums).encode()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(sealed(contents))
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from None
    return len(contents)


def check_export(path: Path) -> tuple[RunFile, int]:
    """Recompute every table of an export, and return the run with the number of its tables.

    Raises:
        UserError: naming the file that is not what it was, or the table that its predictions do not give.
    """
    contents = _opened(path)
    run = parse_run(contents[NAME].decode(), f"{path}: {NAME}")
    with tempfile.TemporaryDirectory() as unpacked:
        folder = Path(unpacked)
        for name, content in contents.items():
            place = folder / name
            if not place.resolve().is_relative_to(folder.resolve()):
                raise UserError(f"{path}: {name}: lies outside of the export")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        files = RunFolder(folder, run, folder / "config")
        made_by = run.versions.get("fersnet", "")
        other = f"; it was made by version {made_by}, this is {__version__}" if made_by != __version__ else ""
        try:
            for name in run.tables:
                _compare(recompute(files, Path(name).stem), folder / name)
            if contents.get(_BIBTEX) != to_bibtex(run.references).encode():
                raise UserError(f"{_BIBTEX}: is not what {NAME} gives")
        except UserError as error:
            raise UserError(f"{path}: {str(error).replace(f'{folder}/', '')}{other}") from None
    return run, len(run.tables)


def _opened(path: Path) -> dict[str, bytes]:
    """The files of an export, each with the content that its checksum says."""
    try:
        whole = path.read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(whole))
        names = [entry.filename for entry in archive.infolist()]
        size = sum(entry.file_size for entry in archive.infolist())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception:  # Whatever a damaged archive makes the library raise.
        raise UserError(f"{path}: no readable archive; get it again") from None
    if size > LARGEST:
        raise UserError(f"{path}: would unpack to {size / 1e9:.0f} GB; no export of a run is as large")
    contents = {}
    for name in dict.fromkeys((SUMS, *names)):
        try:
            contents[name] = archive.read(name)
        except KeyError:
            raise UserError(f"{path}: {name} is missing; it is no export, or was changed") from None
        except Exception:
            raise UserError(f"{path}: {name} is damaged; get the export again") from None
    lines = re.findall(r"^([0-9a-f]{64})  (.+)$", contents.pop(SUMS).decode(errors="replace"), re.MULTILINE)
    expected: Mapping[str, str] = {name: digest for digest, name in lines}
    for name in (*expected, *contents):
        if name not in contents or name not in expected or name not in names:
            raise UserError(f"{path}: {name} is missing, or was added; get the export again")
        if hashlib.sha256(contents[name]).hexdigest() != expected[name]:
            raise UserError(f"{path}: {name} is not what was exported: its checksum differs")
    if NAME not in contents:
        raise UserError(f"{path}: {NAME} is missing; it is no export of a run")
    if archive.comment != _seal(whole[: len(whole) - len(archive.comment)]):
        raise UserError(f"{path}: changed after it was written, outside of the files in it; get it again")
    return contents


def _compare(made: Table, path: Path) -> None:
    """Compare a table with its files; figures may differ in the last digit, as kinds of CPU round."""
    written, name = read_json(path), f"tables/{made.key}"
    first = next((key for key, value in _fields(made).items() if _fields(written)[key] != value), None)
    if first is not None:
        raise UserError(f"{name}.json: its {first} is not what the predictions give")
    _compare_rows(made.frame, written.frame, f"{name}.json")
    in_csv = read_csv(path.with_suffix(".csv"), list(made.frame.columns))
    _compare_rows(made.frame, in_csv, f"{name}.csv")
    for form, write in ((".md", to_markdown), (".tex", to_latex)):
        if path.with_suffix(form).read_text(encoding="utf-8") != write(written):
            raise UserError(f"{name}{form}: is not what the predictions give")


def _fields(table: Table) -> dict[str, Any]:
    return {key: value for key, value in asdict(replace(table, frame=pd.DataFrame())).items() if key != "frame"}


def _compare_rows(made: pd.DataFrame, written: pd.DataFrame, place: str) -> None:
    if list(made.columns) != list(written.columns) or len(made) != len(written):
        raise UserError(f"{place}: has other rows or columns than the predictions give")
    for row, (own, found) in enumerate(zip(made.to_dict("records"), written.to_dict("records"), strict=True), start=1):
        for column, value in own.items():
            if not _same(value, found[column]):
                where = " ".join(str(own[key]) for key in ("method", "dataset") if own.get(key))
                shown = "nothing" if pd.isna(value) else value
                raise UserError(
                    f"{place}: row {row} ({where}): {column} is {found[column]}, the predictions give {shown}"
                )


def _same(value: Any, found: Any) -> bool:
    # Empty text is written as nothing.
    if pd.isna(value) or value == "":
        return pd.isna(found) or found == ""
    if isinstance(value, str):
        return value == found
    try:
        number = float(found)
    except (TypeError, ValueError):
        return False
    return abs(float(value) - number) <= (1.5e-4 if abs(value) >= 1 else 2e-6)


def sealed(contents: Mapping[str, bytes]) -> bytes:
    """An archive whose comment is the checksum of all before it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
        archive.comment = _seal(b"")
    whole = file.getvalue()
    before = whole[: len(whole) - len(_seal(b""))]
    return before + _seal(before)


def _seal(content: bytes) -> bytes:
    return _SEAL + hashlib.sha256(content).hexdigest().encode()


def _run_content(run: RunFile) -> bytes:
    """The run's file without paths of the machine that it ran on."""
    settings = json.loads(json.dumps(run.settings))
    for dataset in settings["datasets"].values():
        dataset["root"] = dataset.get("root") and "own copy"
        options = dataset.get("options") or {}
        dataset["options"] = {key: _last_part(value) for key, value in options.items()}
    settings["modules"] = {key: _last_part(path) for key, path in settings.get("modules", {}).items()}
    for section, key in (("identity", "checkpoint"), ("faces", "model_folder")):
        settings[section][key] = settings[section].get(key) and _last_part(settings[section][key])
    return (json.dumps(asdict(replace(run, settings=settings)), indent=1, ensure_ascii=False) + "\n").encode()


def _last_part(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and "/" in value else value


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror}; only a finished run can be exported, so run its workflow to the end"
        ) from None


def _columns(path: Path, *names: str, more: Sequence[str] = ()) -> bytes:
    """A parquet file with some of its columns; `more` are those that it may have."""
    file = io.BytesIO()
    try:
        frame = pd.read_parquet(path)
        frame[[*names, *(name for name in more if name in frame)]].to_parquet(file, index=False)
    except KeyError as error:
        raise UserError(f"{path}: {error.args[0]}; run the workflow to its end") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run the workflow to its end") from None
    return file.getvalue()


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()

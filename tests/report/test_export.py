"""A run in one file: whole, without faces, and refused when anything in it was changed."""

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.errors import UserError
from fersnet.report.export import SUMS, check_export, export_run, sealed
from fersnet.report.run_file import NAME


@pytest.fixture(scope="module")
def export(finished_run, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("export") / "out.zip"
    export_run(finished_run, out)
    return out


def test_every_table_is_recomputed_from_what_is_in_the_file(export) -> None:
    said = CliRunner().invoke(app, ["check", str(export)])
    assert said.exit_code == 0
    assert said.stdout == f"{export}: run invented: all 10 tables are what its predictions give\n"


def test_the_same_run_gives_the_same_bytes(export, finished_run, tmp_path) -> None:
    export_run(finished_run, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == export.read_bytes()


def test_no_face_and_no_path_of_a_machine_is_in_it(finished_run, tmp_path) -> None:
    results = shutil.copytree(finished_run, tmp_path / "mine")
    content = json.loads((results / NAME).read_text())
    content["settings"]["datasets"]["mmi"]["root"] = "/home/somebody/MMI"
    content["settings"]["datasets"]["mmi"]["options"] = {"selection": "/home/somebody/mmi208.csv"}
    content["settings"]["modules"] = {"own": "/home/somebody/own.py"}
    content["settings"]["identity"]["checkpoint"] = "/home/somebody/light.pth"
    (results / NAME).write_text(json.dumps(content))
    index = results / "datasets" / "mmi" / "index.parquet"
    pd.read_parquet(index).assign(frames="/home/somebody/MMI/1.avi").to_parquet(index, index=False)
    export_run(results, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {Path(name).suffix for name in archive.namelist()} <= {
            "",
            ".csv",
            ".json",
            ".md",
            ".tex",
            ".bib",
            ".parquet",
            ".txt",
        }
        for name in archive.namelist():
            assert b"somebody" not in archive.read(name), name
            if name.endswith(".parquet"):
                (tmp_path / "one.parquet").write_bytes(archive.read(name))
                assert "frames" not in pd.read_parquet(tmp_path / "one.parquet")


@given(place=some.integers(0, 10**9), bit=some.integers(0, 7))
@settings(max_examples=60)
def test_one_changed_bit_is_one_line_that_names_the_file(export, tmp_path_factory, place, bit) -> None:
    content = bytearray(export.read_bytes())
    content[place % len(content)] ^= 1 << bit
    changed = tmp_path_factory.mktemp("changed") / "changed.zip"
    changed.write_bytes(content)
    with pytest.raises(UserError) as error:
        check_export(changed)
    assert "\n" not in str(error.value) and str(error.value).startswith(str(changed))


def remade(export: Path, out: Path, name: str, change) -> Path:
    """An export with one file changed, whose checksums and seal were made anew."""
    with zipfile.ZipFile(export) as archive:
        contents = {entry: archive.read(entry) for entry in archive.namelist() if entry != SUMS}
    contents[name] = change(contents[name])
    contents[SUMS] = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {entry}\n" for entry, content in contents.items()
    ).encode()
    out.write_bytes(sealed(contents))
    return out


def swap_predictions(content: bytes) -> bytes:
    frame = pd.read_parquet(io.BytesIO(content))
    frame[["p_anger", "p_fear"]] = frame[["p_fear", "p_anger"]].to_numpy()
    return frame.to_parquet(index=False)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "predictions/mmi/fersnet/fold1.parquet",
            swap_predictions,
            r"tables/\w+\.json: row \d+ \(.*\): \w+ is [\d.-]+, ",
        ),
        (
            "tables/ablation.csv",
            lambda text: text.replace(b",embedded,", b",real,", 1),
            r"tables/ablation\.csv: row 1 ",
        ),
        ("tables/claims.md", lambda text: text + b"\n", r"tables/claims\.md: is not what the predictions give"),
        ("tables/references.bib", lambda text: text[1:], r"tables/references\.bib: is not what run\.json gives"),
        ("tables/datasets.tex", lambda text: text[:-5], r"tables/datasets\.tex: is not what"),
        (
            "tables/fer_mmi.json",
            lambda text: text.replace(b"n = ", b"n = 1", 1),
            r"tables/fer_mmi\.json: its provenance",
        ),
        ("run.json", lambda text: b"{}", r"run\.json: does not describe a run"),
        ("config/claims.csv", lambda text: b"nothing\n", r"config/claims\.csv|tables/claims"),
    ],
)
def test_what_does_not_follow_from_the_predictions_is_named(export, tmp_path, name, change, said) -> None:
    changed = remade(export, tmp_path / "changed.zip", name, change)
    with pytest.raises(UserError, match=said) as error:
        check_export(changed)
    assert "\n" not in str(error.value) and "/tmp" not in str(error.value).removeprefix(str(changed))


def test_an_unfinished_run_or_no_export_is_one_line(finished_run, tmp_path) -> None:
    results = shutil.copytree(finished_run, tmp_path / "half")
    (results / "tables" / "synthesis.tex").unlink()
    with pytest.raises(UserError, match=r"synthesis\.tex: No such file.*only a finished run can be exported"):
        export_run(results, tmp_path / "out.zip")
    for content in (b"", b"PK no archive", Path(__file__).read_bytes()):
        (tmp_path / "no.zip").write_bytes(content)
        with pytest.raises(UserError, match=r"no\.zip: no readable archive"):
            check_export(tmp_path / "no.zip")
    with zipfile.ZipFile(tmp_path / "no.zip", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(UserError, match="SHA256SUMS is missing"):
        check_export(tmp_path / "no.zip")
    with pytest.raises(UserError, match="cannot be read"):
        check_export(tmp_path / "nothing.zip")

"""`fersnet predict` and `fersnet synthesize`, as the README shows them."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.expressions import SIX
from tests.use.conftest import MakeCheckpoint

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/bin/fersnet ((?:predict|synthesize) .*)$", README, re.MULTILINE)


def run(*words: str | Path):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_works(
    tmp_path: Path, portrait: Path, clip: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:  # fmt: skip
    checkpoint = make_checkpoint()
    monkeypatch.chdir(tmp_path)
    replaced = {"face.jpg": str(portrait), "another.png": str(portrait), "clip.mp4": str(clip)}
    words = [replaced.get(word, word) for word in shlex.split(command)]
    position = words.index("--model") + 1
    if words[position].endswith("checkpoint.pt"):
        words[position] = str(checkpoint)
        done = run(*words)
        assert done.exit_code == 0, done.output
    else:
        # The URI is the reader's own; that it is taken for one shows in the message.
        assert "no tracking store" in run(*words).output


def test_the_readme_shows_both_commands() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"predict", "synthesize"}


def test_f8_every_image_has_an_answer_in_its_place(
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint
) -> None:
    """Case F8: one that fails has its reason, and one that is given twice has two answers."""
    images = [str(portrait), str(tmp_path / "none.txt"), str(portrait)]
    Path(images[1]).write_text("?", encoding="utf-8")
    done = run("predict", *images, "--json", "--model", make_checkpoint())
    assert done.exit_code == 1
    assert done.stderr == "1 of 3 images could not be used; see their answers\n"
    entries = json.loads(done.stdout)
    assert [entry["image"] for entry in entries] == images
    assert entries[0] == entries[2]
    assert entries[0]["face"] == 1 and entries[0]["trained_on"] == "unknown" and 0 < entries[0]["quality"] <= 1
    assert entries[0]["predicted"] == max(entries[0]["probabilities"], key=entries[0]["probabilities"].__getitem__)
    assert tuple(entries[0]["probabilities"]) == SIX
    assert set(entries[1]) == {"image", "error"} and entries[1]["error"].startswith("not an image file")

    done = run("predict", *images, "--model", make_checkpoint())
    assert done.exit_code == 1
    lines = done.stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [image.split()[0] for image in images]
    assert lines[0] == lines[2] and lines[1].endswith(f"  {entries[1]['error']}")


def test_c3_a_model_of_two_classes_shows_two(tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint) -> None:
    """Case C3: a strip of the expressions that the model knows."""
    checkpoint, out = make_checkpoint(("happiness", "sadness")), tmp_path / "out.png"
    done = run("synthesize", portrait, "--expression", "all", "-o", out, "--model", checkpoint)
    assert done.stdout == f"{out}: input, happiness, sadness\n"
    assert Image.open(out).size == (32 * 3, 32)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    ("words", "closed", "expected"),
    [
        (("describe", "--width", "4"), True, (141, "")),
        (("describe", "--width", "4"), False, (1, "No space left on device\n")),
        (("predict", "--help"), True, (141, "")),
        (("predict", "--help"), False, (1, "No space left on device\n")),
    ],
)
def test_f9_output_that_nobody_reads_or_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], buffered: bool, words: tuple[str, ...],
    closed: bool, expected: tuple[int, str],
) -> None:  # fmt: skip
    """Case F9: nothing is said where the reader has gone, and one line where the disk is full."""
    if closed:
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
    with os.fdopen(writer, "w") as output:
        output.reconfigure(write_through=not buffered)
        monkeypatch.setattr(sys, "stdout", output)
        with pytest.raises(SystemExit) as end:
            app(list(words))
    assert (end.value.code, capsys.readouterr().err) == expected


def test_f9_the_end_of_the_interpreter_says_nothing_more() -> None:
    """Case F9: what could not be written is not tried again."""
    command = [sys.executable, "-m", "fersnet.cli", "describe", "--width", "4"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "No space left on device\n")


@pytest.mark.parametrize(("expression", "tiles"), [("all", 7), ("fear", 1)])
def test_a_synthetic_face_or_a_strip_of_them_is_written(
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint, expression: str, tiles: int
) -> None:
    out = tmp_path / "new" / "out.png"
    done = run("synthesize", portrait, "--expression", expression, "-o", out, "--model", make_checkpoint())
    assert done.exit_code == 0, done.output
    assert Image.open(out).size == (32 * tiles, 32)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--expression", "joy", "-o", "out.png"), "unknown expression 'joy'"),
        (("--expression", "fear", "-o", "out.docx"), "ends in .png"),
        (("--expression", "fear", "-o", "out.png", "--model", "nothere.pt"), "nothere.pt: no such file"),
        (("--expression", "fear", "-o", "out.png", "--model", "truncated.pt"), "truncated.pt: truncated"),
        (("--expression", "fear", "-o", "truncated.pt/out.png"), "truncated.pt"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...], reason: str,
) -> None:  # fmt: skip
    checkpoint = make_checkpoint()
    monkeypatch.chdir(tmp_path)
    Path("truncated.pt").write_bytes(checkpoint.read_bytes()[:3000])
    done = run("synthesize", portrait, "--model", checkpoint, *words)
    assert done.exit_code == 1
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not Path("out.png").exists()

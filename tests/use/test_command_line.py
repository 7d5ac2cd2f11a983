"""`fersnet predict` and `fersnet synthesize`, as the README shows them."""

import json
import re
import shlex
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
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    checkpoint = make_checkpoint()
    monkeypatch.chdir(tmp_path)
    replaced = {"face.jpg": str(portrait), "another.png": str(portrait)}
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


def test_a_picture_without_a_face_does_not_hide_the_others(
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint
) -> None:
    (tmp_path / "none.txt").write_text("?", encoding="utf-8")
    done = run("predict", tmp_path / "none.txt", portrait, "--json", "--model", make_checkpoint())
    assert done.exit_code == 1
    (entry,) = json.loads(done.stdout)
    assert entry["image"] == str(portrait)
    assert entry["predicted"] == max(entry["probabilities"], key=entry["probabilities"].__getitem__)
    assert tuple(entry["probabilities"]) == SIX
    assert done.stderr.count("\n") == 1
    assert "none.txt: not an image file" in done.stderr


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

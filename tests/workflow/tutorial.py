"""The tutorial's pages as a reader plays them: their files written, their commands run, their Python executed."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fersnet.cli import app
from tests.workflow.conftest import ROOT

PAGES = ROOT / "docs" / "tutorial"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\S+\.(?:yaml|py))\n")


def play(page: str, folder: Path, run: Callable[[list[str]], None]) -> dict[str, Any]:
    """Play a page in a project's folder, and give the names of its Python.

    run: is given the words of each command that is not one of `fersnet`'s, and of `fersnet plan`.
    """
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for language, text in BLOCK.findall((PAGES / page).read_text(encoding="utf-8")):
            if named := NAMED.match(text):
                Path(named[1]).parent.mkdir(exist_ok=True)
                Path(named[1]).write_text(text, encoding="utf-8")
            elif language == "python":
                exec(text, names)
            elif language == "bash":
                for line in text.splitlines():
                    _run(shlex.split(line), run)
    return names


def _run(words: list[str], run: Callable[[list[str]], None]) -> None:
    # The plan of a run at full scale takes a minute.
    if words[0] != ".venv/bin/fersnet" or words[1] == "plan":
        run(words)
        return
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == 0, (words, done.output)

"""`make` on a system that lacks something: one line that names what to install, and nothing half-made to mend."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.errors import UserError
from fersnet.faces import face_alignment_backend
from fersnet.faces.backends import prepare_backend

ROOT = Path(__file__).parent.parent

PYTHON = """#!/bin/sh
# An interpreter whose imports of {lacking} fail, and whose `-m venv` makes a .venv with the like of itself.
case "$*" in
    *"{lacking}"*) exit 1 ;;
    "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


@pytest.fixture
def bare(tmp_path: Path):
    """Calls `make environment` where PATH holds only the given interpreters, each of which lacks something."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "make", "nproc", "mkdir", "cp", "touch"):
        (programs / name).symlink_to(shutil.which(name))

    def make(interpreters: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        for name, lacking in interpreters.items():
            (programs / name).write_text(PYTHON.format(lacking=lacking), encoding="utf-8")
            (programs / name).chmod(0o755)
        environment = {"PATH": str(programs)}
        command = [str(programs / "make"), "--silent", *(arguments or ("environment",))]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return make


VERSION, VENV, OPENCV = "version_info", "ensurepip", "import cv2"


@pytest.mark.parametrize(
    ("interpreters", "arguments", "parts"),
    [
        ({}, (), ["Python 3.11, 3.12 or 3.13", "apt-get install python3 python3-venv"]),
        ({"python3": VERSION}, (), ["Python 3.11, 3.12 or 3.13"]),
        ({"python9": VERSION}, ("environment", "PYTHON=python9"), ["python9 is not Python 3.11, 3.12 or 3.13"]),
        ({"python3.12": VENV}, (), ["python3.12 has no venv module", "apt-get install python3-venv"]),
        ({"python3": OPENCV}, (), ["libGL", "apt-get install libgl1 libglib2.0-0"]),
    ],
)
def test_what_is_missing_is_named_in_one_line(bare, interpreters, arguments, parts) -> None:
    done = bare(interpreters, *arguments)
    assert done.returncode != 0
    assert len(done.stdout.splitlines()) == 1
    assert all(part in done.stdout for part in parts), done.stdout


def test_any_supported_interpreter_will_do(bare, tmp_path: Path) -> None:
    done = bare({"python3.11": VERSION, "python3.13": "nothing"})
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / ".venv" / ".ready").is_file()


def test_make_alone_prints_help(bare) -> None:
    done = bare({}, "--jobs=1")
    assert done.returncode == 0 and done.stdout.startswith("make reproduce")
    assert os.fspath(ROOT) not in done.stdout


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("fersnet.use.model", ["predict", "face.png", "--model", "checkpoint.pt"]),
        ("fersnet.embedded.files", ["synthesize", "a.png", "--model", "c.pt", "--expression", "all", "-o", "b.png"]),
        ("fersnet.embedded.sheet", ["render", "face", "--out", "faces"]),
        ("fersnet.embedded.sheet", ["render", "sheet", "--out", "sheet.png"]),
        ("fersnet.embedded.trees", ["render", "tree", "ckplus", "--out", "tree"]),
    ],
)
def test_a_library_that_opencv_does_not_find_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, module: str, command: list[str]
) -> None:
    class Broken(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setitem(sys.modules, module, Broken(module))
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1 and "libGL.so.1" in result.stderr and "libgl1" in result.stderr


def test_a_backend_whose_library_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_alignment_backend.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"faces\.backend face_alignment: its library is not installed"):
        prepare_backend("face_alignment")


SYSTEM_PACKAGES = "libgl1 libglib2.0-0"


@pytest.mark.parametrize(
    "file",
    ["README.md", "Makefile", "Containerfile", ".github/workflows/checks.yml", ".github/workflows/reproduce.yml"],
)
def test_the_system_packages_are_the_same_everywhere(file: str) -> None:
    assert SYSTEM_PACKAGES in (ROOT / file).read_text(encoding="utf-8")


def test_public_checks_run_what_users_run_on_every_supported_python() -> None:
    commands: set[str] = set()
    for path in (ROOT / ".github" / "workflows").iterdir():
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        for job in workflow["jobs"].values():
            commands |= {step["run"] for step in job["steps"] if step.get("run", "").startswith("make ")}
    assert commands == {"make lint", "make docs", "make test", "make reproduce"}
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {command.removeprefix("make ") for command in commands} <= set(targets)
    checks = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = [line.rsplit(" ", 1)[1] for line in project["classifiers"] if "Python :: 3." in line]
    assert checks["jobs"]["test"]["strategy"]["matrix"]["python"] == supported


def test_the_forms_for_issues_are_complete() -> None:
    """A form that lacks one of these is not shown, and nobody says why."""
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name == "config.yml":
            continue
        assert {"name", "description", "body"} <= form.keys()
        ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
        assert len(ids) == len(set(ids)) > 0
        labels = [field["attributes"]["label"] for field in form["body"] if field["type"] != "markdown"]
        assert len(labels) == len(set(labels)) == len(ids)

"""The import directions of the design: every layer imports only what lies below it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"expressions", "errors", "seeds", "repeats", "fingerprint"},
    {"host", "command"},
    {"settings", "tracking"},
    {"datasets", "embedded", "faces", "folds", "models"},
    {"training"},
    {"synthesis", "rivals", "baselines"},
    {"use"},
    {"mirror"},
    {"report"},
    {"plan"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
FILES = sorted((ROOT / "fersnet").rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "fersnet").parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    for name in imports_of(path):
        if name.startswith("fersnet."):
            other = name.split(".")[1]
            assert LEVEL[other] < LEVEL[room] or other == room, f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_package_knows_nothing_of_the_workflow(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert not roots & {"snakemake", "workflow_scripts", "torchvision"}
    if room_of(path) not in ("mirror", "use"):
        assert "mlflow" not in roots


def test_scripts_are_thin() -> None:
    for path in (ROOT / "workflow_scripts").glob("*.py"):
        if path.stem not in ("job", "training_job"):
            assert len(path.read_text(encoding="utf-8").splitlines()) < 66, path


def test_files_are_short() -> None:
    for path in [*FILES, *(ROOT / "rules").glob("*.smk")]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 320, path

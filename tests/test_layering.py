"""The import directions of the design: every layer imports only what lies below it."""

import ast
import symtable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import fersnet

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"memory", "project"},
    {"expressions", "errors", "seeds", "repeats", "fingerprint", "csv_files"},
    {"host", "command", "methods"},
    {"settings", "tracking"},
    {"jobs_table"},
    {"faces"},
    {"claims", "datasets", "embedded", "folds", "models"},
    {"failures", "cross_validation", "training"},
    {"judge"},
    {"readiness", "synthesis", "rivals", "baselines"},
    {"use"},
    {"demo"},
    {"report"},
    {"parents"},
    {"mirror"},
    {"tuning"},
    {"costs"},
    {"plan"},
    {"model_commands", "result_commands"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
FILES = sorted((ROOT / "fersnet").rglob("*.py"))
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}


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


def imports_from_the_package(path: Path) -> set[tuple[str, str]]:
    """Module and name of every import of the package's, in functions too; the name of a whole module is empty."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for name in (alias.name for alias in node.names):
                whole = f"{node.module}.{name}"
                found.add((whole, "") if whole in MODULES else (node.module, name))
    return found


def test_no_modules_import_each_other() -> None:
    graph = {module: {other for other, _ in imports_from_the_package(path)} for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_a_name_is_imported_from_the_module_that_defines_it() -> None:
    defined = {}
    for module, path in MODULES.items():
        symbols = symtable.symtable(path.read_text(encoding="utf-8"), str(path), "exec").get_symbols()
        defined[module] = {symbol.get_name() for symbol in symbols if symbol.is_assigned() and not symbol.is_imported()}
    folders = ("tests", "benchmarks", "workflow_scripts")
    for path in [*FILES, *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]:
        for module, name in imports_from_the_package(path):
            public = module == "fersnet" and name in fersnet.__all__
            assert not name or public or name in defined[module], f"{path}: {module} does not define {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_package_knows_nothing_of_the_workflow(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert not roots & {"snakemake", "workflow_scripts", "torchvision"}
    if room_of(path) not in ("mirror", "use"):
        assert "mlflow" not in roots


def test_scripts_are_thin() -> None:
    for path in (ROOT / "workflow_scripts").glob("*.py"):
        if path.stem not in ("job", "training_job", "progress"):
            assert len(path.read_text(encoding="utf-8").splitlines()) < 66, path


def test_files_are_short() -> None:
    for path in [*FILES, *(ROOT / "rules").glob("*.smk"), *(ROOT / "workflow_scripts").rglob("*.py")]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 320, path


def test_no_script_of_a_job_reaches_the_plan() -> None:
    """Its fingerprint would cover what the rules ask for, and each change of that retrain everything."""
    for path in (ROOT / "workflow_scripts").glob("*.py"):
        assert not [name for name in imports_of(path) if name.startswith("workflow_scripts.planning")], path

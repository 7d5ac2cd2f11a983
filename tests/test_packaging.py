"""Packaging: the wheel works outside the project's folder, and every list of packages says the same."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fersnet import __version__
from fersnet.methods.works import TOOLS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = {
    canonicalize_name(requirement.name): requirement
    for requirement in map(
        Requirement, [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]
    )
}


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins), "names and versions only, no hosts or markers"
    return {canonicalize_name(name): version for name, version in (pin.split("==") for pin in pins)}


def imported(folder: Path) -> set[str]:
    """Top-level names of the packages that the modules of a folder import while they run."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                continue
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").split(".")[0])
            waiting += ast.iter_child_nodes(node)
    return names - sys.stdlib_module_names - {"fersnet", "workflow_scripts"}


def test_the_lock_holds_what_the_project_asks_for() -> None:
    pins = locked()
    for name, requirement in DIRECT.items():
        assert requirement.specifier.contains(pins[name]), f"{requirement}: the lock has {pins[name]}; run `make lock`"
    assert "torchvision" not in pins
    assert [name for name in pins if "opencv" in name] == ["opencv-python"], "one package alone may provide cv2"


def test_the_conda_environment_is_that_of_the_lock() -> None:
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = (entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert pip == [line for line in lines if not line.startswith("#")], "run `make lock`"


def test_every_package_that_is_imported_is_asked_for() -> None:
    provides = packages_distributions() | {"dlib": ["dlib-bin"]}  # whose metadata do not name its module
    core = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}

    def absent(folder: str, asked: Iterable[str]) -> set[str]:
        return {
            name
            for name in imported(ROOT / folder)
            if not {canonicalize_name(one) for one in provides[name]} & {*asked}
        }

    assert absent("fersnet", core) == {"face_alignment", "starlette", "uvicorn"}, "extras"
    assert absent("workflow_scripts", DIRECT) == set()


def test_each_direct_dependency_has_its_licence_told() -> None:
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    table = text[text.index("## Packages") :]
    told = {canonicalize_name(name) for name in re.findall(r"^\| ([\w-]+) \|", table, flags=re.MULTILINE)} - {"package"}
    assert told == DIRECT.keys()


def test_no_tool_is_cited_that_the_project_does_without() -> None:
    assert {canonicalize_name(tool.package) for tool in TOOLS} <= DIRECT.keys()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the project and unpacked as an installer would."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md"):
        shutil.copy(ROOT / name, source / name)
    for name in ("fersnet", "workflow_scripts", "tests"):
        (source / name).symlink_to(ROOT / name)
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-c", build, str(dist)], cwd=source, check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    assert wheel.name == f"fersnet-{__version__}-py3-none-any.whl"
    place = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(installed: Path) -> None:
    metadata = f"fersnet-{__version__}.dist-info"
    assert {path.name for path in installed.iterdir()} == {"fersnet", metadata}
    ours = {str(path.relative_to(ROOT)) for path in (ROOT / "fersnet").rglob("*") if path.is_file()}
    packed = {str(path.relative_to(installed)) for path in (installed / "fersnet").rglob("*") if path.is_file()}
    assert packed == {path for path in ours if "__pycache__" not in path}
    assert {"LICENSE", "THIRD_PARTY.md"} <= {path.name for path in (installed / metadata / "licenses").iterdir()}


def test_the_wheel_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, fersnet; from pathlib import Path; assert Path(fersnet.__file__).is_relative_to(sys.argv.pop(1))\n"
        "from fersnet.report.html import write_report; from fersnet.report.description import describe\n"
        "from fersnet.settings.load import load_settings\n"
        "write_report(Path('report.html'), describe(load_settings({'preset': 'embedded'}, []), {}), [], [])\n"
        "from fersnet.methods.citations import references; assert 'fersnet' in references({}, [])\n"
        "from fersnet.cli import app; app()"
    )
    command = [sys.executable, "-c", code, str(installed), "render", "face", "--out", ".", "--expressions", "neutral"]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=300)
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "000_neutral.png", "landmarks.csv"}

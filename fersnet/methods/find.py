"""Finding methods and readers by name: those of the package by their place, a user's own by the config's `modules`."""

import ast
import hashlib
import importlib.util
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from fersnet.errors import UserError
from fersnet.methods.contract import Method, Reader, Recogniser, SynthesisSystem

CODE = "training"
"""The module of a folder that holds its functions."""


@dataclass(frozen=True)
class Found:
    """A method or reader, and where its code is."""

    key: str
    module: str
    """Dotted name in the package, or the path of a user's own file or folder."""
    declared: Method | Reader

    @property
    def own(self) -> bool:
        """Whether it is a user's own."""
        return is_path(self.module)


@dataclass(frozen=True)
class Known:
    """All methods and readers of a run, by key."""

    recognisers: Mapping[str, Found]
    systems: Mapping[str, Found]
    readers: Mapping[str, Found]


def find_known(modules: Mapping[str, str]) -> Known:
    """What the package has, and what the config brings in.

    Args:
        modules: The config's `modules`: paths by key, relative to the working directory.

    Raises:
        UserError: one line with the key, the file and the part for a file that is missing, cannot be imported, lacks a
            part of the contract or has a name that is taken.
    """
    folders = {
        Recogniser: _shipped("fersnet.baselines"),
        SynthesisSystem: _shipped("fersnet.rivals"),
        Reader: _shipped("fersnet.datasets.readers"),
    }
    found = {kind: {one.key: one for one in members} for kind, members in folders.items()}
    for key, path in modules.items():
        path = str(Path(path).expanduser())
        taken = [one for members in found.values() for one in members.values() if one.key == key]
        if taken:
            raise UserError(
                f"modules.{key}: {path}: the name {key!r} is taken by {taken[0].declared.name}; choose another"
            )
        declared = _checked(key, path)
        found[type(declared)][key] = Found(key, path, declared)
    return Known(found[Recogniser], found[SynthesisSystem], found[Reader])


@cache
def _shipped(package: str) -> tuple[Found, ...]:
    """The methods of a package are its folders; the readers of its package are its modules."""
    members = pkgutil.iter_modules(import_module(package).__path__)
    names = [member.name for member in members if member.ispkg or package.endswith("readers")]
    return tuple(Found(name, f"{package}.{name}", _declaration(import_module(f"{package}.{name}"))) for name in names)


def _declaration(module: ModuleType) -> Method | Reader:
    declared = getattr(module, "METHOD", None) or getattr(module, "READER", None)
    if not isinstance(declared, Recogniser | SynthesisSystem | Reader):
        raise UserError("it declares no METHOD (a Recogniser or SynthesisSystem) and no READER")
    return declared


def _checked(key: str, path: str) -> Method | Reader:
    """What a user's own file declares, after a look at every part of the contract."""
    try:
        declared = _declaration(load_module(path))
    except UserError as error:
        raise UserError(f"modules.{key}: {path}: {error}; see docs/extending.md") from None
    except Exception as error:
        # Whatever stands in the file may go wrong, and in any way.
        reason = (str(error).strip().splitlines() or [""])[0]
        raise UserError(f"modules.{key}: {path}: cannot be imported ({type(error).__name__}: {reason})") from None
    wanted = declared.functions
    if isinstance(declared, Method) and declared.trains_networks:
        wanted = (*wanted, "task", "stages")
    missing = [name for name in wanted if name not in _defined(_code_file(path))]
    if missing:
        kind = type(declared).__name__
        raise UserError(f"modules.{key}: {_code_file(path)}: a {kind} needs {missing[0]}(); see docs/extending.md")
    return declared


def is_path(module: str) -> bool:
    """Whether a module is named by its path, as a user's own is."""
    return module.endswith(".py") or "/" in module


def code_of(module: str) -> str:
    """Where the functions of a method or reader are: `training` in a folder, the module itself otherwise."""
    if is_path(module):
        return str(_code_file(module))
    spec = importlib.util.find_spec(module)
    return f"{module}.{CODE}" if spec is not None and spec.submodule_search_locations is not None else module


def load_code(module: str) -> ModuleType:
    """The module that holds the functions of a method or reader."""
    if not is_path(module):
        return import_module(code_of(module))
    loaded = load_module(module)
    return import_module(f"{loaded.__name__}.{CODE}") if Path(module).is_dir() else loaded


def load_module(module: str) -> ModuleType:
    """The module in which a method or reader declares itself."""
    if not is_path(module):
        return import_module(module)
    path = Path(module).resolve()
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"nothing is there; looked for {file}")
    name = f"own_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    places = [str(path)] if path.is_dir() else None
    specification = importlib.util.spec_from_file_location(name, file, submodule_search_locations=places)
    assert specification is not None and specification.loader is not None
    loaded = importlib.util.module_from_spec(specification)
    sys.modules[name] = loaded
    try:
        specification.loader.exec_module(loaded)
    except BaseException:
        del sys.modules[name]
        raise
    return loaded


def _code_file(path: str) -> Path:
    place = Path(path)
    return place / f"{CODE}.py" if place.is_dir() else place


def _defined(file: Path) -> set[str]:
    """Names that a file defines or imports at its top level, found without running it."""
    if not file.is_file():
        return set()
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names

"""Fingerprints of code: what a job's result depends on, and nothing else.

The fingerprint of a script covers its own syntax tree and those of the project's modules that it reaches through
imports. Comments, docstrings and layout do not count, so editing them reruns nothing; nor does the number of the
version, which names a state of the code and is no part of what it does.

Reading hundreds of files takes an eighth of a plan. So what was read of each is kept beside Snakemake's own records,
and holds for as long as the file, this one and Python are what they were.
"""

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from fersnet.project import PROJECT

PACKAGES = ("fersnet", "workflow_scripts")
KEPT = Path(".snakemake", "fersnet_code.json")
"""In the folder that a workflow runs in; without Snakemake's folder nothing is kept."""


@cache
def fingerprint(*starts: str) -> str:
    """Hash of the given modules and of all project modules they import, directly or not.

    Args:
        starts: Dotted names of the project's modules, or paths of a user's own file or folder, of which every Python
            file counts.

    Raises:
        FileNotFoundError: if a start is neither.
    """
    reached: set[str] = set()
    waiting = [name for start in starts for name in _files_of(start)]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        waiting.extend(_parsed(module)[1])
    _memory().keep()
    content = "\n".join(f"{module} {_parsed(module)[0]}" for module in sorted(reached))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _files_of(start: str) -> list[str]:
    folder = Path(start)
    return sorted(map(str, folder.rglob("*.py"))) if folder.is_dir() else [start]


@cache
def _parsed(module: str) -> tuple[str, frozenset[str]]:
    """The hash of a module's syntax tree without docstrings, and the project modules that it imports."""
    path = _path_of(module)
    if path is None:
        raise FileNotFoundError(f"no module {module} in the project")
    tree, imported = _memory().read(module, path.read_bytes())
    return tree, frozenset(name for name in imported if name.split(".")[0] in PACKAGES and _path_of(name))


class _Memory:
    """What was read of each module, by this process and by earlier ones."""

    def __init__(self) -> None:
        self.reader = hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).hexdigest()
        self.known: dict[str, tuple[str, str, list[str]]] = {}
        """Of a module: the hash of its bytes, and what `_read` makes of these."""
        self.changed = False
        # A file that is missing, damaged, or of another reader is as good as none.
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            found = json.loads(KEPT.read_text(encoding="utf-8"))
            if found["reader"] == self.reader:
                self.known = {
                    name: (str(of), str(tree), list(names)) for name, (of, tree, names) in found["known"].items()
                }

    def read(self, module: str, source: bytes) -> tuple[str, list[str]]:
        content = hashlib.sha256(source).hexdigest()
        if module not in self.known or self.known[module][0] != content:
            self.known[module], self.changed = (content, *_read(source)), True
        return self.known[module][1:]

    def keep(self) -> None:
        """Writes it down where there is news; who may not write there reads again the next time."""
        if not self.changed:
            return
        self.changed = False
        part = KEPT.with_name(f"{KEPT.name}.{os.getpid()}")
        with suppress(OSError):
            part.write_text(json.dumps({"reader": self.reader, "known": self.known}), encoding="utf-8")
            part.replace(KEPT)
        with suppress(OSError):
            part.unlink(missing_ok=True)


@cache
def _memory() -> _Memory:
    return _Memory()


def _read(source: bytes) -> tuple[str, list[str]]:
    """The hash of a source's syntax tree without docstrings, and the names of all that it may import."""
    tree = ast.parse(source)
    imported: set[str] = set()
    for node in _blocks_and_statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part) and not _is_version(part)]
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
            imported.update(f"{node.module}.{alias.name}" for alias in node.names)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), sorted(imported)


def _blocks_and_statements(tree: ast.AST) -> Iterator[ast.AST]:
    """A module, its statements, and theirs: all that may hold an import or a docstring, without the expressions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for block in ("body", "handlers", "orelse", "finalbody", "cases"):
            waiting.extend(getattr(node, block, ()))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_version(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__version__"]


@cache
def _path_of(module: str) -> Path | None:
    if module.endswith(".py"):
        own = Path(module)
        return own if own.is_file() else None
    base = PROJECT.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None

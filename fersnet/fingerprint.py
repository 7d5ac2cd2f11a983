"""Fingerprints of code: what a job's result depends on, and nothing else.

The fingerprint of a script covers its own syntax tree and those of the project's modules that it reaches through
imports. Comments, docstrings and layout do not count, so editing them reruns nothing; nor does the number of the
version, which names a state of the code and is no part of what it does.

Reading hundreds of files takes an eighth of a plan. So what was read of each is kept beside Snakemake's own records,
and holds for as long as the file, this one and Python are what they were.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fersnet.memory import recall, remember
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
    before = dict(_known())
    reached: set[str] = set()
    waiting = [name for start in starts for name in _files_of(start)]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        waiting.extend(_parsed(module)[1])
    if _known() != before and KEPT.parent.is_dir():
        remember(KEPT, _known())
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
    source, known = path.read_bytes(), _known()
    content = hashlib.sha256(_reader() + source).hexdigest()
    if known.get(module, [])[:1] != [content]:
        known[module] = [content, *_read(source)]
    _, tree, imported = known[module]
    return tree, frozenset(name for name in imported if name.split(".")[0] in PACKAGES and _path_of(name))


@cache
def _known() -> dict[str, list]:
    """By module: the hash of its bytes with their reader's, and what `_read` makes of them; of earlier calls, too."""
    return recall(KEPT)


@cache
def _reader() -> bytes:
    return Path(__file__).read_bytes() + sys.version.encode()


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

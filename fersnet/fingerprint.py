"""Fingerprints of code: what a job's result depends on, and nothing else.

The fingerprint of a script covers its own syntax tree and those of the project's modules that it reaches through
imports. Comments, docstrings and layout do not count, so editing them reruns nothing.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

from fersnet.project import PROJECT

PACKAGES = ("fersnet", "workflow_scripts")


@cache
def fingerprint(*starts: str) -> str:
    """Hash of the given modules (dotted names) and of all project modules they import, directly or not.

    Raises:
        FileNotFoundError: if a start is not a module of the project.
    """
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        waiting.extend(_parsed(module)[1])
    content = "\n".join(f"{module} {_parsed(module)[0]}" for module in sorted(reached))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@cache
def _parsed(module: str) -> tuple[str, frozenset[str]]:
    """The hash of a module's syntax tree without docstrings, and the project modules that it imports."""
    path = _path_of(module)
    if path is None:
        raise FileNotFoundError(f"no module {module} in the project")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
            imported.update(f"{node.module}.{alias.name}" for alias in node.names)
    project = frozenset(name for name in imported if name.split(".")[0] in PACKAGES and _path_of(name))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), project


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _path_of(module: str) -> Path | None:
    base = PROJECT.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None

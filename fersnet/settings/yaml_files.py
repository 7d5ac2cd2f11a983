"""The one way in which this project reads YAML: safely, quickly, and with no key given twice."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from fersnet.errors import UserError

MERGE = "tag:yaml.org,2002:merge"
SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
"""YAML 1.1 reads `1e-4` (no dot) as text; what looks like a number in scientific notation is meant as one."""

# The C library's loader is ten times as fast as the other, which is there everywhere.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: Path) -> dict[str, Any]:
    """The content of a config file.

    Raises:
        UserError: for a missing file, broken YAML, a file that is no mapping, or a key that a mapping has twice.
    """
    try:
        content = _parse(file, file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); check the path given to --configfile") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{file}{place}: not valid YAML ({getattr(error, 'problem', None) or error})") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f"{file}: must hold `key: value` lines, found {type(content).__name__}")
    return content


def read_scalar(text: str) -> bool | int | float | str | None:
    """What a text is as an unquoted value in a config file: a number, a truth value, null, or itself."""
    if SCIENTIFIC.fullmatch(text):
        return float(text)
    try:
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        return text
    return value if value is None or isinstance(value, bool | int | float) else text


def _parse(file: Path, text: str) -> Any:
    loader = _Loader(_without_tabs(text))
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        for key, first, second in _twice(root, set()):
            place = f"line {first}" if first == second else f"lines {first} and {second}"
            raise UserError(f"{file}, {place}: the key {key!r} is given twice; keep one of them")
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _without_tabs(text: str) -> str:
    """JSON is YAML but for the tabs with which it may be indented."""
    try:
        json.loads(text)
    except ValueError:
        return text
    return text.expandtabs()


def _twice(node: yaml.Node, seen: set[int]) -> Iterator[tuple[str, int, int]]:
    """Keys that stand twice in one mapping, with both lines.

    Nodes are looked at before `<<` is resolved: a key beside a merged mapping that has it too is no repetition.
    """
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                line = key.start_mark.line + 1
                if key.value in lines:
                    yield key.value, lines[key.value], line
                lines[key.value] = line
            yield from _twice(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _twice(value, seen)

"""From config files to validated settings, with messages a user can act on."""

import difflib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from fersnet.errors import UserError
from fersnet.methods.contract import Reader
from fersnet.methods.find import Known, find_known
from fersnet.settings.presets import merged, preset
from fersnet.settings.tree import Settings, settings_type

SCIENTIFIC = re.compile(r"^[+-]?\d+(\.\d*)?[eE][+-]?\d+$")
"""YAML 1.1 reads `1e-4` (no dot) as text; what looks like a number in scientific notation is meant as one."""


def load_settings(config: dict[str, Any], files: Sequence[Path]) -> Settings:
    """Validate the merged config of a run, laid over its preset.

    Args:
        config: The merged tree, as Snakemake hands it over.
        files: The config files it was merged from, last one strongest; only used to name the file in messages.

    Raises:
        UserError: one line per problem: the key, the file it stands in, what is wrong, and the nearest valid key.
    """
    tree = _normalised(config)
    modules = tree.get("modules")
    known = find_known(modules if isinstance(modules, dict) else {})
    kind = settings_type(known)
    tree = _completed(_normalised(merged(preset(tree.get("preset", "published"), known), tree)), known)
    try:
        return kind.model_validate_json(json.dumps(tree))
    except ValidationError as error:
        lines = [_describe(problem, files, kind) for problem in error.errors(include_url=False)]
        raise UserError("\n".join(dict.fromkeys(lines))) from None


def _completed(tree: dict[str, Any], known: Known) -> dict[str, Any]:
    """The tree without its null entries, with the readers' classes where a dataset names none, and with the methods of
    `modules` in the run."""
    for collection in ("datasets", "variants"):
        if isinstance(tree.get(collection), dict):
            tree[collection] = {key: value for key, value in tree[collection].items() if value is not None}
    sections = tree.get("datasets")
    for section in sections.values() if isinstance(sections, dict) else ():
        found = known.readers.get(section.get("reader")) if isinstance(section, dict) else None
        if found is not None and isinstance(found.declared, Reader) and section.get("expressions") is None:
            section["expressions"] = list(found.declared.classes)
    for option, methods in (("rivals", known.systems), ("baselines", known.recognisers)):
        listed = tree.get(option, {}).get("methods") if isinstance(tree.get(option), dict) else None
        if isinstance(listed, list):
            listed += [key for key, found in methods.items() if found.own and key not in listed]
    return tree


def read_config(files: Sequence[Path]) -> dict[str, Any]:
    """Merge config files the way Snakemake does: later files win, key by key.

    Raises:
        UserError: for a missing file, broken YAML, or a file that is not a mapping.
    """
    tree: dict[str, Any] = {}
    for file in files:
        tree = merged(tree, _read_yaml(file))
    return tree


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
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


def _normalised(config: Any) -> Any:
    if isinstance(config, dict):
        return {str(key): _normalised(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [_normalised(value) for value in config]
    if isinstance(config, str) and SCIENTIFIC.match(config):
        return float(config)
    if config is None or isinstance(config, bool | int | float | str):
        return config
    return str(config)


def _describe(problem: Any, files: Sequence[Path], kind: type[Settings]) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    file = _file_of(location, files)
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _valid_keys(kind, location[:-1]), n=1, cutoff=0.4)
        hint = f"; did you mean {'.'.join([*location[:-1], near[0]])!r}?" if near else ""
        return f"{file}: unknown key {key!r}{hint}"
    if problem["type"] == "missing":
        return f"{file}: the key {key!r} is missing"
    if problem["type"] == "literal_error":
        choices = problem["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        near = difflib.get_close_matches(str(problem["input"]), choices, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{file}: {key}: {problem['input']!r} is not one of {', '.join(choices)}{hint}"
    if problem["type"] == "value_error":
        return f"{file}: {key + ': ' if key else ''}{message}"
    return f"{file}: {key}: {message[0].lower() + message[1:]} (found {problem['input']!r})"


def _file_of(location: Sequence[str], files: Sequence[Path]) -> str:
    for file in reversed(files):
        node: Any = _read_yaml(file)
        for part in location:
            if isinstance(node, dict) and part in node:
                node = node[part]
            elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
                node = node[int(part)]
            else:
                break
        else:
            if location:
                return str(file)
    return "--config" if location and files else ", ".join(map(str, files)) or "config"


def _valid_keys(kind: type[Settings], location: Sequence[str]) -> list[str]:
    annotation: Any = kind
    for part in location:
        fields = getattr(annotation, "model_fields", None)
        # Below a mapping of sections stands its values' type.
        annotation = get_args(annotation)[-1] if fields is None else fields[part].annotation
    return list(getattr(annotation, "model_fields", ()))

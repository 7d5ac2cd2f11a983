"""From config files to validated settings, with messages a user can act on."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from fersnet.errors import UserError
from fersnet.methods.contract import Reader
from fersnet.methods.find import Known, find_known
from fersnet.project import config_files
from fersnet.settings.kinds import settings_type
from fersnet.settings.presets import merged, preset
from fersnet.settings.texts import NOT_GIVEN, below, converted
from fersnet.settings.tree import Settings
from fersnet.settings.utility import UtilitySettings
from fersnet.settings.yaml_files import read_yaml

COMMAND_LINE = "--config"
DOTTED = re.compile(r"[a-z]\w*(?:\.\w+)+")
"""A key in a message."""


def load_settings(
    config: Mapping[str, Any] | None = None,
    files: Sequence[str | Path] = (),
    command_line: Mapping[str, Any] | None = None,
) -> Settings:
    """Validate the merged config of a run, laid over its preset.

    Args:
        config: The merged tree, as Snakemake hands it over; None merges the files over the config of a run that names
            none.
        files: The config files it was merged from, last one strongest; for what a merged tree does not show: keys that
            are given twice, and the file to name in a message.
        command_line: What came by `--config`, which is stronger than any file.

    Raises:
        UserError: one line per problem: the key, the file it stands in, what is wrong, and the nearest valid key.
    """
    files = [*(config_files() if config is None else ()), *map(Path, files)]
    config = read_config(files) if config is None else config
    sources = {str(file): read_yaml(file) for file in files if file.is_file()} | {COMMAND_LINE: command_line or {}}
    modules = below(config, "modules")
    known = find_known({str(key): str(path) for key, path in modules.items()} if isinstance(modules, Mapping) else {})
    kind = settings_type(known)
    given = converted(config, kind, command_line or {})
    tree = _completed(merged(preset(str(given.get("preset", "published")), known), given), known)
    try:
        return kind.model_validate_json(json.dumps(tree))
    except ValidationError as error:
        lines = [_describe(problem, sources, kind) for problem in error.errors(include_url=False)]
        raise UserError("\n".join(dict.fromkeys(lines))) from None


def read_dump(tree: Mapping[str, Any]) -> Settings:
    """The settings of which a tree is the dump; no preset stands under it, which would bring back what is left out."""
    kind = settings_type(find_known(dict(tree["modules"])))
    return kind.model_validate_json(json.dumps(tree))


def _completed(tree: dict[str, Any], known: Known) -> dict[str, Any]:
    """The tree without its null entries and optional sets that are not there, with the readers' classes where a dataset
    names none, with the methods of `modules` in the run, and without a comparison whose variant is not there."""
    for collection in ("datasets", "variants"):
        if isinstance(tree.get(collection), dict):
            tree[collection] = {key: value for key, value in tree[collection].items() if value is not None}
    utility, variants = tree.get("utility", {}), tree.get("variants")
    if isinstance(utility, dict) and isinstance(variants, dict) and UtilitySettings().method not in variants:
        # Who takes that variant out need not know what else is made of it.
        tree["utility"] = {"method": None} | utility
    for key in absent_sets(tree):
        _leave_out(tree, key)
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


def absent_sets(tree: Mapping[str, Any]) -> list[str]:
    """The datasets of a config that may be missing, and are.

    Raises:
        UserError: if nothing else is left.
    """
    sections = below(tree, "datasets")
    given = {key: value for key, value in sections.items() if value is not None} if isinstance(sections, dict) else {}
    absent = [key for key, section in given.items() if _is_absent(section)]
    if absent and len(absent) == len(given):
        raise UserError(
            f"datasets: none of {', '.join(absent)} is at its `root`; `fersnet fetch` gets some and says how to "
            "get others"
        )
    return absent


def _is_absent(section: Any) -> bool:
    root = below(section, "root")
    return below(section, "optional") is True and isinstance(root, str) and not Path(root).expanduser().exists()


def _leave_out(tree: dict[str, Any], dataset: str) -> None:
    """Take a dataset out of the tree, and out of what names it."""
    del tree["datasets"][dataset]
    for comparison in ("synthesis", "utility"):
        compared = below(below(tree, comparison), "datasets")
        if isinstance(compared, list) and dataset in compared:
            compared.remove(dataset)
    lists = below(below(tree, "folds"), "lists")
    if isinstance(lists, dict):
        lists.pop(dataset, None)


def read_config(files: Sequence[Path]) -> dict[str, Any]:
    """Merge config files the way Snakemake does: later files win, key by key.

    Raises:
        UserError: for a missing file, broken YAML, a file that is not a mapping, or a key that is given twice.
    """
    tree: dict[str, Any] = {}
    for file in files:
        tree = merged(tree, read_yaml(file))
    return tree


def _describe(problem: Any, sources: Mapping[str, Any], kind: type[Settings]) -> str:
    location = [str(part) for part in problem["loc"] if part != "[key]"]
    key = ".".join(location)
    message = problem["msg"].removeprefix("Value error, ")
    given = dict.fromkeys(filter(None, (_source_of(path, sources) for path in _keys_of(location, message))))
    place = ", ".join(given or [source for source in sources if source != COMMAND_LINE]) or "config"
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _valid_keys(kind, location[:-1]), n=1, cutoff=0.4)
        hint = f"; did you mean {'.'.join([*location[:-1], near[0]])!r}?" if near else ""
        return f"{place}: unknown key {key!r}{hint}"
    if problem["type"] == "missing":
        return f"{place}: the key {key!r} is missing"
    if problem["type"] == "literal_error":
        choices = problem["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        near = difflib.get_close_matches(str(problem["input"]), choices, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{place}: {key}: {problem['input']!r} is not one of {', '.join(choices)}{hint}"
    if problem["type"] == "value_error":
        return f"{place}: {key + ': ' if key else ''}{message}"
    return f"{place}: {key}: {message[0].lower() + message[1:]} (found {problem['input']!r})"


def _keys_of(location: list[str], message: str) -> list[list[str]]:
    """The keys that a problem is about: its own, or those that a rule between sections names."""
    # What a section finds wrong in its parts begins with the key, below its own.
    first = [*location, *message.partition(": ")[0].split(".")]
    return [first] if location else [first, *(key.split(".") for key in DOTTED.findall(message))]


def _source_of(location: Sequence[str], sources: Mapping[str, Any]) -> str:
    """Where a value comes from: the strongest source that reaches deepest into its key; empty where none does."""
    found, deepest = "", 0
    for source, node in sources.items():
        depth = 0
        for part in location:
            node = below(node, part)
            if node is NOT_GIVEN:
                break
            depth += 1
        if depth and depth >= deepest:
            found, deepest = source, depth
    return found


def _valid_keys(kind: type[Settings], location: Sequence[str]) -> list[str]:
    annotation: Any = kind
    for part in location:
        fields = getattr(annotation, "model_fields", None)
        # Below a mapping of sections stands its values' type.
        annotation = get_args(annotation)[-1] if fields is None else fields[part].annotation
    return list(getattr(annotation, "model_fields", ()))

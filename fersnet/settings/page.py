"""The page of all settings and their JSON schema, written from the types by `fersnet settings`."""

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fersnet.methods.find import find_known
from fersnet.settings.kinds import settings_type
from fersnet.settings.load import load_settings
from fersnet.settings.meanings import meanings

HEADER = """\
# All settings

For everyone who changes a run. Written from the settings' types by `fersnet settings`; a test fails when it drifts.

A config file holds what differs from its `preset`: `published`, the values of the papers, or `embedded`, which lays
a run that a laptop manages over them. Later files win, key by key, and `--config key=value` wins over all.
A value that the embedded preset leaves as published is shown once.
"""


def settings_page() -> str:
    """`docs/settings.md`: every key with its type, its value in both presets and its meaning, a table a section."""
    presets = [load_settings({"preset": name}, []) for name in ("published", "embedded")]
    lines = [HEADER]
    for key, kind, sections in _sections("", settings_type(find_known({})), presets):
        heading = f"`{key}`" if key else "The run"
        lines += [f"## {heading}", "", " ".join((kind.__doc__ or "").split("\n\n")[0].split()), ""]
        lines += ["| key | type | published | embedded | meaning |", "| --- | --- | --- | --- | --- |"]
        texts = meanings(kind)
        lines += [
            _row(name, field, texts[name], sections)
            for name, field in kind.model_fields.items()
            if not _is_section(field)
        ]
        lines.append("")
    return "\n".join(lines)


def json_schema() -> str:
    """`config/schemas/config.schema.json`: the settings for editors that check YAML while it is written.

    A file states what differs from its preset, so that no key is required; null takes a dataset or variant out.
    """
    settings = settings_type(find_known({}))
    schema = _optional(settings.model_json_schema())
    for path, kind, _ in _sections("", settings, None):
        properties = (schema["$defs"][kind.__name__] if path else schema)["properties"]
        for key, text in meanings(kind).items():
            properties[key]["description"] = text
    for name in ("datasets", "variants"):
        entries = schema["properties"][name]["patternProperties"]
        entries |= {pattern: {"anyOf": [entry, {"type": "null"}]} for pattern, entry in entries.items()}
    for name in ("RivalsSettings", "BaselinesSettings"):
        # A method of the user's own has its section there, too.
        schema["$defs"][name]["additionalProperties"] = {"type": "object"}
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def _optional(node: Any) -> Any:
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if key != "required" and not _is_title(key, value)}
        return {key: _optional(value) for key, value in kept.items()}
    return [_optional(part) for part in node] if isinstance(node, list) else node


def _is_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)


def _sections(
    path: str, kind: type[BaseModel], values: list[Any] | None
) -> Iterator[tuple[str, type[BaseModel], list[BaseModel] | None]]:
    yield path, kind, values
    for name, field in kind.model_fields.items():
        key = f"{path}.{name}" if path else name
        if _is_section(field):
            below = [getattr(value, name) for value in values] if values else None
            yield from _sections(key, field.annotation, below)  # type: ignore[arg-type]
        elif get_origin(field.annotation) is dict and _is_model(get_args(field.annotation)[1]):
            yield from _sections(f"{key}.<name>", get_args(field.annotation)[1], None)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_section(field: FieldInfo) -> bool:
    return _is_model(field.annotation)


def _row(name: str, field: FieldInfo, text: str, sections: list[BaseModel] | None) -> str:
    if sections is None:
        default = field.get_default(call_default_factory=True)
        published, embedded = ("needed" if field.is_required() else _text(default)), ""
    else:
        published, embedded = (_text(getattr(section, name)) for section in sections)
    meaning = " ".join(text.split()).replace("|", "\\|")
    cells = (f"`{name}`", _type(field.annotation), published, "" if embedded == published else embedded, meaning)
    return f"| {' | '.join(cells)} |"


def _text(value: Any) -> str:
    plain = json.loads(json.dumps(value, default=lambda part: part.model_dump(mode="json")))
    if isinstance(plain, dict):
        return ", ".join(f"`{key}`" for key in plain) or "none"
    if isinstance(plain, list):
        return ", ".join(f"`{json.dumps(part)}`" for part in plain) or "none"
    return f"`{json.dumps(plain)}`".replace('"', "")


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if not arguments:
        return {"int": "whole number", "float": "number", "str": "text", "bool": "true or false"}.get(
            getattr(annotation, "__name__", ""), "any"
        )
    if str(origin) == "typing.Literal":
        return "one of " + ", ".join(f"`{part}`" for part in arguments)
    if origin is tuple:
        inner = _type(arguments[0])
        return f"list of {inner}" if arguments[-1] is Ellipsis else f"{len(arguments)} of {inner}"
    if origin is dict:
        return "entries by name"
    if hasattr(annotation, "__metadata__"):
        return _type(arguments[0])
    return " or ".join(dict.fromkeys(_type(part) for part in arguments))

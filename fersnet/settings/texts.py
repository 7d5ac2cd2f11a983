"""Numbers, truth values and null that arrive as text, made what the type of their key wants.

Snakemake hands everything below the first level of `--config` over as text, quoted there or not; and YAML 1.1 takes
`1e-4` for text in files as well. A text stays one wherever the key takes text: a subject `007`, a name, a path.
"""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from fersnet.settings.yaml_files import SCIENTIFIC, read_scalar

NOT_GIVEN = object()


def converted(value: Any, kind: Any, given: Any = NOT_GIVEN) -> Any:
    """A part of the config with its texts made what they stand for.

    Args:
        value: The part, of plain mappings, lists and scalars.
        kind: Its type in the settings.
        given: The same part of what came by `--config`, or NOT_GIVEN.
    """
    kinds = _alternatives(kind)
    if isinstance(value, Mapping):
        return {
            str(key): converted(part, _kind_below(kinds, str(key)), below(given, str(key)))
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            converted(part, _kind_below(kinds, position), below(given, position)) for position, part in enumerate(value)
        ]
    if isinstance(value, str):
        return _read(value, kinds, given is not NOT_GIVEN)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def below(node: Any, key: str | int) -> Any:
    """The entry of a mapping (whose keys may be numbers in the file) or list, or NOT_GIVEN."""
    if isinstance(node, Mapping):
        return next((part for name, part in node.items() if str(name) == str(key)), NOT_GIVEN)
    if isinstance(node, list | tuple) and str(key).isdigit() and int(key) < len(node):
        return node[int(key)]
    return NOT_GIVEN


def _read(text: str, kinds: tuple[Any, ...], by_command_line: bool) -> Any:
    if not by_command_line and not SCIENTIFIC.fullmatch(text):
        return text
    value = read_scalar(text)
    scalars = {kind if isinstance(kind, type) else type(kind) for kind in kinds}
    return value if str not in scalars or type(value) in scalars else text


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types that a key takes, and the values of a Literal."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _alternatives(get_args(kind)[0])
    if origin in (Union, UnionType):
        return tuple(member for part in get_args(kind) for member in _alternatives(part))
    if origin is Literal:
        return get_args(kind)
    return (NoneType if kind is None else kind,)


def _kind_below(kinds: tuple[Any, ...], key: str | int) -> Any:
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and key in kind.model_fields:
            return kind.model_fields[str(key)].annotation
        parts = get_args(kind)
        if get_origin(kind) is dict and isinstance(key, str):
            return parts[1]
        if get_origin(kind) in (tuple, list) and isinstance(key, int):
            return parts[0] if parts[-1] is Ellipsis or get_origin(kind) is list else parts[min(key, len(parts) - 1)]
    return Any

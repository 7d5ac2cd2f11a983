"""What the keys of the settings mean: the texts that stand below them in the source.

Pydantic could keep them with each field; but every job reads settings and none reads these, and looking for them in the
source took a third of the time in which settings are read.
"""

import ast
import inspect
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel


def meanings(kind: type[BaseModel]) -> dict[str, str]:
    """By key, the text below it in its class or in one that this inherits from, or else the field's own description."""
    found = {key: field.description for key, field in kind.model_fields.items() if field.description}
    for base in reversed(kind.__mro__):
        found |= _of_class(base) if issubclass(base, BaseModel) else {}
    return {key: found[key] for key in kind.model_fields if key in found}


def _of_class(kind: type) -> dict[str, str]:
    try:
        (definition,) = ast.parse(dedent(inspect.getsource(kind))).body
    except OSError:  # made while the program runs, of classes that have their source
        return {}
    texts = {}
    for part, below in pairwise(definition.body):  # type: ignore[attr-defined]
        if isinstance(part, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            texts[ast.unparse(part.target)] = inspect.cleandoc(below.value.value)
    return texts

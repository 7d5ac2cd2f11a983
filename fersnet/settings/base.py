"""What every section of the settings has in common."""

import os
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_NAME = r"^[a-z0-9][a-z0-9_]*$"


def _is_name(value: Any) -> Any:
    """A name stands in file names and tables, where no reader may take it for a number or a missing value."""
    if isinstance(value, str) and re.fullmatch(_NAME, value) and value not in ("true", "false", "null"):
        try:
            float(value)
        except ValueError:
            return value
    raise ValueError(
        f"{value!r} is no name: one consists of small letters a to z, digits and `_`, begins with a letter or digit, "
        "and is no number, truth value or null; e.g. run_2026"
    )


Fraction = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(pattern=_NAME), BeforeValidator(_is_name)]
"""The name of a run, or the key of a dataset or variant."""
UserPath = Annotated[str, AfterValidator(os.path.expanduser)]
"""A path as a user writes it, with `~` for the home folder; everybody else sees the folder that is meant."""


class Section(BaseModel):
    """A section of the settings: immutable, strict about types, and closed to unknown keys.

    Below every field stands what it means; the page of all settings and the JSON schema are made from these texts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

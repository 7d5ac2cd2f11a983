"""What every section of the settings has in common."""

import os
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
UserPath = Annotated[str, AfterValidator(os.path.expanduser)]
"""A path as a user writes it, with `~` for the home folder; everybody else sees the folder that is meant."""


class Section(BaseModel):
    """A section of the settings: immutable, strict about types, and closed to unknown keys.

    Every field carries a description; the commented default YAML and the JSON schema are made from them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

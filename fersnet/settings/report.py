"""Settings of the tables, the figures and the report."""

import unicodedata
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field

from fersnet.settings.base import Name, PositiveInt, Section

# Source: the CK+ agreement as quoted by one of its users: only these subjects may appear in print or in an
# electronic reproduction, each with the note "©Jeffrey Cohn". Check it against your own copy of the agreement.
CKPLUS_CONSENT: tuple[str, ...] = (
    "S052",
    "S055",
    "S074",
    "S106",
    "S111",
    "S113",
    "S121",
    "S124",
    "S125",
    "S130",
    "S132",
)


class ReportSettings(Section):
    """Tables, figures and the report page."""

    bootstrap_samples: Annotated[int, Field(ge=100)] = 10000
    """Bootstrap samples (of subjects) behind every interval."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Confidence level of the intervals."""
    # In Unicode's composed form, as the subjects of the folds are.
    chosen_subjects: dict[str, tuple[Annotated[str, AfterValidator(partial(unicodedata.normalize, "NFC"))], ...]] = (
        Field(default={})
    )
    """Test subjects to show in the synthesis grids, by dataset; one that is not named shows its first two subjects."""
    random_subjects: Annotated[int, Field(ge=0)] = 2
    """Randomly drawn test subjects shown beside the chosen ones."""
    ckplus_consent: tuple[str, ...] = CKPLUS_CONSENT
    """CK+ subjects who may be shown in print or electronically (CK+ agreement, with the note "©Jeffrey Cohn").

    Applies to every figure with faces when the CK+ data are a licensed copy; embedded faces are free.
    """
    permitted: tuple[Name, ...] = ()
    """Datasets, by key, whose owner has permitted you to show faces; for those whose terms allow it to nobody else.

    Oulu-CASIA, MMI, BU-4DFE, KDEF and eNTERFACE'05 are such sets: look into your agreement, or ask.
    """
    dpi: PositiveInt = 300
    """Resolution of the raster figures, in dots per inch."""

"""What the paper says as comparisons, read from `config/claims.csv`: which method is better than which, by how much.

Snakemake reads these for every job, so no data frame is needed for it.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fersnet.errors import UserError
from fersnet.settings.quoted import quoted_keys
from fersnet.settings.tree import Settings

COLUMNS = ("statement", "method", "better_than", "dataset", "figure", "paper_difference")
RECOGNITION, SYNTHESIS = "recognition", "synthesis"
"""The figures that claims are about: accuracy on real test faces, and what a judge reads in synthetic ones."""
_WAY_OUT = "put it right, or restore the file from the repository"


@dataclass(frozen=True)
class Claim:
    """One comparison of the paper's."""

    statement: str
    """What it stands for; the claims of one statement follow each other."""
    method: str
    better_than: str
    dataset: str
    figure: str
    """`recognition` or `synthesis`."""
    paper_difference: float
    """In points of percent."""


def read_claims(path: Path) -> tuple[Claim, ...]:
    """The claims of a file.

    Raises:
        UserError: naming the line, if the file is missing, lacks a column, or says something that is no claim.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; restore it from the repository") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a readable CSV file ({error})") from None
    claims = []
    for line, row in enumerate(rows, start=2):
        try:
            values = {column: (row[column] or "").strip() for column in COLUMNS}
        except KeyError as error:
            raise UserError(f"{path}: column {error} is missing; {_WAY_OUT}") from None
        claims.append(_claim(values, f"{path}: line {line}"))
    return tuple(claims)


def _claim(values: dict[str, str], place: str) -> Claim:
    if values["figure"] not in (RECOGNITION, SYNTHESIS):
        raise UserError(f"{place}: figure {values['figure']!r} is not one of {RECOGNITION}, {SYNTHESIS}; {_WAY_OUT}")
    try:
        difference = float(values.pop("paper_difference"))
    except ValueError:
        raise UserError(f"{place}: paper_difference is no number; {_WAY_OUT}") from None
    if values["method"] == values["better_than"]:
        raise UserError(f"{place}: {values['method']!r} is compared with itself; {_WAY_OUT}")
    return Claim(**values, paper_difference=difference)


def claim_problems(claims: Sequence[Claim], path: Path, settings: Settings) -> Iterator[str]:
    """A line for every method or dataset that neither the run, nor the project, nor the paper knows."""
    methods, datasets = quoted_keys()
    known = settings.known
    methods |= {*settings.variants, *known.systems, *known.recognisers}
    datasets |= set(settings.datasets)
    for line, claim in enumerate(claims, start=2):
        for column, key, names in (
            ("method", claim.method, methods),
            ("better_than", claim.better_than, methods),
            ("dataset", claim.dataset, datasets),
        ):
            if key not in names:
                yield f"{path}: line {line}: {column} {key!r} is unknown; have {', '.join(sorted(names))}"

"""Ranges of settings, from which a search draws."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from fersnet.errors import UserError

DIGITS = 3
"""Significant digits of a drawn number: more would say nothing, and would not be read."""


@dataclass(frozen=True)
class Numbers:
    """Numbers between two bounds, both of them included.

    Raises:
        UserError: if there is none, or the logarithm of one is wanted that has none.
    """

    low: float
    high: float
    log: bool = False
    """Drawn evenly by size, so that 0.001 to 0.01 is as likely as 0.01 to 0.1."""
    whole: bool = False
    """Whole numbers only."""

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise UserError(f"an empty range, {self.low:g} to {self.high:g}; put the smaller bound first")
        if self.log and self.low <= 0:
            raise UserError(f"a range by size cannot begin at {self.low:g}; begin above 0, or leave out `log`")
        if self.whole and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise UserError(f"a range of whole numbers, {self.low:g} to {self.high:g}, needs whole bounds")

    def at(self, share: float) -> float | int:
        """The value below which this share of the range lies; `share` is in [0, 1)."""
        # Whole numbers are as likely as each other: each is the floor of a stretch of one.
        high = self.high + 1 if self.whole else self.high
        value = self.low * (high / self.low) ** share if self.log else self.low + share * (high - self.low)
        if self.whole:
            return min(int(value), int(self.high))
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def __contains__(self, value: Any) -> bool:
        return self.low <= value <= self.high and (not self.whole or float(value).is_integer())

    def __str__(self) -> str:
        kind = ", ".join(word for word, said in (("whole", self.whole), ("by size", self.log)) if said)
        return f"{self.low:g} to {self.high:g}" + (f" ({kind})" if kind else "")


@dataclass(frozen=True)
class OneOf:
    """Some values, each as likely as the others.

    Raises:
        UserError: if there is none.
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise UserError("an empty range; give values to choose from, or leave the key out")

    def at(self, share: float) -> Any:
        """The value below which this share of the range lies; `share` is in [0, 1)."""
        return self.values[int(share * len(self.values))]

    def __contains__(self, value: Any) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


Range: TypeAlias = Numbers | OneOf

"""Facial action units: intensity grades, the prototypes of the seven expressions, and the two sides of the face.

The prototypes follow the emotion predictions of the FACS Investigator's Guide (Ekman, Friesen and Hager, 2002). Sources
disagree on disgust, anger and fear, so every expression has variants, and a performance draws among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

GRADES: dict[str, float] = {"A": 0.15, "B": 0.3, "C": 0.5, "D": 0.75, "E": 1.0}
"""Strength of the five FACS intensity grades, on a scale where 1 is the maximum."""

UNITS: tuple[int, ...] = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 23, 24, 25, 26, 27, 43)
"""Every action unit that the renderer can show."""

Unit = int | str
"""An action unit on both sides of the face (`12`), or on one (`"12L"`, `"12R"`: the left or right of the image)."""


@dataclass(frozen=True)
class Variant:
    """One way to show an expression: action units with their grades, added to the core of the prototype."""

    weight: float
    """Relative frequency."""
    units: Mapping[Unit, str]
    """Grade per unit; replaces the grade of the core where both name a unit."""
    removed: tuple[Unit, ...] = ()
    """Units of the core that this variant does without."""


@dataclass(frozen=True)
class Prototype:
    """An expression: the units that make it, the one it cannot do without, and its variants."""

    core: Mapping[Unit, str]
    key: Unit
    """The unit without which the expression is no longer read."""
    variants: tuple[Variant, ...]


PROTOTYPES: dict[str, Prototype] = {
    "anger": Prototype(
        core={4: "D", 5: "B", 7: "C", 23: "C"},
        key=4,
        variants=(
            Variant(0.4, {24: "C"}),
            Variant(0.25, {17: "B", 24: "B"}),
            Variant(0.2, {4: "E"}),
            Variant(0.15, {24: "C", 17: "B"}, removed=(23,)),
        ),
    ),
    "contempt": Prototype(
        core={12: "A", 14: "B"},
        key=14,
        variants=(Variant(0.35, {14: "C"}), Variant(0.65, {12: "B", 14: "C"})),
    ),
    "disgust": Prototype(
        core={9: "D", 16: "B", 15: "B", 25: "C"},
        key=9,
        variants=(
            Variant(0.45, {10: "C", 26: "A"}),
            Variant(0.3, {9: "E", 10: "C", 26: "A"}),
            Variant(0.25, {9: "E", 10: "C", 15: "A", 6: "B", 25: "D"}),
        ),
    ),
    "fear": Prototype(
        core={1: "D", 2: "C", 4: "C", 5: "E", 20: "D", 26: "A"},
        key=20,
        variants=(
            Variant(0.45, {25: "D"}),
            Variant(0.3, {20: "E", 25: "C"}),
            Variant(0.25, {7: "A", 25: "C", 26: "B"}),
        ),
    ),
    "happiness": Prototype(
        core={6: "C", 12: "D"},
        key=12,
        variants=(Variant(0.65, {25: "D"}), Variant(0.2, {25: "D", 26: "A"}), Variant(0.15, {12: "E", 25: "C"})),
    ),
    "sadness": Prototype(
        core={1: "C", 4: "B", 15: "C"},
        key=1,
        variants=(Variant(0.45, {17: "B"}), Variant(0.3, {1: "D", 17: "B"}), Variant(0.25, {1: "D", 15: "D"})),
    ),
    "surprise": Prototype(
        core={1: "D", 2: "D", 5: "A", 26: "D", 25: "A"},
        key=26,
        variants=(Variant(0.6, {}), Variant(0.4, {27: "C"}, removed=(26,))),
    ),
}
"""The seven expressions. The units of contempt act on one side of the face, drawn at random."""


def side_strengths(action_units: Mapping[Unit, float]) -> dict[int, tuple[float, float]]:
    """Strength of every unit on the left and the right of the image.

    Raises:
        ValueError: if a key names no known unit.
    """
    sides: dict[int, list[float]] = {}
    for unit, strength in action_units.items():
        text = str(unit).strip().upper()
        side = text[-1:] if text[-1:] in ("L", "R") else ""
        digits = text.removesuffix(side) if side else text
        if not digits.isdecimal() or int(digits) not in UNITS:
            known = ", ".join(map(str, UNITS))
            raise ValueError(f"unknown action unit {unit!r}; known are {known}, each with L or R for one side")
        pair = sides.setdefault(int(digits), [0.0, 0.0])
        if side != "R":
            pair[0] += float(strength)
        if side != "L":
            pair[1] += float(strength)
    return {unit: (pair[0], pair[1]) for unit, pair in sides.items()}

"""How a person shows an expression once, and how the camera sees it: everything random about a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from fersnet.embedded.action_units import GRADES, PROTOTYPES, Prototype, Unit
from fersnet.embedded.identity import Identity
from fersnet.embedded.view import View
from fersnet.expressions import SEVEN
from fersnet.seeds import derive_seed

NEUTRAL = "neutral"
DISTRACTORS: tuple[Unit, ...] = (2, 14, 17, 18, 24, 43, "1L", "2R", "14L", "14R")
"""Units that may accompany any expression without belonging to it."""


@dataclass(frozen=True)
class Performance:
    """One showing of an expression by one person."""

    expression: str
    strengths: Mapping[Unit, float]
    """Strength of each unit at the apex; the grades' scale."""
    onsets: Mapping[Unit, float]
    """Delay of each unit, 0 to 0.25 of the rise."""
    turn: tuple[float, float, float]
    """Yaw, pitch and roll in degrees that the head adds at the apex."""

    def action_units(self, amount: float) -> dict[Unit, float]:
        """Strengths at a moment of the rise: amount 0 is neutral, 1 the apex. Every unit rises monotonically."""
        amount = float(np.clip(amount, 0.0, 1.0))
        return {
            unit: strength * float(np.clip((amount - self.onsets[unit]) / (1.0 - self.onsets[unit]), 0.0, 1.0))
            for unit, strength in self.strengths.items()
        }

    def turned(self, view: View, amount: float) -> View:
        """The view with the head movement of that moment added."""
        yaw, pitch, roll = (amount * angle for angle in self.turn)
        return replace(view, yaw=view.yaw + yaw, pitch=view.pitch + pitch, roll=view.roll + roll)


def _graded_units(prototype: Prototype, rng: np.random.Generator, jitter: float) -> dict[Unit, float]:
    weights = np.array([variant.weight for variant in prototype.variants])
    variant = prototype.variants[int(rng.choice(len(weights), p=weights / weights.sum()))]
    grades: dict[Unit, str] = {unit: grade for unit, grade in prototype.core.items() if unit not in variant.removed}
    grades.update(variant.units)
    scale = list(GRADES)
    strengths: dict[Unit, float] = {}
    for unit, grade in grades.items():
        # A continuous draw between the neighbouring grades: a coder's grade is a range, too.
        position = float(np.clip(scale.index(grade) + jitter * rng.uniform(-1, 1), 0, len(scale) - 1))
        strengths[unit] = float(np.interp(position, range(len(scale)), list(GRADES.values())))
    return strengths


def draw_performance(
    identity: Identity,
    expression: str,
    seed: int,
    intensity: float = 1.0,
    *,
    grade_jitter: float = 0.5,
    dropped: float = 0.0,
    distractors: int = 0,
    style: float = 0.5,
    gain: float = 1.15,
) -> Performance:
    """A showing of an expression.

    Args:
        identity: who shows it; brings a personal gain per unit and a personal asymmetry.
        expression: one of the seven, or `neutral`.
        seed: with the identity and the expression it fixes every draw.
        intensity: factor on all units; 1 is a clear expression, 0 is neutral.
        grade_jitter: largest deviation from the prototype, in grades.
        dropped: probability with which each unit is left out.
        distractors: largest number of weak units that do not belong to the expression.
        style: how much of the personal gains to apply, 0 to 1.
        gain: factor on all units; beyond 1.4 the result is a caricature.

    Raises:
        ValueError: if the expression is unknown or the intensity negative.
    """
    if expression != NEUTRAL and expression not in SEVEN:
        raise ValueError(f"unknown expression {expression!r}; known are {NEUTRAL}, {', '.join(SEVEN)}")
    if intensity < 0:
        raise ValueError(f"intensity must not be negative, got {intensity}")
    rng = np.random.default_rng(derive_seed("performance", identity.seed, expression, seed))
    strengths: dict[Unit, float] = {}
    roll = 0.0
    if expression != NEUTRAL:
        strengths = _graded_units(PROTOTYPES[expression], rng, grade_jitter)
        strengths = {unit: value for unit, value in strengths.items() if rng.random() >= dropped} or strengths
    if expression == "contempt":
        side = "L" if rng.random() < 0.5 else "R"
        strengths = {f"{unit}{side}": value for unit, value in strengths.items()}
        roll = float(rng.choice((0.0, 0.0, 4.0, -4.0)))
    gains = dict(identity.unit_gains)
    lateral = identity.laterality + rng.normal(0, 0.035)
    sided: dict[Unit, float] = {}
    for unit, strength in strengths.items():
        text = str(unit)
        number = int(text.rstrip("LR"))
        personal = 1.0 + style * (identity.gain * gains[number] - 1.0)
        value = strength * intensity * gain * personal
        if text[-1] in "LR":
            sided[unit] = value
        else:
            sided[f"{number}L"] = value * (1 + lateral)
            sided[f"{number}R"] = value * (1 - lateral)
    for _ in range(int(rng.integers(0, distractors + 1)) if distractors else 0):
        unit = DISTRACTORS[int(rng.integers(len(DISTRACTORS)))]
        sided[unit] = sided.get(unit, 0.0) + float(rng.uniform(0.1, 0.3))
    onset = {str(unit).rstrip("LR"): float(rng.uniform(0, 0.2)) for unit in sided}
    turn = (float(rng.normal(0, 1.2)), float(rng.normal(0, 1.2)), roll + float(rng.normal(0, 0.8)))
    return Performance(
        expression=expression,
        strengths=MappingProxyType({unit: float(np.clip(value, 0, 1.6)) for unit, value in sided.items()}),
        onsets=MappingProxyType({unit: onset[str(unit).rstrip("LR")] for unit in sided}),
        turn=turn if expression != NEUTRAL else (0.0, 0.0, 0.0),
    )


def draw_view(seed: int, size: tuple[int, int], *, variety: float = 0.35, fill: float = 1.0) -> View:
    """Camera and light of one take, for a frame of (width, height) pixels.

    Args:
        seed: fixes every draw.
        size: width and height of the frame in pixels.
        variety: spread of pose, light and framing: 0 is one standard portrait, 1 reaches about 12 degrees of yaw,
            a strong side light and a face off the centre.
        fill: factor on the size of the head; at 1 the head fills about 85 % of the frame's shorter side.
    """
    rng = np.random.default_rng(derive_seed("view", seed))
    width, height = size
    # A head is about 260 mm high with its hair and an open jaw, and 180 mm wide; the eye centres are 64 mm apart.
    scale = fill * min(height / 298.0, width / 222.0) * (1 + 0.06 * variety * rng.uniform(-1, 1))
    yaw, pitch, roll = (variety * limit * np.clip(rng.normal(0, 0.5), -1, 1) for limit in (14.0, 8.0, 6.0))
    azimuth = np.radians(25 + 0 * variety) * rng.choice((-1, 1)) * (1 + variety * rng.uniform(-1, 1.2))
    elevation = np.radians(32 + variety * rng.uniform(-25, 20))
    light = (np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation))
    return View(
        yaw=float(yaw),
        pitch=float(pitch),
        roll=float(roll),
        light=tuple(float(value) for value in light),
        ambient=float(np.clip(0.55 + 0.2 * variety * rng.uniform(-1, 1), 0.1, 0.8)),
        exposure=float(np.exp(0.25 * variety * rng.uniform(-1, 1))),
        noise=float(1.0 + 2.0 * variety * rng.random()),
        interocular=float(64.0 * scale),
        centre=(
            float(width / 2 + 0.05 * variety * width * rng.uniform(-1, 1)),
            float(height * 0.595 + 0.04 * variety * height * rng.uniform(-1, 1)),
        ),
        backdrop=float(np.clip(0.5 + 0.45 * variety * rng.uniform(-1, 1), 0.1, 0.9)),
        gaze=(float(0.8 * variety * rng.normal()), float(0.4 * variety * rng.normal())),
    )

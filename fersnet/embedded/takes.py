"""One recording of an embedded person: who, which expression, how strongly, and how it unfolds over the frames."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fersnet.embedded.identity import Identity, draw_identity
from fersnet.embedded.performance import Performance, draw_performance, draw_view
from fersnet.embedded.profile import draw_profile
from fersnet.embedded.renderer import render_face
from fersnet.embedded.view import Render, View
from fersnet.seeds import derive_seed

DROPPED = 0.1
"""Probability with which each action unit of a prototype is left out."""
DISTRACTORS = 2
"""Largest number of action units that do not belong to the expression."""
STYLE = 1.0
"""How much of the personal gains of an identity is applied, 0 to 1."""
VARIETY = 0.6
"""Spread of pose, light and framing between the sessions of different people, 0 to 1."""
SHIFT = 0.2
"""Spread of pose and framing between the takes of one session, 0 to 1: the person sits before a fixed camera."""


@dataclass(frozen=True)
class Take:
    """A recording, small enough to be handed to another process; everything random follows from its seeds.

    Attributes:
        person: seed of the identity.
        expression: one of the seven expressions, or "neutral".
        seed: fixes the performance, the pose and the sensor noise.
        intensity: apex intensity as a factor of the prototype's.
        amounts: per frame, how far the expression has risen (0 neutral, 1 apex).
        size: width and height of a frame in pixels.
    """

    person: int
    expression: str
    seed: int
    intensity: float
    amounts: tuple[float, ...]
    size: tuple[int, int]


@lru_cache(maxsize=4)
def _identity(seed: int) -> Identity:
    return draw_identity(seed)


def performance_of(take: Take) -> Performance:
    """The action units behind a take."""
    return draw_performance(
        _identity(take.person),
        take.expression,
        take.seed,
        take.intensity,
        dropped=DROPPED,
        distractors=DISTRACTORS,
        style=STYLE,
    )


def render_take(take: Take) -> list[Render]:
    """The frames of a take."""
    identity, performance = _identity(take.person), performance_of(take)
    rng = np.random.default_rng(derive_seed("frames", take.seed))
    return [
        render_face(identity, performance.action_units(amount), performance.turned(view, amount), take.size, rng)
        for amount, view in zip(take.amounts, _views(take), strict=True)
    ]


def profile_of(take: Take) -> list[np.ndarray]:
    """The same moments from the side, uint8 (height, width, 3) RGB each."""
    identity, performance = _identity(take.person), performance_of(take)
    rng = np.random.default_rng(derive_seed("profile", take.seed))
    return [
        draw_profile(identity, performance.action_units(amount), view, take.size, rng)
        for amount, view in zip(take.amounts, _views(take), strict=True)
    ]


def _views(take: Take) -> list[View]:
    """A view per frame. Light, camera, wall and seat belong to the person's session; between takes the person shifts a
    little, and within a take the head sways."""
    session = draw_view(derive_seed("session", take.person), take.size, variety=VARIETY)
    shift = draw_view(derive_seed("pose", take.seed), take.size, variety=SHIFT)
    (x, y), (across, down) = session.centre, shift.centre
    seated = replace(
        session,
        yaw=session.yaw + shift.yaw,
        pitch=session.pitch + shift.pitch,
        roll=session.roll + shift.roll,
        centre=(x + across - 0.5 * take.size[0], y + down - 0.595 * take.size[1]),
        gaze=shift.gaze,
    )
    rng = np.random.default_rng(derive_seed("sway", take.seed))
    sway = np.cumsum(rng.normal(0, 0.25, (len(take.amounts), 3)), axis=0)
    return [_moved(seated, *(float(value) for value in step)) for step in sway]


def _moved(view: View, yaw: float, pitch: float, shift: float) -> View:
    x, y = view.centre
    return replace(view, yaw=view.yaw + yaw, pitch=view.pitch + pitch, centre=(x + shift, y))


def rise(n_frames: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Amounts of a sequence that goes from neutral to the apex, as in CK+ and Oulu-CASIA."""
    time = np.linspace(0, 1, n_frames)
    return _smooth(time, rng.uniform(0.05, 0.2), rng.uniform(0.72, 0.85))


def rise_and_return(n_frames: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Amounts of a sequence that rises, holds around its middle and returns, as in MMI and BU-4DFE."""
    time = np.linspace(0, 1, n_frames)
    up = _smooth(time, rng.uniform(0.03, 0.1), rng.uniform(0.3, 0.4))
    # In a short sequence the frame after the middle one lies late, and the fall waits for it.
    down = _smooth(time, max(rng.uniform(0.62, 0.68), time[n_frames // 2 + 1] - 0.05), rng.uniform(0.92, 1.0))
    return tuple(round(a - b, 6) for a, b in zip(up, down, strict=True))


def _smooth(time: np.ndarray, start: float, stop: float) -> tuple[float, ...]:
    """0 before `start`, 1 after `stop`, and a cubic with level ends in between."""
    x = np.clip((time - start) / (stop - start), 0, 1)
    return tuple(round(float(value), 6) for value in x * x * (3 - 2 * x))

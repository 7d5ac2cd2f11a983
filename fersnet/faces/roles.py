"""Which frames of a sequence are needed, and what for: peak, neutral and clip."""

from collections.abc import Collection, Sequence

import numpy as np

ROLES: tuple[str, ...] = ("clip", "neutral", "peak")
"""In the order of the store's rows."""


def peak_positions(n_frames: int, apex: Sequence[int], neutral: int, count: int) -> list[int]:
    """The peak frames, ascending.

    Where the apex has more frames than asked for: the last ones if the sequence ends at its apex (neutral to apex, as
    in CK+ and Oulu-CASIA), the middle ones otherwise. Where it has fewer, neighbours are added, before it and, if the
    sequence goes on, after it, but never the neutral frame.

    Args:
        n_frames: Length of the sequence.
        apex: 0-based positions of the apex frames, ascending.
        neutral: 0-based position of the neutral frame, or -1.
        count: Number of peak frames wanted.

    Returns:
        At most `count` positions; fewer only where the sequence is too short.
    """
    chosen = sorted(set(apex))
    if len(chosen) > count:
        surplus = len(chosen) - count
        first = surplus if chosen[-1] == n_frames - 1 else surplus // 2
        return chosen[first : first + count]
    while len(chosen) < count:
        before, after = chosen[0] - 1, chosen[-1] + 1
        usable = [p for p in (after, before) if 0 <= p < n_frames and p != neutral]
        if not usable:
            break
        # Alternate, so that the apex stays in the middle.
        middle = (apex[0] + apex[-1]) / 2
        chosen = sorted([*chosen, min(usable, key=lambda p: (abs(p - middle), -p))])
    return chosen


def clip_positions(apex: Sequence[int], count: int) -> list[int]:
    """`count` evenly spaced positions from the first frame to the last apex frame; a short sequence repeats frames."""
    return [int(position) for position in np.rint(np.linspace(0, max(apex), count))]


def fill_clip(wanted: Sequence[int], usable: Collection[int]) -> list[int] | None:
    """The clip with every unusable frame replaced by the nearest usable one (the earlier of two equally near).

    Returns:
        As many positions as `wanted`, or None if less than half of the distinct frames are usable.
    """
    distinct = set(wanted)
    kept = sorted(distinct & set(usable))
    if not kept or 2 * len(kept) < len(distinct):
        return None
    return [min(kept, key=lambda position: (abs(position - target), position)) for target in wanted]


def role_positions(
    n_frames: int, apex: Sequence[int], neutral: int, peak_frames: int, clip_frames: int
) -> dict[str, list[int]]:
    """Positions by role for one sequence; a role without frames has an empty list. One without an apex has a neutral
    face only.

    Raises:
        ValueError: if there is neither apex nor neutral frame, or a position lies outside the sequence.
    """
    positions = [*apex, neutral] if neutral != -1 else apex
    if len(positions) == 0 or min(positions) < 0 or max(positions) >= n_frames:
        raise ValueError(f"apex {list(apex)} or neutral {neutral} outside a sequence of {n_frames} frames")
    return {
        "clip": clip_positions(apex, clip_frames) if len(apex) else [],
        "neutral": [neutral] if neutral >= 0 else [],
        "peak": peak_positions(n_frames, apex, neutral, peak_frames) if len(apex) else [],
    }

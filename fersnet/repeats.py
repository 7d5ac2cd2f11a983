"""Repeated trainings: the same method, dataset and fold once more, from a seed of its own."""

import re

_KEY = re.compile(r"(?P<method>.+)\.repeat(?P<repeat>\d+)")


def repeat_key(method: str, repeat: int) -> str:
    """The name under which a training's files lie: the method's own for the first, `<method>.repeat<k>` after it."""
    return method if repeat == 1 else f"{method}.repeat{repeat}"


def split_repeat(key: str) -> tuple[str, int]:
    """Method and number of a training, from the name under which its files lie."""
    found = _KEY.fullmatch(key)
    return (found["method"], int(found["repeat"])) if found else (key, 1)

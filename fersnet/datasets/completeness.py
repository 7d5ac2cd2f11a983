"""What is missing in a set whose size is known: a zip half extracted, people who were not downloaded."""

from collections import Counter
from collections.abc import Mapping

from fersnet.datasets.sequences import IndexBuilder


def report_missing(builder: IndexBuilder, expected: Mapping[str, int], found: Counter[str]) -> None:
    """Notes, in a line, the people of whom nothing is there, and, in a line each, those of whom a part is.

    Args:
        builder: takes the lines.
        expected: pictures or clips by person.
        found: those that are there.
    """
    absent = [person for person in expected if not found[person]]
    if absent:
        names = ", ".join(absent[:12]) + (f" and {len(absent) - 12} more" if len(absent) > 12 else "")
        builder.reject("", "", f"{len(absent)} of {len(expected)} people are missing; {names}")
    for person, count in expected.items():
        if 0 < found[person] < count:
            builder.reject("", "", f"a part of a person's files is missing; {found[person]} of {count} of {person}")

"""The common sequence index, and the collector that every reader fills."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fersnet.datasets.subjects import check_subjects, composed
from fersnet.errors import UserError
from fersnet.expressions import NEUTRAL

if TYPE_CHECKING:
    from pandas import DataFrame

SEQUENCE_COLUMNS = ("sequence_id", "subject", "expression", "n_frames", "frames", "apex", "neutral", "view")
OPTIONAL_COLUMNS = ("sex", "age", "ethnicity", "apex_rule")
"""Columns that an index has where its dataset says it: of the people, and by which rule the peak frames were found."""
REJECTED_COLUMNS = ("sequence_id", "frame", "reason")
UNLABELLED = "unlabelled"
"""Reasons that start with this word mark material without a usable label, which is expected in CK+ and MMI."""


@dataclass(frozen=True)
class SequenceIndex:
    """What a dataset holds.

    Attributes:
        sequences: one row per sequence, sorted by `sequence_id`: `sequence_id`, `subject`, `expression`,
            `n_frames`, `frames` (list of paths relative to the root with forward slashes, or
            "<video path>#<0-based frame number>" in decoding order), `apex` (ascending 0-based positions of the peak
            frames in `frames`; empty where a sequence gives its subject's neutral face and is not labelled, since
            `neutral` is no class), `neutral` (position, or -1), `view` ("" for images; "frontal", "dual" or "unknown").
            Then, each where the dataset has it, and with missing values where it has not for all: `sex` and `ethnicity`
            (text), `age` (whole years), `apex_rule` (text).
        rejected: what was left out and why: `sequence_id`, `frame` (a path, or empty for a whole sequence), `reason`.
    """

    sequences: "DataFrame"
    rejected: "DataFrame"


@dataclass(frozen=True, kw_only=True)
class Person:
    """What a dataset says of a subject; None where it says nothing."""

    sex: str | None = None
    age: int | None = None
    ethnicity: str | None = None


@dataclass
class IndexBuilder:
    """Collects sequences and rejections while a reader walks a tree.

    Names of sequences and subjects are kept in composed form, so that two spellings of one name are one; the paths of
    frames stay as the disk spells them.
    """

    _rows: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _rejected: list[tuple[str, str, str]] = field(default_factory=list)
    _people: dict[str, Person] = field(default_factory=dict)
    _apex_rules: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        sequence_id: str,
        subject: str,
        expression: str,
        frames: Sequence[str],
        apex: Sequence[int],
        neutral: int,
        view: str = "",
        apex_rule: str | None = None,
    ) -> None:
        """Takes one sequence; a second one with the same id is rejected, and so is one without frames.

        A neutral sequence without a `neutral` position has it in the middle of its apex. `apex_rule` says how the apex
        was found, where a dataset knows several ways.
        """
        sequence_id, subject = composed(sequence_id), composed(subject)
        if expression == NEUTRAL and neutral < 0 and len(apex):
            neutral = apex[len(apex) // 2]
        if not frames:
            self.reject(sequence_id, "", "no frames")
        elif sequence_id in self._rows:
            self.reject(sequence_id, frames[0], "another sequence has this id; the first one is kept")
        else:
            self._rows[sequence_id] = (
                *(sequence_id, subject, expression, len(frames)),
                *(list(frames), list(apex), neutral, view),
            )
            if apex_rule is not None:
                self._apex_rules[sequence_id] = apex_rule

    def describe(self, subject: str, person: Person) -> None:
        """Takes what the dataset says of a subject, whose sequences may come before or after."""
        self._people[composed(subject)] = person

    def free_id(self, sequence_id: str) -> str:
        """The id in composed form, with a number behind it where a sequence of that name is there already."""
        free = name = composed(sequence_id)
        number = 1
        while free in self._rows:
            number += 1
            free = f"{name} ({number})"
        return free

    def reject(self, sequence_id: str, frame: str, reason: str) -> None:
        """Notes a frame, or with an empty `frame` a sequence, that is left out."""
        self._rejected.append((composed(sequence_id), frame, reason))

    def finish(self) -> SequenceIndex:
        """The index, in an order that does not depend on the file system.

        Raises:
            UserError: if the subjects' names cannot stand for different people, see `check_subjects`.
        """
        from pandas import DataFrame

        check_subjects(str(row[1]) for row in self._rows.values())
        rows = [self._rows[key] for key in sorted(self._rows)]
        return SequenceIndex(
            self._with_optional(DataFrame(rows, columns=list(SEQUENCE_COLUMNS))),
            DataFrame(sorted(set(self._rejected)), columns=list(REJECTED_COLUMNS), dtype="str"),
        )

    def _with_optional(self, sequences: "DataFrame") -> "DataFrame":
        """The sequences with those optional columns of which there is a value."""
        from pandas import Series

        people = [self._people.get(subject, Person()) for subject in sequences["subject"]]
        values = {name: [getattr(person, name) for person in people] for name in ("sex", "age", "ethnicity")}
        values["apex_rule"] = [self._apex_rules.get(key) for key in sequences["sequence_id"]]
        return sequences.assign(
            **{
                name: Series(column, index=sequences.index, dtype="Int64" if name == "age" else "str")
                for name, column in values.items()
                if any(value is not None for value in column)
            }
        )


def labelled(sequences: "DataFrame") -> "DataFrame":
    """The rows of an index that have a class; the others give their subjects' neutral faces only."""
    return sequences[sequences["apex"].map(len) > 0].reset_index(drop=True)


def last_positions(n_frames: int, count: int) -> list[int]:
    """The last `count` positions of a sequence (all of them if it is shorter)."""
    return list(range(max(0, n_frames - count), n_frames))


def centred_positions(n_frames: int, count: int, centre: int) -> list[int]:
    """`count` neighbouring positions around `centre`, moved inwards at the borders (all if the sequence is shorter)."""
    count = min(count, n_frames)
    first = min(max(0, centre - count // 2), n_frames - count)
    return list(range(first, first + count))


def neutral_position(apex: Sequence[int]) -> int:
    """0, the first frame, unless it is itself a peak; then -1."""
    return -1 if 0 in apex else 0


class OptionError(UserError):
    """An option of a reader that does not exist or has a wrong value, whatever the tree."""


def check_peak_frames(peak_frames: object) -> None:
    """Raises UserError unless the option is a whole number of at least one."""
    if isinstance(peak_frames, bool) or not isinstance(peak_frames, int) or peak_frames < 1:
        raise OptionError(f"options.peak_frames: {peak_frames!r} is not a whole number above zero")


def choice(option: str, value: object, allowed: Sequence[str]) -> str:
    """The allowed value that equals `value` up to case.

    Raises:
        UserError: if there is none.
    """
    for candidate in allowed:
        if isinstance(value, str) and value.casefold() == candidate.casefold():
            return candidate
    raise OptionError(f"options.{option}: {value!r} is not one of {', '.join(allowed)}")

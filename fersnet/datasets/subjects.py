"""Names of subjects: spellings of one person, and ready-made splits in the place of people.

Folds are made by subject, so that one person under two names is trained and tested at once, and a split called a
subject puts the same people into all folds. Neither shows in any later check.
"""

import re
import unicodedata
from collections.abc import Iterable

from fersnet.errors import UserError

_LEADING_ZEROS = re.compile(r"(?<![0-9])(?<![0-9][.,])0+(?=[0-9])")
_SPLITS = re.compile(
    r"(train|training|valid|validation|test|testing|eval|evaluation|publictest|privatetest|holdout|heldout|"
    r"(fold|split)[0-9]*)(set|data|dataset|split|images|faces)?"
)
_SHORT_SPLITS = frozenset({"val", "dev", "trn", "tst"})
"""Splits as well, but some of them are people's names."""


class SubjectError(UserError):
    """Names that cannot stand for different people."""


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC): `é` as one letter or as two is one and the same spelling."""
    return unicodedata.normalize("NFC", name)


def check_subjects(names: Iterable[str]) -> None:
    """Refuse names that cannot stand for different people.

    Raises:
        SubjectError: if a name is blank, if two differ in case, space or leading zeros only, or they look like splits.
    """
    people = sorted({composed(name) for name in names})
    alike: dict[str, list[str]] = {}
    for name in people:
        alike.setdefault(_look(name), []).append(name)
    if "" in alike:
        raise SubjectError(f"subject {alike[''][0]!r}: the name is blank; give the subject a name")
    doubles = [" and ".join(map(repr, group)) for group in alike.values() if len(group) > 1]
    if doubles:
        more = f" (and {len(doubles) - 3} more)" if len(doubles) > 3 else ""
        raise SubjectError(
            f"subjects {', '.join(doubles[:3])}{more} differ in case, spaces or leading zeros only, and nobody must be "
            "trained and tested at once; give each person one name, and different people names that differ in more"
        )
    if _look_like_splits(people):
        raise SubjectError(
            f"subjects {', '.join(people[:6])} look like ready-made splits, not like people; folds are made by "
            "subject, so the reader must know who is in which picture: sort them as subject/expression/*.png, or name "
            "the subjects in a CSV (subject, expression, sequence_id, frame) and set `reader: manifest`"
        )


def _look(name: str) -> str:
    """What is left of a name when case, space, leading zeros, and forms that look the same are taken away."""
    text = unicodedata.normalize("NFKC", name)
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return _LEADING_ZEROS.sub("", " ".join(visible.casefold().split()))


def _look_like_splits(people: list[str]) -> bool:
    """Whether all names are those of splits, or at least two, one of which is no person's name."""
    plain = [re.sub(r"[\W_]+", "", name.casefold()) for name in people]
    splits = [name for name in plain if _SPLITS.fullmatch(name)]
    found = len(splits) + sum(name in _SHORT_SPLITS for name in plain)
    return bool(people) and (found == len(people) or (found > 1 and bool(splits)))

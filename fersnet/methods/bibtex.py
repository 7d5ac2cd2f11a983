"""References as BibTeX, for those who put the tables into a paper of theirs."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from fersnet.methods.contract import Reference

_SMALL_WORDS = {"a", "an", "and", "are", "by", "for", "from", "how", "in", "of", "on", "the", "to", "we", "with"}
_INITIALS = re.compile(r"(\w\.-?)+")
_ARTICLE = re.compile(r"(?P<journal>.*\D) (?P<volume>\d+)(\((?P<number>[^)]+)\))?(:(?P<pages>\w+))?")
_MEETING = re.compile(r"Conference|Workshop|Proceedings|^[A-Z]{2,}\b")
_ESCAPED = {character: f"\\{character}" for character in "&%$#_"} | {
    # BibTeX counts braces even behind a backslash.
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
}


def bibtex_keys(references: Iterable[Reference]) -> dict[Reference, str]:
    """A key for each work, from its first author, year and title; a letter tells apart what would have the same."""
    keys: dict[Reference, str] = {}
    for reference in references:
        if reference not in keys:
            plain = _key(reference)
            letters = ("", *map(chr, range(ord("b"), ord("z") + 1)))
            keys[reference] = next(key for letter in letters if (key := plain + letter) not in keys.values())
    return keys


def bibtex_file(works: Mapping[str, Reference]) -> str:
    """The entries of some works by their keys, in the order of these."""
    return "\n".join(bibtex_entry(key, works[key]) for key in sorted(works))


def bibtex_entry(key: str, reference: Reference) -> str:
    """One work as an entry."""
    article = _ARTICLE.fullmatch(reference.venue)
    if article is not None:
        kind, venue = "article", {name: part for name, part in article.groupdict().items() if part}
    elif _MEETING.search(reference.venue):
        kind, venue = "inproceedings", {"booktitle": reference.venue}
    else:
        kind, venue = "misc", {"howpublished": reference.venue}
    fields = {"author": _escaped(" and ".join(map(_family_first, _names(reference.authors))))}
    # The second braces keep the capitals as they are.
    fields |= {"title": f"{{{_escaped(reference.title)}}}"}
    fields |= {name: _escaped(part) for name, part in venue.items()} | {"year": str(reference.year)}
    fields |= {"doi": reference.doi} if reference.doi else {}
    fields |= {"eprint": reference.arxiv, "archiveprefix": "arXiv"} if reference.arxiv else {}
    width = max(map(len, fields))
    lines = [f"  {name.ljust(width)} = {{{text}}}" for name, text in fields.items()]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _key(reference: Reference) -> str:
    first = _family_first(next(iter(_names(reference.authors)), ""))
    family = next(reversed(first.split(",")[0].split()), "")
    words = [word for word in re.findall(r"\w+", reference.title) if word.lower() not in _SMALL_WORDS]
    return "".join(map(_ascii, (family, str(reference.year), *words[:1]))) or "work"


def _names(authors: str) -> list[str]:
    """`Doe J., Roe R. and others` in parts."""
    return [name for part in authors.split(", ") for name in part.split(" and ") if name]


def _family_first(name: str) -> str:
    """`van der Walt S.` becomes `van der Walt, S.`; what has no initials is left whole."""
    words = name.split()
    families = [word for word in words if not _INITIALS.fullmatch(word)]
    initials = words[len(families) :]
    return f"{' '.join(families)}, {' '.join(initials)}" if families and initials else name


def _ascii(text: str) -> str:
    # What has no accent to lose, such as the Polish l, is written as its nearest letter.
    plain = unicodedata.normalize("NFKD", text.translate(str.maketrans("łøßđŁØĐ", "losdLOD")))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalnum())


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in " ".join(text.split()))

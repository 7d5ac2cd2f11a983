"""From the names that people give to expression folders to the vocabulary."""

import re
import unicodedata

from fersnet.expressions import BU4DFE_FOLDERS, NEUTRAL, OULU_CASIA_FOLDERS, VOCABULARY

ACCEPTED = f"{', '.join(VOCABULARY)}, or their adjectives, in any case, a number before them or not"
"""What to say to somebody whose name is none."""

_WORDS = {
    "anger": "angry colere wut arger aerger ira enfado rabbia raiva",
    "contempt": "contemptuous mepris verachtung desprecio disprezzo desprezo",
    "disgust": "disgusted degout ekel asco disgusto nojo",
    "fear": "afraid fearful peur angst furcht miedo paura medo",
    "happiness": "happy joy joie bonheur freude gluck glueck alegria felicidad felicita gioia felicidade",
    "sadness": "sad tristesse trauer traurigkeit tristeza tristezza",
    "surprise": "surprised uberraschung ueberraschung sorpresa surpresa",
    NEUTRAL: "neutre neutro neutrale",
}
"""Adjectives, and the nouns of French, German, Spanish, Italian and Portuguese, without their accents."""
_NAMES: dict[str, str] = (
    {expression: expression for expression in VOCABULARY}
    | {name.casefold(): expression for name, expression in (OULU_CASIA_FOLDERS | BU4DFE_FOLDERS).items()}
    | {word: expression for expression, words in _WORDS.items() for word in words.split()}
)
_NUMBER = re.compile(r"[0-9]+[\s_.-]+(?=[^0-9])")
"""A class number before a name, as in `0_angry`."""


def expression_named(name: str) -> str | None:
    """The expression that a folder name or a table cell means, ignoring case, accents and a number before it; None if
    it means none. A number alone, or a code of two letters, means different things in different sets."""
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return _NAMES.get(_NUMBER.sub("", "".join(filter(lambda letter: not unicodedata.combining(letter), letters)), 1))

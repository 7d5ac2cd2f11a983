"""Whose the rendered faces are: nobody's."""

from fersnet.methods.contract import Terms

TERMS = Terms(
    people="Nobody: invented people, drawn by this project from random shapes, skins and movements",
    known_bias="Drawn by rules that are the same for all, so that expressions are far easier to tell apart than on "
    "people; their ages, skins and features follow no population",
    licence="MIT, as the project",
    shown="everybody",
)

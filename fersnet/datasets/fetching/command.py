"""`fersnet fetch`: an open set into a folder of the user's."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fersnet.command import one_line_errors
from fersnet.errors import UserError


def fetch(
    name: Annotated[
        str,
        typer.Argument(metavar="SET", help="london or ravdess; for cremad, kdef and enterface05 it says what to do."),
    ],
    to: Annotated[Path | None, typer.Option(help="Folder to fetch into, outside of the project.")] = None,
    actors: Annotated[
        str | None, typer.Option(help="Actors of ravdess, e.g. 1-4 or 1,3,7-9; all 24 (13 GB) unless given.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="You have read the terms and keep to them; asks no more.")
    ] = False,
) -> None:
    """Fetch a set of real people that is open to everybody.

    Licence and citation are shown first, and written beside the data. What breaks off is continued by the same command;
    what is there already is checked and left alone.
    """
    with one_line_errors():
        from fersnet.datasets.fetching.about import about
        from fersnet.datasets.fetching.fetch import fetch as fetch_set
        from fersnet.datasets.fetching.folder import check_folder
        from fersnet.datasets.fetching.meter import Meter
        from fersnet.datasets.fetching.sources import ByHand, chosen_parts, open_sets

        one = open_sets().get(name)
        if one is None:
            raise UserError(
                f"{name!r} is not one of {', '.join(open_sets())}; other sets need an agreement with the owner"
            )
        parts = chosen_parts(one, actors)
        if not isinstance(one.source, ByHand):
            if to is None:
                raise UserError(f"--to: say which folder {one.name} is to be fetched into, outside of the project")
            check_folder(to)
        print(about(one))
        if isinstance(one.source, ByHand):
            print(f"\n{one.source.instructions}")
            raise UserError(f"{one.name} is not fetched by this command: see above")
        if not accept:
            _ask()
        with Meter() as meter:
            count = fetch_set(one, to, parts, meter.announce)
        print(f"{to}: complete; {count or 'nothing'} had to be fetched")


def _ask() -> None:
    if not sys.stdin.isatty():
        raise UserError("nobody is here to agree to these terms: read them, then say --accept")
    if not typer.confirm("Do you agree to these terms?"):
        raise UserError("nothing was fetched")

"""Pictures to look at: single faces with their landmarks, and a contact sheet."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fersnet.embedded.identity import draw_identity
from fersnet.embedded.performance import NEUTRAL, draw_performance, draw_view
from fersnet.embedded.renderer import render_face
from fersnet.embedded.view import Render
from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.seeds import derive_seed

EVERY = (NEUTRAL, *SEVEN)
"""What can be shown, and the columns of the contact sheet."""
ALL = (NEUTRAL, *SIX)
"""What `all` stands for: contempt, which only CK+ has, is drawn where it is named."""


def chosen_expressions(expressions: str | Iterable[str]) -> tuple[str, ...]:
    """Expressions by name: `all`, a comma-separated list, or a sequence; `neutral` counts as one.

    Raises:
        UserError: if a name is unknown or none is given.
    """
    names = expressions.split(",") if isinstance(expressions, str) else list(expressions)
    names = [name.strip().lower() for name in names if name.strip()]
    if names == ["all"]:
        return ALL
    unknown = [name for name in names if name not in EVERY]
    if unknown or not names:
        found = f"unknown expression {unknown[0]!r}" if unknown else "no expression given"
        raise UserError(f"expressions: {found}; choose `all` or from {', '.join(EVERY)}")
    return tuple(dict.fromkeys(names))


def _check(identities: int, size: int) -> None:
    if identities < 1:
        raise UserError(f"identities: {identities} is too few; give 1 or more")
    if not 48 <= size <= 2048:
        raise UserError(f"size: {size} is not possible; give 48 to 2048 pixels")


def _clear_face(seed: int, person: int, expression: str, size: int) -> Render:
    """A clear showing by one person in a portrait of its own light; nearly frontal."""
    identity = draw_identity(derive_seed("sheet", seed, person))
    key = derive_seed("sheet", seed, person, expression)
    performance = draw_performance(identity, expression, key)
    view = performance.turned(draw_view(derive_seed("sheet view", seed, person), (size, size)), 1.0)
    return render_face(identity, performance.action_units(1.0), view, (size, size), np.random.default_rng(key))


def draw_faces(identities: int, seed: int, size: int, expressions: str | Iterable[str], out: str | Path) -> list[Path]:
    """Writes `<identity>_<expression>.png` (identity from 0, size x size pixels, RGB) and `landmarks.csv`.

    The table has the columns file, point (0 to 67, iBUG order), x, y (pixels, three decimals).

    Returns:
        The pictures in the order of the table.

    Raises:
        UserError: for a bad count, size or expression, or a folder that cannot be written.
    """
    from fersnet.embedded.files import write_image

    names = chosen_expressions(expressions)
    _check(identities, size)
    folder = Path(out)
    digits = max(3, len(str(identities - 1)))
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "landmarks.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow(("file", "point", "x", "y"))
            for person in range(identities):
                for expression in names:
                    render = _clear_face(seed, person, expression, size)
                    path = folder / f"{person:0{digits}d}_{expression}.png"
                    write_image(path, render.image)
                    paths.append(path)
                    table.writerows(
                        (path.name, point, f"{x:.3f}", f"{y:.3f}") for point, (x, y) in enumerate(render.landmarks)
                    )
    except OSError as error:
        raise UserError(
            f"{folder}: cannot write faces there ({error.strerror or error}); give another folder"
        ) from error
    return paths


def sheet_image(identities: int, seed: int, size: int) -> NDArray[np.uint8]:
    """A contact sheet, uint8 RGB: a row per person, a column for neutral and each of the seven expressions."""
    _check(identities, size)
    rows = [
        np.hstack([_clear_face(seed, person, expression, size).image for expression in EVERY])
        for person in range(identities)
    ]
    return np.vstack(rows)


def draw_sheet(path: str | Path, identities: int = 6, seed: int = 0, size: int = 192) -> Path:
    """Writes the contact sheet as a PNG.

    Raises:
        UserError: for a bad count or size, a name that does not end in .png, or a file that cannot be written.
    """
    from fersnet.embedded.files import write_image

    target = Path(path)
    if target.suffix.lower() != ".png" or target.is_dir():
        raise UserError(f"{target}: the sheet is a PNG file; give a name that ends in .png")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_image(target, sheet_image(identities, seed, size))
    except OSError as error:
        raise UserError(f"{target}: cannot write there ({error.strerror or error}); give another file") from error
    return target

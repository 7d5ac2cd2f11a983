"""A picture of a dataset's aligned faces, to check the alignment at a glance."""

import textwrap
from collections.abc import Collection
from pathlib import Path

import numpy as np

from fersnet.expressions import in_vocabulary_order
from fersnet.faces.store import FaceStore

_MARGIN = 2
_LABEL = 16
_LETTER = 6
"""Pixels that a letter takes at least, of the font that Pillow brings."""
_MARK = (255, 64, 64)


def choose_rows(store: FaceStore, columns: int, subjects: Collection[str] | None = None) -> dict[str, list[int]]:
    """Rows of the store to show, by heading.

    Under each expression the last peak face of up to `columns` sequences, evenly spread over the dataset; under
    `lowest quality` those faces of any role whose landmarks are least certain, worst first, one per sequence.

    Args:
        store: The face store.
        columns: Most faces per heading.
        subjects: The only subjects that may be shown; None for all.
    """
    table = store.table if subjects is None else store.table[store.table["subject"].isin(list(subjects))]
    peaks = table[table["role"] == "peak"].groupby("sequence_id").tail(1)
    chosen: dict[str, list[int]] = {}
    for expression in in_vocabulary_order(set(peaks["expression"])):
        rows = peaks.index[peaks["expression"] == expression].to_numpy()
        picks = np.unique(np.rint(np.linspace(0, len(rows) - 1, min(columns, len(rows)))).astype(int))
        chosen[expression] = [int(row) for row in rows[picks]]
    worst = table.sort_values("quality", kind="stable").drop_duplicates("sequence_id").head(columns)
    if len(worst):
        chosen["lowest quality"] = [int(row) for row in worst.index]
    return chosen


def draw_contact_sheet(
    store: FaceStore, columns: int = 12, subjects: Collection[str] | None = None, credit: str = ""
) -> np.ndarray:
    """Draw the sheet: a band per heading, faces with their 68 landmarks as dots, and the credit under them.

    Args:
        store: The face store.
        columns: Most faces per band.
        subjects: The only subjects that may be shown, see `fersnet.faces.consent`; None for all.
        credit: Line that the faces' owner asks for.

    Returns:
        uint8 RGB (H, W, 3).
    """
    from PIL import Image, ImageDraw

    chosen = choose_rows(store, columns, subjects)
    side = store.images.shape[1]
    # Small faces are enlarged, so that a dot stays smaller than an eye.
    factor = max(1, round(110 / side))
    cell = side * factor
    widest = max((len(rows) for rows in chosen.values()), default=0)
    width = max(widest * (cell + _MARGIN) + _MARGIN, 240)
    lines = textwrap.wrap(credit, width // _LETTER) if chosen else []
    height = max(len(chosen), 1) * (_LABEL + cell + _MARGIN) + len(lines) * _LABEL + _MARGIN
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    if not chosen:
        draw.text((_MARGIN, _MARGIN), "no face may be shown", fill="black")
    top = _MARGIN
    for heading, rows in chosen.items():
        draw.text((_MARGIN, top), heading, fill="black")
        top += _LABEL
        for place, row in enumerate(rows):
            left = _MARGIN + place * (cell + _MARGIN)
            face = np.asarray(store.images[row])
            face = np.repeat(face, 3, axis=2) if face.shape[2] == 1 else face
            picture = Image.fromarray(np.ascontiguousarray(face))
            sheet.paste(picture.resize((cell, cell), Image.Resampling.NEAREST), (left, top))
            for x, y in np.rint((store.landmarks[row] + 0.5) * factor - 0.5).astype(int):
                if 0 <= x < cell and 0 <= y < cell:
                    sheet.putpixel((left + int(x), top + int(y)), _MARK)
        top += cell + _MARGIN
    for line in lines:
        draw.text((_MARGIN, top), line, fill="black")
        top += _LABEL
    return np.asarray(sheet)


def write_contact_sheet(
    store: FaceStore, path: Path, columns: int = 12, subjects: Collection[str] | None = None, credit: str = ""
) -> None:
    """Write the sheet as a PNG file; see `draw_contact_sheet`."""
    from PIL import Image

    temporary = path.with_name(f".{path.name}.tmp")
    Image.fromarray(draw_contact_sheet(store, columns, subjects, credit)).save(temporary, format="PNG")
    temporary.replace(path)

"""What a model says of pictures, as a table: a row per face."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fersnet.faces.find import Face
from fersnet.faces.images import Rejection

if TYPE_CHECKING:
    from pandas import DataFrame

ADVICE = "give an image with one whole frontal face"
"""What to do about a picture that cannot be used."""

BOX = ("left", "top", "right", "bottom")


def picture_rows(
    number: int, file: str | None, faces: list[Face] | Rejection, probabilities: Iterator[NDArray[np.float64]]
) -> list[dict[str, Any]]:
    """The rows of one picture.

    Args:
        number: Position of the picture.
        file: Its path, if it has one.
        faces: Its faces, or the reason why it cannot be read.
        probabilities: Gives those of one usable face after the other.
    """
    if isinstance(faces, Rejection) or not faces:
        reason = faces if isinstance(faces, Rejection) else "no face found"
        return [{"picture": number, "file": file, "error": f"{reason}; {ADVICE}"}]
    return [{"picture": number, **row} for row in face_rows(file, faces, probabilities)]


def face_rows(
    file: str | None, faces: Sequence[Face], probabilities: Iterator[NDArray[np.float64]]
) -> list[dict[str, Any]]:
    """The rows of the faces of one picture, without its position; arguments as of `picture_rows`."""
    rows = []
    for position, face in enumerate(faces, start=1):
        row = {"file": file, "face": position, **dict(zip(BOX, face.box, strict=True)), "quality": face.quality}
        rows.append(row | ({"error": face.error} if face.image is None else {"probabilities": next(probabilities)}))
    return rows


def table_of(
    rows: Sequence[dict[str, Any]], expressions: Sequence[str], trained_on: str, first: Sequence[str] = ("picture",)
) -> "DataFrame":
    """The table of rows from `picture_rows`; `first` are the columns that say where a face was seen."""
    from pandas import DataFrame, Series

    def words(values: Iterable[str | None]) -> Series:
        # As objects: a text column would have NaN for what is missing, and JSON knows no NaN.
        return Series(list(values), dtype=object)

    numbers = [*BOX, "quality"]
    table = DataFrame([{name: row.get(name) for name in (*first, "face", *numbers)} for row in rows])
    table = table.reindex(columns=[*first, "face", *numbers])
    table = table.astype({"face": "Int64", **dict.fromkeys(numbers, "float64")})
    table.insert(len(first), "file", words(row["file"] for row in rows))
    seen = [row.get("probabilities") for row in rows]
    missing = np.full(len(expressions), np.nan)
    given = np.array([missing if values is None else values for values in seen]).reshape(len(rows), len(expressions))
    table["predicted"] = words(None if values is None else expressions[int(values.argmax())] for values in seen)
    for position, name in enumerate(expressions):
        table[f"p_{name}"] = given[:, position]
    table["trained_on"] = trained_on
    table["error"] = words(row.get("error") for row in rows)
    return table

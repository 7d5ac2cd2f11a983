"""What the page shows of a picture."""

import base64
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fersnet.demo.guard import LARGEST_PICTURE
from fersnet.embedded.mark import is_rendered
from fersnet.errors import UserError
from fersnet.faces.find import Face
from fersnet.faces.images import FORMATS, Rejection, as_picture, shrunk
from fersnet.settings.data import FacesSettings
from fersnet.use.model import ALL, NOTICE, RENDERED, TrainedModel
from fersnet.use.table import ADVICE

if TYPE_CHECKING:
    from fersnet.faces.images import Picture

SHOWN_SIDE = 1024
"""Longer side, in pixels, at which the picture comes back."""

SHOWN_FACES = 12
"""Faces that are shown, the largest; a group has more."""

ENLARGED = 128
"""Side of a gate's map."""


Find = Callable[["Picture", FacesSettings], list[Face]]
"""`find_faces`, or what does the same elsewhere."""


def answer(model: TrainedModel, content: bytes, find: Find) -> dict[str, Any]:
    """The picture, and its faces with their probabilities, the expressions that they were given, and their gates; all
    pictures are data URLs.

    Args:
        model: The model that is asked.
        content: The picture's file.
        find: What looks for faces.

    Raises:
        UserError: if the picture cannot be used; the message is for the one who gave it.
    """
    try:
        _check_pixels(content)
        picture = as_picture(content)
    except Rejection as rejection:
        raise UserError(f"{rejection}; {ADVICE}") from None
    faces = find(picture, model.faces)
    if not faces:
        raise UserError(f"no face found; {ADVICE}")
    probabilities = model.probabilities(faces[:SHOWN_FACES])
    shown, scale = shrunk(picture, SHOWN_SIDE)
    return {
        "picture": _url(shown, "JPEG"),
        "width": shown.shape[1],
        "height": shown.shape[0],
        "found": len(faces),
        "faces": [_face(model, face, probabilities, scale) for face in faces[:SHOWN_FACES]],
        "trained_on": model.trained_on,
        "notice": NOTICE if model.trained_on == RENDERED and not is_rendered(content) else None,
    }


def _check_pixels(content: bytes) -> None:
    """Refuse a picture of more pixels than the page takes, before they are decoded."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
    except Exception:  # whatever is wrong with it, reading it says so
        return
    if width * height > LARGEST_PICTURE:
        raise Rejection(f"image is too large for this page: {width}x{height} pixels, {LARGEST_PICTURE:,} at most")


def _face(model: TrainedModel, face: Face, probabilities: Any, scale: float) -> dict[str, Any]:
    shown: dict[str, Any] = {"box": [round(value * scale, 1) for value in face.box], "error": face.error}
    if face.image is None:
        return shown
    values = next(probabilities)
    shown |= {
        "quality": face.quality,
        "probabilities": dict(zip(model.expressions, values.tolist(), strict=True)),
        "predicted": model.expressions[int(values.argmax())],
        "aligned": _url(np.broadcast_to(face.image, (*face.image.shape[:2], 3))),
        "gates": {name: _url(_map(values)) for name, values in model.gates(face).items()},
    }
    try:
        seen, *drawn = model.draw(face, ALL)
        return shown | {"aligned": _url(seen), "synthetic": dict(zip(model.targets, map(_url, drawn), strict=True))}
    except UserError as error:
        return shown | {"synthetic": {}, "without": str(error)}


def _map(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A gate's map in colours, dark for 0 and bright for 1."""
    levels = np.rint(values * 255).clip(0, 255).astype(np.uint8)
    large = cv2.resize(levels, (ENLARGED, ENLARGED), interpolation=cv2.INTER_NEAREST)
    return cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def _url(pixels: NDArray[np.uint8], kind: str = "PNG") -> str:
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"

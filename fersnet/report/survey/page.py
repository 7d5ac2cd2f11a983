"""The page of a survey, which a person opens in a browser; and the key, which says what each item is."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from fersnet.errors import UserError
from fersnet.report.page import render
from fersnet.report.publication import credit
from fersnet.report.recompute import RunFolder
from fersnet.report.run_file import read_run
from fersnet.report.survey.draw import draw_survey

FOLDER, PAGE, KEY = "survey", "survey.html", "key.csv"


@dataclass(frozen=True)
class Survey:
    """A survey that was written."""

    page: Path
    items: int
    left_out: tuple[str, ...]


def write_survey(results: Path, faces: int, seed: int | None = None) -> Survey:
    """Write `survey/survey.html` and `survey/key.csv` into the folder of a run.

    Args:
        faces: of each system, and of the real ones, on each dataset.
        seed: of the draw; the run's where it is not given.

    Raises:
        UserError: if no face may be shown, the run is not as far, or the files cannot be written.
    """
    run = read_run(results)
    draw = draw_survey(RunFolder(results, run), faces, run.description.seed if seed is None else seed)
    items = [
        {
            "face": _picture(item.face),
            "beside": _picture(item.beside),
            "choices": item.choices,
            "credit": credit(item.dataset, run.description),
        }
        for item in draw.items
    ]
    # Nothing but pictures, choices and credits: what an item is stands in the key alone.
    page = render(
        "survey.html.j2", styles=("page.css", "survey.css"), program="survey.js", run=run.description.run,
        survey={"draw": draw.name, "items": items},
    )  # fmt: skip
    folder = results / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        (folder / PAGE).write_text(page, encoding="utf-8", newline="\n")
        draw.key().to_csv(folder / KEY, index=False, lineterminator="\n")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None
    return Survey(folder / PAGE, len(items), draw.left_out)


def _picture(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, "WEBP", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"

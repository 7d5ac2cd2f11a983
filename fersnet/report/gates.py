"""The ConvFLU memory gates, drawn beside the face that they come from."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fersnet.errors import UserError
from fersnet.report.description import RunDescription
from fersnet.report.files import fold_of, read_arrays
from fersnet.report.publication import credit, is_restricted, may_be_shown, why_nobody
from fersnet.report.style import PAGE_WIDTH, figure_style, finish, message_figure, new_figure
from fersnet.settings.report import ReportSettings

_GATE = re.compile(r"([zr])_(recognition|synthesis)_(\d+)")
_DIRECTION = {"recognition": "recognition ← synthesis", "synthesis": "synthesis ← recognition"}


def choose_gates(
    dataset: str, paths: Sequence[Path], description: RunDescription, settings: ReportSettings
) -> dict[str, np.ndarray] | None:
    """The gate maps of the first fold whose face may be shown; None where there is none.

    Each file holds `image` (S, S, C), `subject` (text), and maps `z_recognition_1`, ... float (H, W) in 0..1.

    Raises:
        UserError: if a file lacks its arrays, or does not name the subject although the faces are restricted.
    """
    for path in sorted(map(Path, paths), key=fold_of):
        if not read_arrays(path, ()):
            continue  # A fold without a test face.
        arrays = read_arrays(path, ("image", "subject") if is_restricted(dataset, description) else ("image",))
        if not any(_GATE.fullmatch(name) for name in arrays):
            raise UserError(f"{path}: it holds no gate map z_<task>_<level>; delete the file and run again")
        if "subject" not in arrays or may_be_shown(dataset, [str(arrays["subject"])], description, settings):
            return arrays
    return None


def draw_gates(
    dataset: str, arrays: dict[str, np.ndarray] | None, description: RunDescription, method: str = "fersnet"
) -> Figure:
    """The figure `gates_{dataset}`: a row per gate and direction, a column per level, all on the scale 0..1.

    Maps are means over channels. The memory gate z is the share that a position takes from the other task; the leaky
    gate r, where it is given, what it lets through.
    """
    subjects = "n = 1 face" if arrays is not None else "n = 0 faces"
    footer = description.words([dataset], subjects) + " Mean over channels; memory gate z: 0 keeps the task's own"
    footer += " features, 1 takes what the other task offers. " + credit(dataset, description)
    if arrays is None:
        return message_figure(why_nobody(dataset, description), footer, PAGE_WIDTH)
    found = {match.groups(): arrays[name] for name in sorted(arrays) if (match := _GATE.fullmatch(name))}
    kinds = sorted({(gate, task) for gate, task, _ in found}, key=lambda kind: (kind[0] != "z", kind[1]))
    levels = sorted({int(level) for _, _, level in found})
    with figure_style():
        figure = new_figure(PAGE_WIDTH * 0.75, 0.7 + 1.25 * len(kinds))
        panels = figure.subplots(len(kinds), 1 + len(levels), squeeze=False)
        picture = arrays["image"]
        for row, (gate, task) in enumerate(kinds):
            axes = panels[row][0]
            axes.imshow(np.squeeze(picture), cmap="gray" if picture.shape[-1] == 1 else None)
            axes.set_ylabel(f"{gate}: {_DIRECTION[task].replace(' ← ', chr(10) + '← ')}")
            for column, level in enumerate(levels, start=1):
                axes = panels[row][column]
                values = found.get((gate, task, str(level)))
                if values is not None:
                    drawn = axes.imshow(values, cmap="viridis", vmin=0, vmax=1)
                    axes.set_xlabel(f"mean {float(values.mean()):.2f}", labelpad=2)
                if row == 0:
                    axes.set_title(f"Level {level}")
        panels[0][0].set_title("Input")
        for axes in panels.ravel():
            axes.set_xticks([])
            axes.set_yticks([])
        figure.colorbar(drawn, ax=panels, shrink=0.8, label="gate")
        figure.suptitle(f"{description.name_of(method)}, {description.name_of(dataset)}", fontsize=8)
        return finish(figure, footer)

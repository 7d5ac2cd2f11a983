"""The grids of synthetic faces, laid out as in the paper: input, a row per system, a column per expression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fersnet.errors import UserError
from fersnet.expressions import ABBREVIATIONS
from fersnet.folds import check_chosen
from fersnet.report.description import RunDescription
from fersnet.report.files import fold_of, read_arrays, read_table
from fersnet.report.publication import credit, may_be_shown, why_nobody
from fersnet.report.stored_faces import centre, open_faces
from fersnet.report.style import PAGE_WIDTH, figure_style, finish, message_figure, new_figure
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

REAL_ROW = "real"
"""The row below the systems: the subject's own faces, rendered ones where the data are embedded."""
_FACES_ACROSS = 17.8
"""Faces in the width of a page: two subjects with six expressions."""
_GAP = 0.06
"""Space between faces, as a share of a face."""


@dataclass(frozen=True)
class Block:
    """One test subject's part of a grid."""

    subject: str
    drawn: str
    """How the subject came into the figure: `chosen` or `random`."""
    expression: str
    """Expression of the input."""
    image: np.ndarray
    """The input, uint8 (S, S, C)."""
    faces: Mapping[str, Mapping[str, np.ndarray]]
    """By row (method key, or `real`) and target expression: uint8 (S, S, C)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The target expressions in their order: those of the systems, of which every one has the same."""
        return tuple(next(iter(self.faces.values())))


def grid_blocks(
    dataset: str,
    faces_folder: Path,
    syntheses: Mapping[str, Sequence[Path]],
    description: RunDescription,
    settings: ReportSettings,
) -> list[Block]:
    """Collect the faces of a grid: chosen and randomly drawn test subjects, each with one input of one expression.

    Args:
        faces_folder: Folder with `faces.npy` and `faces.parquet`.
        syntheses: By method, in the order of the rows, its files `synthesis/{dataset}/{method}/fold{k}.npz`.

    Returns:
        Chosen subjects first. Empty where no subject may be shown.

    Raises:
        UserError: if a chosen subject is not among the test subjects or may not be shown, or a file is malformed.
    """
    if not any(len(paths) for paths in syntheses.values()):
        raise UserError(f"synthesis of {dataset}: there is no file to show; run the synthesis first")
    table = read_table(faces_folder / "faces.parquet", ("sequence_id", "subject", "expression", "frame", "role"))
    stored = open_faces(faces_folder / "faces.npy", len(table))
    parts = {
        method: [read_arrays(path, ("images", "source", "target")) for path in sorted(paths, key=fold_of)]
        for method, paths in syntheses.items()
    }
    tested = np.unique(np.concatenate([arrays["source"] for own in list(parts.values())[:1] for arrays in own]))
    people = table["subject"].astype(str).to_numpy()[tested]
    available = {str(subject): tested[people == subject] for subject in np.unique(people)}
    allowed = may_be_shown(dataset, available, description, settings)
    rng = np.random.default_rng(derive_seed(description.seed, "grid", dataset))
    blocks = []
    for subject, drawn in _subjects(dataset, allowed, settings, rng):
        source = int(available[subject][0] if drawn == "chosen" else rng.choice(available[subject]))
        rows = {method: _outputs(arrays, source) for method, arrays in parts.items()}
        size = next(iter(next(iter(rows.values())).values())).shape[0]
        rows[REAL_ROW] = _real_faces(table, stored, subject, size)
        blocks.append(Block(subject, drawn, str(table["expression"].iloc[source]), centre(stored[source], size), rows))
    return blocks


def draw_grid(dataset: str, blocks: Sequence[Block], description: RunDescription) -> Figure:
    """The figure `synthesis_{dataset}`: two subjects side by side, or more where there are few expressions, and as many
    rows of subjects as it takes."""
    footer = description.words([dataset], f"n = {len(blocks)} of the test subjects") + " Last row: the subject's own"
    footer += " faces of that expression, where there are any. " + credit(dataset, description)
    if not blocks:
        return message_figure(why_nobody(dataset, description), footer, PAGE_WIDTH)
    with figure_style():
        sides = len(blocks[0].columns) + 2.9  # Width of a subject in faces: the input and the names beside the grid.
        most = round(_FACES_ACROSS / sides)
        across = min(most, len(blocks))
        down = -(-len(blocks) // across)
        height = PAGE_WIDTH / most * (len(blocks[0].faces) + 0.8) / sides
        figure = new_figure(PAGE_WIDTH * across / most, down * height + 0.35)
        grid = figure.subplots(down, across, squeeze=False).ravel()
        for axes, block in zip(grid, blocks, strict=False):
            _draw_block(axes, block, description)
        for axes in grid[len(blocks) :]:
            axes.axis("off")
        return finish(figure, footer)


def draw_strip(images: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, footer: str) -> Figure:
    """Faces uint8 (rows, columns, S, S, C) with names: e.g. an expression's intensity from left to right."""
    with figure_style():
        figure = new_figure(PAGE_WIDTH / 2, PAGE_WIDTH / 2 * (len(rows) + 0.8) / (len(columns) + 1.5) + 0.35)
        axes = figure.subplots()
        step = 1 + _GAP
        for row, name in enumerate(rows):
            axes.text(-0.15, row * step + 0.5, name, ha="right", va="center")
            for column in range(len(columns)):
                _show(axes, images[row, column], column * step, row * step)
        for column, name in enumerate(columns):
            axes.text(column * step + 0.5, -0.1, name, ha="center", va="bottom")
        _frame(axes, -1.5, len(columns) * step, len(rows) * step)
        axes.set_title(title)
        return finish(figure, footer)


def _draw_block(axes: Axes, block: Block, description: RunDescription) -> None:
    step = 1 + _GAP
    rows = list(block.faces)
    labels = 1.5
    first = step + labels
    middle = (len(rows) * step - _GAP) / 2
    _show(axes, block.image, 0, middle - 0.5)
    axes.text(0.5, middle - 0.6, "Input", ha="center", va="bottom")
    axes.text(0.5, middle + 0.6, f"{ABBREVIATIONS[block.expression]}, {block.subject}", ha="center", va="top", size=5.5)
    axes.text(0.5, middle + 0.95, f"({block.drawn})", ha="center", va="top", size=5.5)
    for row, method in enumerate(rows):
        name = "Original" if method == REAL_ROW else description.name_of(method)
        axes.text(first - 0.12, row * step + 0.5, name, ha="right", va="center", size=6.5)
        for column, expression in enumerate(block.columns):
            face = block.faces[method].get(expression)
            if face is not None:
                _show(axes, face, first + column * step, row * step)
    for column, expression in enumerate(block.columns):
        axes.text(first + column * step + 0.5, -0.08, ABBREVIATIONS[expression], ha="center", va="bottom")
    _frame(axes, -0.1, first + len(block.columns) * step, len(rows) * step)


def _frame(axes: Axes, left: float, right: float, bottom: float) -> None:
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, -0.5)
    axes.set_aspect("equal")
    axes.axis("off")


def _show(axes: Axes, image: np.ndarray, left: float, top: float) -> None:
    picture = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    axes.imshow(picture, extent=(left, left + 1, top + 1, top), interpolation="none")


def _subjects(
    dataset: str, allowed: tuple[str, ...], settings: ReportSettings, rng: np.random.Generator
) -> list[tuple[str, str]]:
    chosen = list(settings.chosen_subjects.get(dataset, allowed[:2]))
    check_chosen(dataset, chosen, allowed)
    others = [subject for subject in allowed if subject not in chosen]
    count = min(settings.random_subjects, len(others))
    drawn = sorted(rng.choice(len(others), count, replace=False)) if count else []
    return [(subject, "chosen") for subject in chosen] + [(others[index], "random") for index in drawn]


def _outputs(parts: Sequence[Mapping[str, np.ndarray]], source: int) -> dict[str, np.ndarray]:
    found = {}
    for arrays in parts:
        for position in np.flatnonzero(arrays["source"] == source):
            found.setdefault(str(arrays["target"][position]), arrays["images"][position])
    if not found:
        raise UserError(f"synthesis: a system lacks the test face in row {source} of faces.parquet; make it again")
    return found


def _real_faces(table: pd.DataFrame, stored: np.ndarray, subject: str, size: int) -> dict[str, np.ndarray]:
    peaks = table[(table["subject"].astype(str) == subject) & (table["role"] == "peak")]
    found = {}
    for expression, frame in peaks.sort_values(["sequence_id", "frame"], kind="stable").groupby("expression"):
        first = frame[frame["sequence_id"] == frame["sequence_id"].iloc[0]]
        found[str(expression)] = centre(stored[int(first.index[-1])], size)
    return found

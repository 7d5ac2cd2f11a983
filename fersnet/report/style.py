"""The look of the figures, and how they are saved.

Widths are those of a two-column paper (3.5 in a column, 7.16 in the page) at the size of print, so that text stays
legible without scaling. Files carry neither dates nor versions: the same data give the same bytes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from matplotlib import rc_context, rcdefaults
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLUMN_WIDTH = 3.5
"""Width of one column in inches."""
PAGE_WIDTH = 7.16
"""Width of both columns in inches."""
QUOTED_COLOUR = "#444444"
"""Colour of figures that are quoted from the paper."""
_FOOTER_SIZE = 5.5
_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 7.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 7.0,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "lines.markersize": 4.0,
    "pdf.fonttype": 42,
    "svg.hashsalt": "fersnet",
    "image.interpolation": "nearest",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """The settings of all figures, for the time of a `with` block; a matplotlibrc of the user's does not count."""
    import seaborn

    with rc_context():
        rcdefaults()
        with seaborn.axes_style("ticks"), rc_context(_SETTINGS):
            yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure (inches) outside of pyplot's global state, with a layout that keeps labels apart."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def palette(count: int) -> list[tuple[float, float, float]]:
    """Colours that colour-blind readers can tell apart; more than ten are taken from a wider circle."""
    import seaborn

    return list(seaborn.color_palette("colorblind" if count <= 10 else "husl", count))


def finish(figure: Figure, footer: str) -> Figure:
    """Write the line of provenance below the figure, wrapped to its width."""
    import textwrap

    width = figure.get_size_inches()[0]
    lines = textwrap.wrap(footer, max(20, int(width * 22)))
    # The layout engine leaves room for a `supxlabel`; plain text would be overlapped.
    figure.supxlabel("\n".join(lines), fontsize=_FOOTER_SIZE, color="#555555", x=0.01, ha="left", linespacing=1.2)
    return figure


def message_figure(text: str, footer: str, width: float = COLUMN_WIDTH) -> Figure:
    """A figure that says in words why there is nothing to show."""
    import textwrap

    with figure_style():
        figure = new_figure(width, 1.2)
        axes = figure.subplots()
        axes.axis("off")
        wrapped = "\n".join(textwrap.wrap(text, int(width * 18)))
        axes.text(0.5, 0.5, wrapped, ha="center", va="center", transform=axes.transAxes)
        return finish(figure, footer)


def interval_marks(
    axes: Axes, positions: Sequence[float], values: Sequence[float], lows: Sequence[float], highs: Sequence[float]
) -> None:
    """Horizontal confidence intervals at the given heights; missing ends draw nothing."""
    for position, value, low, high in zip(positions, values, lows, highs, strict=True):
        if low == low and high == high and value == value:
            axes.plot([low, high], [position, position], color="black", linewidth=0.9, solid_capstyle="butt", zorder=3)


def save_figure(figure: Figure, path: Path, dpi: int = 300) -> tuple[Path, Path]:
    """Save `path.png` and `path.pdf` (path without suffix), and return both paths."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raster, vector = path.with_name(path.name + ".png"), path.with_name(path.name + ".pdf")
    with figure_style():
        figure.savefig(raster, dpi=dpi, metadata={"Software": None})
        figure.set_layout_engine("none")  # Keeps the places just found: the second file need not look for them again.
        figure.savefig(vector, dpi=dpi, metadata={"Creator": None, "Producer": None, "CreationDate": None})
    return raster, vector

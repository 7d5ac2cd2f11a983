"""All recognition methods of a dataset in order, with intervals."""

import pandas as pd
from matplotlib.figure import Figure

from fersnet.report.description import RunDescription
from fersnet.report.style import (
    COLUMN_WIDTH,
    QUOTED_COLOUR,
    figure_style,
    finish,
    interval_marks,
    new_figure,
    palette,
)


def draw_ranking(table: pd.DataFrame, dataset: str, description: RunDescription) -> Figure:
    """The figure `ranking_{dataset}`: re-run methods by accuracy, with interval, beside the figure that is quoted.

    Methods that were not re-run stand below, in the order of their quoted figure, and have the quoted mark only.

    Args:
        table: Rows of `fer_{dataset}.csv`.
    """
    ordered = table.assign(again=table["accuracy"].notna()).sort_values(
        ["again", "accuracy", "reported"], kind="stable", na_position="first"
    )
    positions = list(range(len(ordered)))
    run_colour, own_colour = palette(4)[0], palette(4)[3]
    with figure_style():
        figure = new_figure(COLUMN_WIDTH, 0.9 + 0.19 * len(ordered))
        axes = figure.subplots()
        interval_marks(axes, positions, ordered["accuracy"], ordered["ci_low"], ordered["ci_high"])
        own = ordered["method"].str.startswith("fersnet").to_numpy()
        for mask, colour, label in ((~own, run_colour, "re-run"), (own, own_colour, "re-run, FERSNet")):
            at = [position for position, chosen in zip(positions, mask, strict=True) if chosen]
            if ordered.loc[mask, "accuracy"].notna().any():
                axes.plot(
                    ordered.loc[mask, "accuracy"], at, linestyle="", marker="o", color=colour, label=label, zorder=4
                )
        axes.plot(
            ordered["reported"], positions, linestyle="", marker="D", markersize=3.5, color=QUOTED_COLOUR,
            markerfacecolor="white", label="quoted from the paper",
        )  # fmt: skip
        axes.set_yticks(positions, ordered["name"])
        axes.set_ylim(-0.7, len(ordered) - 0.3)
        axes.grid(axis="x", linewidth=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("Sequence accuracy (%)")
        axes.set_title(f"{description.name_of(dataset)} ({description.data_of(dataset)} faces)")
        figure.legend(loc="outside upper left", ncols=3, columnspacing=0.8, handletextpad=0.2)
        n = ordered["n_sequences"].max()
        footer = description.words([dataset], f"n = {0 if pd.isna(n) else int(n)} sequences")
        return finish(figure, footer + " Lines: bootstrap intervals over subjects. Quoted figures: other protocols.")

"""The ablation as bars with intervals."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fersnet.report.description import RunDescription
from fersnet.report.style import PAGE_WIDTH, QUOTED_COLOUR, figure_style, finish, new_figure, palette


def draw_ablation(table: pd.DataFrame, description: RunDescription) -> Figure:
    """The figure `ablation`: a panel per dataset, a bar per variant, with interval, and the paper's figure as a mark.

    Args:
        table: Rows of `ablation.csv`: `method, name, dataset, reported, accuracy, ci_low, ci_high, n_sequences`.
    """
    datasets = list(dict.fromkeys(table["dataset"]))
    methods = list(dict.fromkeys(table["method"]))
    colours = dict(zip(methods, palette(len(methods)), strict=True))
    counts = []
    with figure_style():
        figure = new_figure(PAGE_WIDTH, 2.5)
        panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
        for axes, dataset in zip(panels, datasets, strict=True):
            rows = table[table["dataset"] == dataset].reset_index(drop=True)
            run = rows[rows["accuracy"].notna()]
            at = run.index.to_numpy()
            axes.bar(at, run["accuracy"], width=0.7, color=[colours[method] for method in run["method"]])
            for position, row in zip(at, run.to_dict("records"), strict=True):
                if pd.notna(row["ci_low"]):
                    axes.plot([position] * 2, [row["ci_low"], row["ci_high"]], color="black", linewidth=0.9)
                text = f"{row['accuracy']:.1f}"
                axes.text(position, 1.5, text, ha="center", va="bottom", fontsize=6, color="white")
            axes.plot(
                rows.index, rows["reported"], linestyle="", marker="D", markersize=3.5, color=QUOTED_COLOUR,
                markerfacecolor="white", label="paper",
            )  # fmt: skip
            axes.set_xticks(np.arange(len(rows)), rows["name"], rotation=30, ha="right", rotation_mode="anchor")
            axes.set_title(f"{description.name_of(dataset)} ({description.data_of(dataset)} faces)")
            axes.set_ylim(0, 104)
            axes.spines[["top", "right"]].set_visible(False)
            n = run["n_sequences"].max()
            counts.append(f"{0 if pd.isna(n) else int(n)} sequences ({description.name_of(dataset)})")
        panels[0].set_ylabel("Sequence accuracy (%)")
        if table["reported"].notna().any():
            figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right")
        footer = description.words(datasets, f"n = {', '.join(counts)}")
        return finish(
            figure, footer + " Bars with bootstrap intervals over subjects; diamonds: the paper's figures, by image."
        )

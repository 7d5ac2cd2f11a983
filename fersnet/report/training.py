"""Training curves."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fersnet.report.description import RunDescription
from fersnet.report.style import PAGE_WIDTH, figure_style, finish, message_figure, new_figure, palette

_NO_METRIC = frozenset(
    ("stage", "epoch", "seconds", "dataset", "method", "fold", "time", "step", "learning_rate", "images_per_second")
)
LARGEST_PANELS = 12
"""A figure with more panels than this cannot be read; the first ones are drawn."""


def draw_training(histories: pd.DataFrame, dataset: str, description: RunDescription) -> Figure:
    """The figure `training_{dataset}`: a panel per loss or accuracy, a line per method, with the range over folds.

    Args:
        histories: Rows of `history.csv` with `dataset, method, fold`; other datasets' rows are ignored.
    """
    import seaborn

    here = histories[histories["dataset"] == dataset].copy()
    metrics = [
        column
        for column in here.columns
        if column not in _NO_METRIC and pd.api.types.is_numeric_dtype(here[column]) and here[column].notna().any()
    ]
    # Accuracies first: they are what most readers look for.
    metrics = sorted(metrics, key=lambda name: "accuracy" not in name)[:LARGEST_PANELS]
    folds = here["fold"].nunique()
    footer = description.words([dataset], f"n = {folds} folds") + " Line: mean over folds; band: smallest to largest."
    if not metrics:
        return message_figure("No training history was written for this dataset.", footer, PAGE_WIDTH)
    here["running"] = here.groupby(["method", "fold"], group_keys=False)["epoch"].transform(
        lambda column: np.arange(1, len(column) + 1)
    )
    methods = sorted(here["method"].unique())
    colours = dict(zip(methods, palette(len(methods)), strict=True))
    with figure_style():
        across = min(3, len(metrics))
        down = -(-len(metrics) // across)
        figure = new_figure(PAGE_WIDTH, 0.8 + 1.5 * down)
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for axes, metric in zip(panels, metrics, strict=False):
            rows = here[here[metric].notna()]
            seaborn.lineplot(
                rows, x="running", y=metric, hue="method", hue_order=methods, palette=colours,
                errorbar=("pi", 100), legend=False, ax=axes,
            )  # fmt: skip
            axes.set_title(metric.replace("_", " "))
            axes.set_xlabel("Epoch")
            axes.set_ylabel("")
            if (rows[metric] > 0).all() and rows[metric].max() > 100 * rows[metric].min():
                axes.set_yscale("log")
            axes.spines[["top", "right"]].set_visible(False)
        for axes in panels[len(metrics) :]:
            axes.axis("off")
        for method in methods:
            panels[0].plot([], [], color=colours[method], label=description.name_of(method))
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=min(5, len(methods)))
        return finish(figure, f"{description.name_of(dataset)}. {footer}")

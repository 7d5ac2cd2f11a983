"""Expression against identity: what a system gains in one, it may have lost in the other."""

import pandas as pd
from matplotlib.figure import Figure

from fersnet.report.comparisons import IDENTITY_MAP, REAL_TARGET
from fersnet.report.description import RunDescription
from fersnet.report.style import PAGE_WIDTH, figure_style, finish, message_figure, new_figure, palette

REFERENCE_MARKERS = {IDENTITY_MAP: "s", REAL_TARGET: "D"}


def draw_scatter(table: pd.DataFrame, description: RunDescription) -> Figure:
    """The figure `synthesis_scatter`: accuracy on the synthetic faces against identity similarity, a panel per dataset.

    Args:
        table: Rows of `synthesis.csv`: `method, name, dataset, accuracy, ci_low, ci_high, identity_cosine, n_images`.
    """
    judged = table[table["accuracy"].notna() & table["identity_cosine"].notna()]
    datasets = list(dict.fromkeys(judged["dataset"]))
    if not datasets:
        return message_figure("No system's synthetic faces have been judged.", description.words([], "n = 0 images"))
    methods = list(dict.fromkeys(judged["method"]))
    colours = dict(zip(methods, palette(len(methods)), strict=True))
    counts = []
    with figure_style():
        figure = new_figure(min(PAGE_WIDTH, 3.2 * len(datasets) + 0.8), 2.9)
        panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
        for axes, dataset in zip(panels, datasets, strict=True):
            rows = judged[judged["dataset"] == dataset]
            for row in rows.to_dict("records"):
                x, y = row["identity_cosine"], row["accuracy"]
                reference = row["method"] in REFERENCE_MARKERS
                colour = "#888888" if reference else colours[row["method"]]
                if pd.notna(row["ci_low"]):
                    axes.plot([x, x], [row["ci_low"], row["ci_high"]], color=colour, linewidth=0.8, zorder=2)
                marker = REFERENCE_MARKERS.get(row["method"], "o")
                axes.plot(x, y, marker=marker, color=colour, linestyle="", zorder=3, label=row["name"])
            axes.set_title(f"{description.name_of(dataset)} ({description.data_of(dataset)} faces)")
            axes.set_xlabel("Identity similarity (cosine)")
            axes.set_ylim(0, 102)
            axes.margins(x=0.15)
            axes.grid(linewidth=0.3)
            axes.spines[["top", "right"]].set_visible(False)
            counts.append(f"{int(rows['n_images'].max())} images ({description.name_of(dataset)})")
        panels[0].set_ylabel("Accuracy on synthetic faces (%)")
        handles: dict[str, object] = {}
        for axes in panels:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        figure.legend(handles.values(), handles.keys(), loc="outside right upper", handletextpad=0.2)
        footer = description.words(datasets, f"n = {', '.join(counts)} per system")
        return finish(
            figure, footer + " Top right is best; grey marks are references, and copying the input lies far right."
        )

"""Confusion matrices."""

import pandas as pd
from matplotlib.figure import Figure

from fersnet.expressions import ABBREVIATIONS, in_vocabulary_order
from fersnet.report.description import RunDescription
from fersnet.report.statistics import confusion_matrix, probability_columns, sequence_predictions
from fersnet.report.style import COLUMN_WIDTH, figure_style, finish, new_figure


def recognition_confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """Counts of sequences (rows: true, columns: predicted) of one method on one dataset, pooled over folds."""
    own = predictions.dropna(axis=1, how="all")
    sequences = sequence_predictions(own)
    return confusion_matrix(sequences["expression"], sequences["predicted"], probability_columns(own))


def synthesis_confusion(evaluation: pd.DataFrame) -> pd.DataFrame:
    """Counts of synthetic faces (rows: target, columns: what the standard FER model reads) of one system."""
    expressions = in_vocabulary_order(set(evaluation["target"]) | set(evaluation["predicted"]))
    return confusion_matrix(evaluation["target"], evaluation["predicted"], expressions)


def draw_confusion(
    counts: pd.DataFrame,
    dataset: str,
    method: str,
    description: RunDescription,
    *,
    unit: str = "sequences",
    row_label: str = "True expression",
) -> Figure:
    """The figure `confusion_{dataset}_{method}`: percent of each row in the colour and on top, counts below.

    Args:
        unit: What is counted: `sequences`, or `synthetic faces`.
        row_label: What the rows are: the true expression, or the target.
    """
    import seaborn

    totals = counts.sum(axis=1)
    shares = 100 * counts.div(totals.where(totals > 0), axis=0)
    labels = counts.astype(str)
    for row in counts.index:
        for column in counts.columns:
            share, count = shares.at[row, column], counts.at[row, column]
            labels.at[row, column] = "" if count == 0 else f"{share:.0f}\n({count})"
    short = [ABBREVIATIONS[expression] for expression in counts.index]
    with figure_style():
        figure = new_figure(COLUMN_WIDTH, COLUMN_WIDTH * 0.88)
        axes = figure.subplots()
        seaborn.heatmap(
            shares.fillna(0).to_numpy(),
            vmin=0,
            vmax=100,
            cmap="Blues",
            annot=labels.to_numpy(),
            fmt="",
            annot_kws={"size": 6},
            linewidths=0.4,
            square=True,
            xticklabels=short,
            yticklabels=[f"{name}  n={total}" for name, total in zip(short, totals, strict=True)],
            cbar_kws={"label": "% of row", "shrink": 0.75},
            ax=axes,
        )
        axes.tick_params(length=0)
        axes.set_yticklabels(axes.get_yticklabels(), rotation=0)
        axes.set_xlabel("Predicted expression")
        axes.set_ylabel(row_label)
        axes.set_title(f"{description.name_of(method)}, {description.name_of(dataset)}")
        return finish(figure, description.words([dataset], f"n = {int(totals.sum())} {unit}"))

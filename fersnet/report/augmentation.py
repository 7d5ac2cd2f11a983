"""Class counts of the training faces before and after augmentation by synthesis."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fersnet.errors import UserError
from fersnet.expressions import ABBREVIATIONS, VOCABULARY
from fersnet.report.description import RunDescription
from fersnet.report.style import COLUMN_WIDTH, figure_style, finish, new_figure, palette


def class_counts(faces: pd.DataFrame, folds: pd.DataFrame, augmentation: pd.DataFrame, selection: str) -> pd.DataFrame:
    """Real and synthetic training faces by fold and expression.

    Args:
        faces: Rows of `faces.parquet`; the peak frames count.
        folds: Rows of `folds.csv`.
        augmentation: Rows of `augmentation/{dataset}/fold{k}.csv` (`subject, target`) with
            `fold` added; where it has a column `kept`, only the faces that were kept count.
        selection: With `validation`, the subjects of fold k+1 are held out of training.

    Returns:
        `fold, expression, real, synthetic`.

    Raises:
        UserError: if a synthetic face was made from a test subject's.
    """
    made_faces = augmentation.reindex(columns=["fold", "subject", "target", "kept"])
    made_faces = made_faces[made_faces["kept"].isna() | (made_faces["kept"].astype(str) == "True")]
    peaks = faces[faces["role"] == "peak"]
    fold_by_subject = folds.drop_duplicates("subject").set_index("subject")["fold"]
    count = int(fold_by_subject.max())
    expressions = [name for name in VOCABULARY if (peaks["expression"] == name).any()]
    rows = []
    for fold in range(1, count + 1):
        # Classes that are balanced already need no synthetic face: the file has a header only.
        synthetic = made_faces[made_faces["fold"] == fold]
        left_out = {fold} | ({fold % count + 1} if selection == "validation" else set())
        training = set(fold_by_subject.index[~fold_by_subject.isin(left_out)])
        foreign = sorted(set(synthetic["subject"]) - training)
        if foreign:
            raise UserError(f"augmentation of fold {fold}: subject {foreign[0]} does not train in this fold")
        real = peaks.loc[peaks["subject"].isin(training), "expression"].value_counts()
        made = synthetic["target"].value_counts()
        rows += [(fold, name, int(real.get(name, 0)), int(made.get(name, 0))) for name in expressions]
    return pd.DataFrame(rows, columns=["fold", "expression", "real", "synthetic"])


def draw_class_counts(counts: pd.DataFrame, dataset: str, description: RunDescription) -> Figure:
    """The figure `augmentation_{dataset}`: training faces per expression, mean over folds, synthetic on real."""
    means = counts.groupby("expression")[["real", "synthetic"]].mean()
    means = means.reindex([name for name in VOCABULARY if name in means.index])
    at = np.arange(len(means))
    real_colour, synthetic_colour = palette(2)
    with figure_style():
        figure = new_figure(COLUMN_WIDTH, 2.3)
        axes = figure.subplots()
        axes.bar(at, means["real"], width=0.7, color=real_colour, label="real (before)")
        axes.bar(at, means["synthetic"], width=0.7, bottom=means["real"], color=synthetic_colour, label="synthetic")
        for position, (real, synthetic) in zip(at, means.to_numpy(), strict=True):
            axes.text(position, real + synthetic, f"{real + synthetic:.0f}", ha="center", va="bottom", fontsize=6)
        axes.set_xticks(at, [ABBREVIATIONS[name] for name in means.index])
        axes.set_ylabel("Training faces (mean over folds)")
        axes.set_title(f"{description.name_of(dataset)} ({description.data_of(dataset)} faces)")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper right", ncols=2)
        totals = counts.groupby("fold")[["real", "synthetic"]].sum().mean()
        n = f"n = {totals['real']:.0f} real and {totals['synthetic']:.0f} synthetic training faces a fold"
        return finish(figure, description.words([dataset], n))

"""The table of synthetic faces and the table of epoch-selection rules."""

import numpy as np
import pandas as pd

from fersnet.errors import UserError
from fersnet.report.description import SELECTION_WORDS, RunDescription
from fersnet.report.files import training_cost
from fersnet.report.statistics import (
    clustered_bootstrap,
    paired_bootstrap,
    sequence_predictions,
    unweighted_average_recall,
)
from fersnet.report.tables import percent
from fersnet.report.writing import Table
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

IDENTITY_MAP = "identity_map"
REAL_TARGET = "real_target"
STANDARD_FER = "standard_fer"
REFERENCE_ROWS = (IDENTITY_MAP, REAL_TARGET, STANDARD_FER)
COUNTS = ("n_sequences", "n_images", "n_subjects", "repeats")
"""Columns that are whole numbers, or empty where a system was not re-run."""
RULES = ("last", "validation", "test_best")

_REFERENCE_PROTOCOL = {
    IDENTITY_MAP: "reference: the input itself, judged against the target",
    REAL_TARGET: "reference: the subject's real image of the target expression, where there is one",
    STANDARD_FER: "ceiling: accuracy of the standard FER model on the real test faces, judged by their own label",
}


def synthesis_table(
    evaluations: pd.DataFrame,
    sets: pd.DataFrame,
    quoted: pd.DataFrame,
    jobs: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
    datasets: tuple[str, ...],
) -> Table:
    """The paper's second result: what a standard FER model reads in the synthetic faces, with further measures.

    Args:
        evaluations: Rows of `evaluation/{dataset}/fold{k}.parquet`, as `read_systems` returns them.
        sets: Rows of `evaluation/{dataset}/fold{k}_sets.csv`, as `read_systems` returns them.
        datasets: In the order of the table.
    """
    rows = []
    for dataset in datasets:
        by_method = {
            str(method): frame for method, frame in evaluations[evaluations["dataset"] == dataset].groupby("method")
        }
        if IDENTITY_MAP in by_method:
            by_method[STANDARD_FER] = _real_faces(by_method[IDENTITY_MAP])
        paper = quoted[(quoted["table"] == "synthesis") & (quoted["dataset"] == dataset)].set_index("method")
        own = [method for method in by_method if method not in paper.index and method not in REFERENCE_ROWS]
        for method in (*paper.index, *own, *(method for method in REFERENCE_ROWS if method in by_method)):
            known = paper.loc[method] if method in paper.index else None
            row: dict[str, object] = {
                "method": method,
                "name": description.name_of(method) if known is None else known["name"],
                "dataset": dataset,
                "dataset_name": description.name_of(dataset),
                "reported": np.nan if known is None else known["reported"],
                "protocol": _REFERENCE_PROTOCOL.get(method, "") if known is None else known["protocol"],
            }
            row |= _synthesis_columns(by_method.get(method), dataset, method, description, settings)
            chosen = sets[(sets["dataset"] == dataset) & (sets["method"] == method)]
            # The mean over folds: features of different folds' judges live in different spaces.
            row["kid_fer"] = _rounded(chosen["kid_fer"].mean(), 6)
            row["identity_auc"] = _rounded(chosen["identity_auc"].mean(), 6)
            row["core_hours"], row["gpu_hours"] = training_cost(jobs, dataset, method)
            rows.append(row | description.columns(dataset))
    frame = pd.DataFrame(rows).astype(dict.fromkeys(COUNTS, "Int64"))
    counts = frame[~frame["method"].isin(REFERENCE_ROWS)].groupby("dataset", sort=False)["n_images"].max().dropna()
    n = ", ".join(f"{int(count)} images ({description.name_of(dataset)})" for dataset, count in counts.items())
    return Table(
        "synthesis",
        frame,
        "Recognition accuracy (%) of a standard FER model on synthetic faces",
        description.words(datasets, f"n = {n or '0 images'} per system"),
        (
            "`reported` is the paper's figure; every re-run system meets the same test faces and all targets, and the "
            "standard FER model is trained on the real training faces of the fold. FERSNet learns from real target "
            "images of the same subject; the rivals use none. The paper does not publish the rivals' settings.",
            "SSIM and PSNR: against the subject's real image of the target expression, where there is one and it "
            "differs from the source's. Identity cosine and AUC: read them beside the accuracy, since copying the "
            f"input maximises them; features of {description.identity_features}. KID (FER features): kernel distance "
            "in the standard FER model's feature space, mean over folds, equal n for all; not comparable with "
            "Inception KID or FID, and a mere floor for the reference rows.",
        ),
        display=(
            *("dataset_name", "name", "reported", "accuracy", "ci_low", "ci_high", "ssim", "psnr"),
            *("identity_cosine", "identity_auc", "kid_fer", "core_hours", "gpu_hours", "n_images"),
        ),
        best=("reported", "accuracy"),
        group="dataset",
        unranked=REFERENCE_ROWS,
    )


def selection_table(
    predictions: pd.DataFrame,
    quoted: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
    method: str,
) -> Table:
    """Compares the rules that choose the epoch, on one and the same run with the validation subjects held out.

    `optimism` is what choosing on the test fold adds: the accuracy of `test_best` minus that of `validation`, with a
    paired bootstrap interval over subjects; `optimism_over_last` is the same against `last`.

    Args:
        predictions: Rows of `selection/{dataset}/fold{k}.parquet`, with `dataset, fold` added.

    Raises:
        UserError: if a rule is missing for a dataset.
    """
    rows = []
    for dataset in predictions["dataset"].drop_duplicates():
        here = predictions[predictions["dataset"] == dataset].dropna(axis=1, how="all")
        by_rule = {str(rule): frame for rule, frame in here.groupby("rule")}
        missing = [rule for rule in RULES if rule not in by_rule]
        if missing:
            raise UserError(f"selection/{dataset}: rule {missing[0]!r} is missing; delete the folder and run again")
        sequences = {rule: sequence_predictions(by_rule[rule]) for rule in RULES}
        people = sequences["last"]["subject"].to_numpy()
        correct = {rule: frame["correct"].to_numpy() for rule, frame in sequences.items()}
        if len({len(values) for values in correct.values()}) > 1:
            raise UserError(f"selection/{dataset}: the rules cover different sequences; delete the folder, run again")
        paper = quoted[(quoted["table"] == "fer") & (quoted["dataset"] == dataset) & (quoted["method"] == method)]
        for rule in RULES:
            seed = derive_seed(description.seed, "bootstrap", "selection", dataset, rule)
            options = (settings.bootstrap_samples, settings.confidence, seed)
            interval = clustered_bootstrap(correct[rule], people, *options)
            row: dict[str, object] = {
                "method": method,
                "name": description.name_of(method),
                "dataset": dataset,
                "dataset_name": description.name_of(dataset),
                "rule": rule,
                # The paper's figure was chosen on the test fold by its released code.
                "reported": paper["reported"].iloc[0] if rule == "test_best" and len(paper) else np.nan,
                "accuracy": percent(correct[rule].mean()),
                "ci_low": percent(interval.low),
                "ci_high": percent(interval.high),
                "epoch": float(by_rule[rule].groupby("fold")["epoch"].first().median()),
                "n_sequences": len(people),
            }
            gains = dict.fromkeys(("optimism", "optimism_low", "optimism_high", "optimism_over_last"), np.nan)
            if rule == "test_best":
                ends = paired_bootstrap(correct[rule], correct["validation"], people, *options)
                gains["optimism"] = percent(correct[rule].mean() - correct["validation"].mean())
                gains["optimism_low"], gains["optimism_high"] = percent(ends.low), percent(ends.high)
                gains["optimism_over_last"] = percent(correct[rule].mean() - correct["last"].mean())
            rows.append(row | gains | description.columns(dataset) | {"selection": rule})
    columns = ["method", "name", "dataset", "dataset_name", "rule", "reported", "accuracy", "ci_low", "ci_high"]
    columns += ["epoch", "n_sequences", "optimism", "optimism_low", "optimism_high", "optimism_over_last"]
    frame = pd.DataFrame(rows, columns=None if rows else columns)
    counts = frame.groupby("dataset", sort=False)["n_sequences"].max()
    n = ", ".join(f"{int(count)} sequences ({description.name_of(dataset)})" for dataset, count in counts.items())
    words = "; ".join(f"`{rule}`: {SELECTION_WORDS[rule]}" for rule in RULES)
    return Table(
        "selection",
        frame,
        f"Effect of the rule that chooses the epoch on {description.name_of(method)}: sequence accuracy (%)",
        description.words(counts.index, f"n = {n or '0 sequences'}", selection="all three selection rules"),
        (
            f"One and the same training with the validation subjects held out. {words}. `Optimism`: accuracy of "
            "`test_best` minus that of `validation`, with a paired bootstrap interval over subjects.",
        ),
        display=(
            *("dataset_name", "name", "rule", "reported", "accuracy", "ci_low", "ci_high"),
            *("epoch", "optimism", "optimism_low", "optimism_high", "n_sequences"),
        ),
    )


def _real_faces(identity_map: pd.DataFrame) -> pd.DataFrame:
    """The judge's answers on the real test faces: the identity map once per source, with its own label as target."""
    once = identity_map.drop_duplicates(["fold", "source"])
    return once.assign(target=once["expression"], ssim=np.nan, psnr=np.nan, identity_cosine=np.nan)


def _synthesis_columns(
    frame: pd.DataFrame | None, dataset: str, method: str, description: RunDescription, settings: ReportSettings
) -> dict[str, object]:
    columns = ("accuracy", "ci_low", "ci_high", "uar", "ssim", "psnr", "identity_cosine")
    if frame is None:
        return dict.fromkeys(columns, np.nan) | dict.fromkeys(COUNTS, pd.NA)
    correct = (frame["predicted"] == frame["target"]).to_numpy()
    repeats = frame["repeat"].nunique()
    seed = derive_seed(description.seed, "bootstrap", "synthesis", dataset, method)
    subjects = frame["subject"].to_numpy()
    interval = clustered_bootstrap(correct, subjects, settings.bootstrap_samples, settings.confidence, seed)
    return {
        "accuracy": percent(correct.mean()),
        "ci_low": percent(interval.low),
        "ci_high": percent(interval.high),
        "uar": percent(unweighted_average_recall(frame["target"], frame["predicted"])),
        "ssim": _rounded(frame["ssim"].mean(), 6),
        "psnr": _rounded(frame["psnr"].mean(), 4),
        "identity_cosine": _rounded(frame["identity_cosine"].mean(), 6),
        "n_sequences": frame["sequence_id"].nunique(),
        "n_images": len(frame) // repeats,
        "n_subjects": frame["subject"].nunique(),
        "repeats": repeats,
    }


def _rounded(value: float, decimals: int) -> float:
    return round(float(value), decimals)

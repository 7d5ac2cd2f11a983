"""The table of synthetic faces and the table of epoch-selection rules."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fersnet.errors import UserError
from fersnet.report.description import SELECTION_WORDS, RunDescription
from fersnet.report.files import training_cost
from fersnet.report.rows import PLACE, SCORE, Row, count_words, frame_of, paper_rows, percent, place_of, score_columns
from fersnet.report.statistics import (
    clustered_bootstrap,
    paired_bootstrap,
    sequence_predictions,
    unweighted_average_recall,
)
from fersnet.report.table import Table, columns
from fersnet.report.units import accuracy_in, read_unit
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

IDENTITY_MAP = "identity_map"
REAL_TARGET = "real_target"
STANDARD_FER = "standard_fer"
REFERENCE_ROWS = (IDENTITY_MAP, REAL_TARGET, STANDARD_FER)
RULES = tuple(SELECTION_WORDS)

JUDGE_WORDS = {
    "fixed": "one fixed network for rendered faces, trained on rendered people of its own, whom no run contains",
    "fold": "trained on the real training faces of the fold",
    "other_sets": "trained on the real training faces of the fold and those of the run's other sets",
}
"""What the standard FER model is, by `standard_fer.trained_on`."""

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
    judges: Mapping[str, str],
) -> Table:
    """The paper's second result: what a standard FER model reads in the synthetic faces, with further measures.

    Args:
        evaluations: Rows of `evaluation/{dataset}/fold{k}.parquet`, as `read_systems` returns them.
        sets: Rows of `evaluation/{dataset}/fold{k}_sets.csv`, as `read_systems` returns them.
        datasets: In the order of the table.
        judges: On what the judge of each dataset was trained, a key of `JUDGE_WORDS`.
    """
    rows = []
    for dataset in datasets:
        by_method = {
            str(method): frame for method, frame in evaluations[evaluations["dataset"] == dataset].groupby("method")
        }
        if IDENTITY_MAP in by_method:
            by_method[STANDARD_FER] = _real_faces(by_method[IDENTITY_MAP])
        ceiling = _accuracy(by_method.get(STANDARD_FER))
        run = sorted(by_method, key=lambda method: REFERENCE_ROWS.index(method) if method in REFERENCE_ROWS else -1)
        for method, row in paper_rows("synthesis", dataset, quoted, run, description).items():
            row.setdefault("protocol", _REFERENCE_PROTOCOL.get(method, ""))
            if method in by_method:
                row |= _judged(by_method[method], dataset, method, description, settings)
                share = _accuracy(by_method[method]) / ceiling if ceiling else np.nan
                row |= {"judge": judges[dataset], "ceiling": percent(ceiling), "share_of_ceiling": percent(share)}
            chosen = sets[(sets["dataset"] == dataset) & (sets["method"] == method)]
            # The mean over folds: features of judges that the folds train live in different spaces.
            row |= {measure: round(float(chosen[measure].mean()), 6) for measure in ("kid_fer", "identity_auc")}
            row["core_hours"], row["gpu_hours"] = training_cost(jobs, dataset, method)
            rows.append(row)
    measures = (*SCORE, "judge", "ceiling", "share_of_ceiling", "confidence", "uar", "ssim", "psnr", "identity_cosine")
    measures += ("n_sequences", "n_images", "n_subjects", "tested_folds", "repeats", "kid_fer", "identity_auc")
    measures += ("core_hours", "gpu_hours")
    frame = frame_of(rows, [*PLACE, "reported", "unit", "protocol", *measures], description)
    systems = frame[~frame["method"].isin(REFERENCE_ROWS)]
    return Table(
        "synthesis",
        frame,
        "Recognition accuracy (%) of a standard FER model on synthetic faces",
        description.words(datasets, f"n = {count_words(systems, 'n_images', 'images', description)} per system"),
        (
            "`reported` is the paper's figure; every re-run system meets the same test faces and all targets. FERSNet "
            "learns from real target images of the same subject; the rivals use none. The paper does not publish the "
            "rivals' settings. Its figures, like these, are shares of synthetic images; as it has as many of them as "
            "real ones, it seems to draw one target for each (`unit`).",
            f"{_judge_words(frame, judges)} Share of ceiling: accuracy over that on the real faces. Confidence: mean "
            "of its largest probability; low means that it sees no expression.",
            "SSIM and PSNR: against the subject's real image of the target expression, where there is one and it "
            "differs from the source's. Identity cosine and AUC: read them beside the accuracy, since copying the "
            f"input maximises them; features of {description.identity_features}. KID (FER features): kernel distance "
            "in the standard FER model's feature space, mean over folds, equal n for all; not comparable with "
            "Inception KID or FID, and a mere floor for the reference rows.",
        ),
        columns=columns(
            *("dataset_name", "name", "reported", "unit", "accuracy", "ci_low", "ci_high", "share_of_ceiling"),
            "confidence",
            *("ssim", "psnr", "identity_cosine", "identity_auc", "kid_fer", "core_hours", "gpu_hours", "n_images"),
        ),
        best=("reported", "accuracy"),
        group="dataset",
        unranked=REFERENCE_ROWS,
        needed=("name", "reported", "accuracy", "share_of_ceiling", "confidence", "identity_auc", "ssim"),
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
            row = place_of(method, dataset, description) | {"rule": rule, "selection": rule}
            row |= score_columns(correct[rule].mean(), interval)
            row["epoch"] = float(by_rule[rule].groupby("fold")["epoch"].first().median())
            row["n_sequences"] = len(people)
            if rule == "test_best":
                ends = paired_bootstrap(correct[rule], correct["validation"], people, *options)
                row["optimism"] = percent(correct[rule].mean() - correct["validation"].mean())
                row["optimism_low"], row["optimism_high"] = percent(ends.low), percent(ends.high)
                row["optimism_over_last"] = percent(correct[rule].mean() - correct["last"].mean())
                # The paper's figure was chosen on the test fold by its released code.
                if len(paper):
                    row |= paper[["reported", "unit"]].iloc[0].to_dict()
                if row.get("unit"):
                    row["accuracy_in_unit"] = percent(accuracy_in(read_unit(str(row["unit"])), by_rule[rule]))
            rows.append(row)
    gains = ("optimism", "optimism_low", "optimism_high", "optimism_over_last")
    own = ("rule", "reported", "unit", "accuracy_in_unit", *SCORE, "epoch", "n_sequences", *gains)
    frame = frame_of(rows, [*PLACE, *own], description)
    n = count_words(frame, "n_sequences", "sequences", description)
    words = "; ".join(f"`{rule}`: {SELECTION_WORDS[rule]}" for rule in RULES)
    return Table(
        "selection",
        frame,
        f"Effect of the rule that chooses the epoch on {description.name_of(method)}: sequence accuracy (%)",
        description.words(frame["dataset"], f"n = {n}", selection="all three selection rules"),
        (
            f"One and the same training with the validation subjects held out. {words}. `Optimism`: accuracy of "
            "`test_best` minus that of `validation`, with a paired bootstrap interval over subjects. `Accuracy, quoted "
            "unit` is this run's in the unit of the quoted figure.",
        ),
        columns=columns(
            *("dataset_name", "name", "rule", "reported", "unit", "accuracy_in_unit", "accuracy", "ci_low", "ci_high"),
            *("epoch", "optimism", "optimism_low", "optimism_high", "n_sequences"),
        ),
    )


def _real_faces(identity_map: pd.DataFrame) -> pd.DataFrame:
    """The judge's answers on the real test faces: the identity map once per source, with its own label as target."""
    once = identity_map.drop_duplicates(["fold", "source"])
    return once.assign(target=once["expression"], ssim=np.nan, psnr=np.nan, identity_cosine=np.nan)


def _accuracy(frame: pd.DataFrame | None) -> float:
    return np.nan if frame is None else float((frame["predicted"] == frame["target"]).mean())


def _judge_words(frame: pd.DataFrame, judges: Mapping[str, str]) -> str:
    """Which network judged, and its ceiling on every dataset: what it reads in the real test faces."""
    real = frame[frame["method"] == STANDARD_FER]
    if real.empty:
        return "The standard FER model, the judge, has read nothing yet."
    names = dict(zip(real["dataset"], real["dataset_name"], strict=True))
    of_kind = {kind: [name for key, name in names.items() if judges[key] == kind] for kind in JUDGE_WORDS}
    kinds = [f"{JUDGE_WORDS[kind]} ({', '.join(found)})" for kind, found in of_kind.items() if found]
    ceilings = ", ".join(f"{row.accuracy:.1f} % ({row.dataset_name})" for row in real.itertuples())
    return f"The standard FER model is the judge: {'; '.join(kinds)}. It reads {ceilings} of the real test faces."


def _judged(
    frame: pd.DataFrame, dataset: str, method: str, description: RunDescription, settings: ReportSettings
) -> Row:
    """What the judge and the further measures say of a system's faces."""
    correct = (frame["predicted"] == frame["target"]).to_numpy()
    repeats = frame["repeat"].nunique()
    seed = derive_seed(description.seed, "bootstrap", "synthesis", dataset, method)
    subjects = frame["subject"].to_numpy()
    interval = clustered_bootstrap(correct, subjects, settings.bootstrap_samples, settings.confidence, seed)
    row = score_columns(correct.mean(), interval)
    probabilities = frame[[column for column in frame if str(column).startswith("p_")]]
    row["confidence"] = round(float(probabilities.max(axis=1).mean()), 4)
    row["uar"] = percent(unweighted_average_recall(frame["target"], frame["predicted"]))
    for measure, decimals in (("ssim", 6), ("psnr", 4), ("identity_cosine", 6)):
        row[measure] = round(float(frame[measure].mean()), decimals)
    row |= {"n_sequences": frame["sequence_id"].nunique(), "n_images": len(frame) // repeats}
    tested = " ".join(map(str, sorted(frame["fold"].unique())))
    return row | {"n_subjects": frame["subject"].nunique(), "tested_folds": tested, "repeats": repeats}

"""The recognition tables of the paper, re-run figures beside the quoted ones: sequence counts, methods, ablation.

Each function takes data frames and returns a `Table`. Every figure can be recomputed from `predictions/`. Figures of
accuracy are percent; a method that has not been re-run keeps its row with an empty `accuracy`.
"""

from collections.abc import Collection, Mapping

import pandas as pd

from fersnet.expressions import NEUTRAL, SEVEN, VOCABULARY
from fersnet.report.description import RunDescription
from fersnet.report.files import trained_parameters, training_cost
from fersnet.report.rows import (
    PLACE,
    SCORE,
    Row,
    count_words,
    difference_columns,
    frame_of,
    paper_rows,
    percent,
    recognition_columns,
)
from fersnet.report.statistics import holm, paired_difference, paired_mcnemar, recognition_scores
from fersnet.report.table import Column, Table, columns
from fersnet.report.units import OTHER_PROTOCOLS, accuracy_in, read_unit
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

REFERENCE_METHOD = "fersnet"
"""The method that every other one is tested against."""
ABLATION_METHODS = ("fersnet_without_mtl", "fersnet_without_convflu", "fersnet", "fersnet_fes_da")

_QUOTED = ("reported", "unit", "pretrained", "setting", "protocol")
_JUDGED = (
    *SCORE,
    "accuracy_in_unit",
    *("frame_accuracy", "uar", "macro_f1", "n_sequences", "n_frames", "repeats"),
    *("difference", "difference_low", "difference_high", "mcnemar_p", "mcnemar_p_holm", "core_hours", "gpu_hours"),
)
_NOT_QUOTED = "not in the paper's table"
_UNIT_NOTE = (
    "`unit` says what the quoted figure is a share of, and of how many where that is known; most of it was found from "
    "the figures themselves. `Accuracy, quoted unit` is this run's in that unit, the one to lay beside `reported`"
)


def datasets_table(indexes: Mapping[str, pd.DataFrame], published: pd.DataFrame, description: RunDescription) -> Table:
    """The paper's table of sequence counts, with the published count and the difference from it.

    Args:
        indexes: By dataset, the labelled rows of `index.parquet`.
        published: Counts of the paper by dataset, as `read_published_counts` returns them.
    """
    neutral = any((index["expression"] == NEUTRAL).any() for index in indexes.values())
    expressions = VOCABULARY if neutral else SEVEN
    counted = (*expressions, "total")
    published_columns = [f"published_{column}" for column in (*SEVEN, "total")]
    rows = []
    for dataset, index in indexes.items():
        counts = index["expression"].value_counts()
        known = published.loc[dataset].dropna() if dataset in published.index else pd.Series(dtype=float)
        row: Row = {"method": "", "name": description.name_of(dataset), "dataset": dataset}
        # An expression that neither this copy nor the paper's has is a dash in the paper: empty here.
        row |= {name: counts.get(name, 0) for name in expressions if name in counts or name in known}
        row |= {"total": len(index), "subjects": index["subject"].nunique(), "n_sequences": len(index)}
        row |= {f"published_{column}": count for column, count in known.items()}
        if "total" in known:
            row |= {"difference": len(index) - known["total"], "reported": known["total"]}
        rows.append(row)
    whole = [*counted, "subjects", *published_columns, "difference", "reported"]
    frame = frame_of(rows, ["method", "name", "dataset", *whole, *SCORE, "n_sequences"], description)
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    total = int(frame["total"].sum())
    return Table(
        "datasets",
        frame,
        "Number of sequences by expression",
        description.words(indexes, f"n = {total} sequences", selection=""),
        (
            "`published` is the count in the paper, `difference` this run's total minus it. Embedded data are smaller "
            "by design; a licensed copy that is complete has the difference 0.",
        ),
        columns=(
            Column("name", "Dataset", "text"),
            *columns(*counted, "subjects", "published_total", "difference"),
        ),
    )


def recognition_table(
    dataset: str,
    predictions: pd.DataFrame,
    quoted: pd.DataFrame,
    jobs: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
    notes: tuple[str, ...] = (),
) -> Table:
    """The recognition table of one dataset: the paper's rows in its order, then methods that only this run has.

    Args:
        predictions: All methods' predictions as `read_predictions` returns them; other datasets' rows are ignored.
        quoted: As `read_quoted` returns them.
        jobs: As `read_jobs` returns them; the source of the training cost.
        notes: What else is to be said, as `coverage_notes` returns it.
    """
    by_method = _by_method(predictions, dataset)
    rows = []
    for method, row in paper_rows("fer", dataset, quoted, by_method, description).items():
        row.setdefault("protocol", _NOT_QUOTED)
        # A method that is quoted here may have been trained as a synthesis system only.
        if method in by_method:
            row["setting"] = row.get("setting") or _setting(by_method[method])
            source = description.pretrained_on.get(method)
            row["rerun_pretrained"] = description.name_of(source) if source else "scratch"
            row |= _judged(by_method, dataset, method, description, settings, row.get("unit"))
            row["core_hours"], row["gpu_hours"] = training_cost(jobs, dataset, method)
            if row["setting"] == "image sequence":
                del row["frame_accuracy"]  # One answer per sequence: there is no frame to judge.
        rows.append(row)
    frame = _corrected(frame_of(rows, [*PLACE, *_QUOTED, "rerun_pretrained", *_JUDGED], description))
    n = frame["n_sequences"].max()
    return Table(
        f"fer_{dataset}",
        frame,
        f"Recognition accuracy (%) on {description.name_of(dataset)}",
        description.words([dataset], f"n = {0 if pd.isna(n) else int(n)} sequences"),
        (
            "`reported` is quoted from the paper, `accuracy` this run's sequence accuracy pooled over folds with a "
            f"{100 * settings.confidence:g} % bootstrap interval over subjects; empty where the method was not re-run. "
            f"`difference`: accuracy minus FERSNet's, with the interval of the paired bootstrap. {_p_words(frame)}",
            f"{_UNIT_NOTE}. {_other_protocols(frame)}".rstrip(),
            "Quoted figures follow different protocols (column `protocol` of the csv file) and are not comparable "
            "with each other or with the re-run ones without it. `pretrained` is what the paper says of the quoted "
            "figure; `rerun_pretrained` names the dataset on which this run trained the method first, or says "
            f"`scratch`.{_other_sets_words(description, by_method)}",
            *notes,
        ),
        columns=columns(
            *("name", "setting", "pretrained", "reported", "unit", "accuracy_in_unit", "rerun_pretrained"),
            *("accuracy", "ci_low", "ci_high", "frame_accuracy", "uar", "macro_f1", "difference", "mcnemar_p_holm"),
            *("core_hours", "n_sequences"),
        ),
        best=("reported", "accuracy"),
        needed=("name", "reported", "unit", "accuracy_in_unit", "accuracy", "difference", "mcnemar_p_holm"),
    )


def ablation_table(
    predictions: pd.DataFrame,
    quoted: pd.DataFrame,
    jobs: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
    datasets: tuple[str, ...],
    methods: tuple[str, ...] = ABLATION_METHODS,
    notes: tuple[str, ...] = (),
) -> Table:
    """The ablation: FERSNet's variants on every recognition dataset, each tested against plain FERSNet.

    Args:
        datasets: Recognition datasets in the order of the table.
        methods: Rows of the table besides the paper's; those of the paper that were not run stay, empty.
        notes: What else is to be said, as `coverage_notes` returns it.
    """
    rows = []
    for dataset in datasets:
        by_method = _by_method(predictions, dataset)
        here = [method for method in methods if method in by_method]
        for method, row in paper_rows("ablation", dataset, quoted, here, description).items():
            row.setdefault("protocol", _NOT_QUOTED)
            if method in by_method:
                row |= _judged(by_method, dataset, method, description, settings, row.get("unit"))
            row["core_hours"], row["gpu_hours"] = training_cost(jobs, dataset, method)
            row["parameters"] = trained_parameters(jobs, dataset, method)
            rows.append(row)
    frame = _corrected(frame_of(rows, [*PLACE, *_QUOTED, *_JUDGED, "parameters"], description))
    return Table(
        "ablation",
        frame,
        "Ablation study: recognition accuracy (%)",
        description.words(datasets, f"n = {count_words(frame, 'n_sequences', 'sequences', description)}"),
        (
            "`reported` is the paper's figure, `accuracy` this run's sequence accuracy pooled over folds with a "
            f"{100 * settings.confidence:g} % bootstrap interval over subjects. `difference`: accuracy minus "
            f"FERSNet's, with the interval of the paired bootstrap. {_p_words(frame)}",
            f"`parameters`: of the network with its decoder, without the discriminator. {_UNIT_NOTE}.",
            *notes,
        ),
        columns=columns(
            *("dataset_name", "name", "reported", "unit", "accuracy_in_unit", "accuracy", "ci_low", "ci_high"),
            *("frame_accuracy", "uar", "macro_f1", "difference", "mcnemar_p_holm", "parameters", "core_hours"),
            *("n_sequences",),
        ),
        best=("reported", "accuracy"),
        group="dataset",
        needed=("name", "reported", "unit", "accuracy_in_unit", "accuracy", "difference", "mcnemar_p_holm"),
    )


def _by_method(predictions: pd.DataFrame, dataset: str) -> dict[str, pd.DataFrame]:
    here = predictions[predictions["dataset"] == dataset]
    # Classes that another dataset has and this one lacks leave columns without a value.
    return {str(method): frame.dropna(axis=1, how="all") for method, frame in here.groupby("method", sort=True)}


def _setting(frame: pd.DataFrame) -> str:
    """Whether a method read frames or, for which `frame` is -1, whole sequences."""
    return "image sequence" if (frame["frame"] == -1).all() else "single image"


def _judged(
    by_method: Mapping[str, pd.DataFrame],
    dataset: str,
    method: str,
    description: RunDescription,
    settings: ReportSettings,
    unit: object,
) -> Row:
    """What a method reached, and how it compares with the method of reference where there is one.

    Args:
        unit: of the figure that is quoted beside it, if there is one.
    """
    options = (settings.bootstrap_samples, settings.confidence)
    seed = derive_seed(description.seed, "bootstrap", dataset, method)
    scores = recognition_scores(by_method[method], *options, seed)
    row = recognition_columns(scores)
    if unit:
        row["accuracy_in_unit"] = percent(accuracy_in(read_unit(str(unit)), by_method[method]))
    if method == REFERENCE_METHOD or REFERENCE_METHOD not in by_method:
        return row
    pair = by_method[method], by_method[REFERENCE_METHOD]
    seed = derive_seed(description.seed, "bootstrap", "difference", dataset, method)
    row |= difference_columns(*paired_difference(*pair, *options, seed))
    return row | {"mcnemar_p": float(f"{paired_mcnemar(*pair):.6g}")}


def _other_sets_words(description: RunDescription, methods: Collection[str]) -> str:
    """Which of the rows have seen faces that the others have not."""
    names = [description.name_of(key) for key in description.read_other_sets if key in methods]
    return f" Also trained on this run's other datasets: {', '.join(names)}." if names else ""


def _corrected(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the p values of all of them corrected together."""
    corrected = holm(pd.to_numeric(frame["mcnemar_p"])).map(lambda p: float(f"{p:.6g}"))
    return frame.assign(mcnemar_p_holm=corrected)


def _p_words(frame: pd.DataFrame) -> str:
    """What is said of the p values of a table."""
    return (
        "`p (McNemar, Holm)`: exact paired test against FERSNet, corrected after Holm for the "
        f"{frame['mcnemar_p'].notna().sum()} rows that are tested here; `mcnemar_p` in the csv file is not corrected."
    )


def _other_protocols(frame: pd.DataFrame) -> str:
    """Which quoted figures come from another protocol than folds, in words."""
    here = frame[frame["unit"].notna() & (frame["unit"] != "")]
    apart = here["unit"].map(lambda text: read_unit(text).apart)
    said = [
        f"{kind} ({', '.join(here['name'][apart == kind])}), {words}"
        for kind, words in OTHER_PROTOCOLS.items()
        if (apart == kind).any()
    ]
    return f"Not to be compared with the others at all: {'; '.join(said)}." if said else ""

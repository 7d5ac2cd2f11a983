"""The table of the paper's claims: each comparison of the paper beside what this run found, with a verdict."""

from collections.abc import Sequence

import pandas as pd

from fersnet.claims import SYNTHESIS, Claim
from fersnet.report.description import RUN_COLUMNS, RunDescription
from fersnet.report.pairs import compare, joined, recognised_items, right_by_sequence, targets_read
from fersnet.report.rows import Row, percent
from fersnet.report.statistics import clustered_bootstrap
from fersnet.report.table import Table, columns
from fersnet.report.units import OTHER_PROTOCOLS, read_unit
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

HOLDS, OPEN, CONTRADICTED, NOT_RUN = "holds", "open", "contradicted", "not run"
VERDICTS = (HOLDS, OPEN, CONTRADICTED, NOT_RUN)
_COLUMNS = (
    *("statement", "claim", "method", "name", "better_than", "better_than_name", "dataset", "dataset_name", "figure"),
    *("reported", "reported_unit", "reported_other", "reported_other_unit", "reported_difference"),
    *("unit", "accuracy", "ci_low", "ci_high", "accuracy_other"),
    *("difference", "difference_low", "difference_high", "verdict", "visible"),
    *("sequence_difference", "sequence_low", "sequence_high", "n_items", "n_sequences", "n_subjects", "repeats"),
)
_COUNTS = ("n_items", "n_sequences", "n_subjects", "repeats", "folds", "seed")


def claims_table(
    claims: Sequence[Claim],
    predictions: pd.DataFrame,
    evaluations: pd.DataFrame,
    quoted: pd.DataFrame,
    description: RunDescription,
    settings: ReportSettings,
) -> Table:
    """A row for every claim of the paper, in their order.

    Args:
        predictions: As `read_predictions` returns them.
        evaluations: As `read_systems` returns them.
        quoted: As `read_quoted` returns them.
    """
    paper = {
        (row["table"] == SYNTHESIS, row["dataset"], row["method"]): row for row in quoted.to_dict("records")
    }  # A figure that stands in two of the paper's tables is the same in both.
    rows = []
    for claim in claims:
        sources = evaluations if claim.figure == SYNTHESIS else predictions
        here = sources[sources["dataset"] == claim.dataset]
        pair = [
            here[here["method"] == method].dropna(axis=1, how="all") for method in (claim.method, claim.better_than)
        ]
        rows.append(_place(claim, paper, description) | _found(claim, pair, description, settings))
    frame = pd.DataFrame(rows, columns=[*_COLUMNS, *RUN_COLUMNS]).astype(dict.fromkeys(_COUNTS, "Int64"))
    tried = frame[frame["verdict"] != NOT_RUN]
    subjects = tried.groupby("dataset", sort=False)["n_subjects"].max()
    n = ", ".join(f"{count} subjects ({description.name_of(dataset)})" for dataset, count in subjects.items())
    return Table(
        "claims",
        frame,
        "What the paper claims, and what this run says of it (points of percent)",
        description.words(dict.fromkeys(tried["dataset"]), f"n = {n or 'no claim was run'}"),
        (
            "`difference`: the first method's accuracy minus the second's on the items that both judged, all trainings "
            f"of both, in the unit that the paper counts (column `unit`), with a {100 * settings.confidence:g} % "
            "bootstrap interval over subjects. `By sequence`: the same where a sequence's frames give one answer.",
            "`holds`: the interval lies above zero; `contradicted`: below; `open`: it contains zero, and "
            "`Visible from` is the true difference at which four of five such runs would have found the claim to hold; "
            "`not run`: one side, or the dataset, is not in this run.",
            *_protocol_notes(frame),
        ),
        columns=columns(
            *("statement", "claim", "dataset_name", "reported_difference", "difference"),
            *("difference_low", "difference_high", "verdict", "visible", "sequence_difference"),
        ),
        group="statement",
        needed=("claim", "dataset_name", "reported_difference", "difference", "verdict", "visible"),
    )


def _protocol_notes(frame: pd.DataFrame) -> list[str]:
    """A note on the paper's differences from figures that have another protocol than its own."""
    units = frame["reported_other_unit"].fillna("").map(lambda text: read_unit(text).apart if text else "")
    rows = frame.assign(apart=units)[units.isin(OTHER_PROTOCOLS)].drop_duplicates(["better_than", "apart"])
    said = [f"{row.better_than_name} ({row.apart}: {OTHER_PROTOCOLS[row.apart]})" for row in rows.itertuples()]
    return [f"The paper's difference compares with figures of another protocol for {', '.join(said)}."] if said else []


def _place(claim: Claim, paper: dict[tuple[bool, str, str], dict[str, object]], description: RunDescription) -> Row:
    """What a row says before anything was run."""

    def quoted(method: str, column: str) -> object:
        return paper.get((claim.figure == SYNTHESIS, claim.dataset, method), {}).get(column)

    def name(method: str) -> str:
        # Of methods that this run leaves out, the paper's names are known.
        printed = description.name_of(method)
        return printed if printed != method else str(quoted(method, "name") or method)

    names = name(claim.method), name(claim.better_than)
    row: Row = {
        "statement": claim.statement,
        "claim": f"{names[0]} > {names[1]}",
        "method": claim.method,
        "name": names[0],
        "better_than": claim.better_than,
        "better_than_name": names[1],
        "dataset": claim.dataset,
        "dataset_name": description.name_of(claim.dataset),
        "figure": claim.figure,
        "reported": quoted(claim.method, "reported"),
        "reported_unit": quoted(claim.method, "unit"),
        "reported_other": quoted(claim.better_than, "reported"),
        "reported_other_unit": quoted(claim.better_than, "unit"),
        "reported_difference": claim.paper_difference,
        "verdict": NOT_RUN,
        "run": description.run,
    }
    return row | (description.columns(claim.dataset) if claim.dataset in description.folds else {})


def _found(claim: Claim, pair: Sequence[pd.DataFrame], description: RunDescription, settings: ReportSettings) -> Row:
    """What this run says of a claim."""
    if any(frame.empty for frame in pair):
        return {}
    items, unit = _synthetic_items(pair) if claim.figure == SYNTHESIS else recognised_items(pair)
    if items.empty:
        return {}
    place = (claim.figure, claim.dataset, claim.method, claim.better_than)
    seed = derive_seed(description.seed, "bootstrap", "claims", *place)
    options = (settings.bootstrap_samples, settings.confidence, seed)
    found = compare(items, *options)
    interval = clustered_bootstrap(items["first"].to_numpy(), items["subject"].to_numpy(), *options)
    row: Row = {
        "unit": unit,
        "accuracy": percent(items["first"].mean()),
        "ci_low": percent(interval.low),
        "ci_high": percent(interval.high),
        "accuracy_other": percent(items["second"].mean()),
        "difference": percent(found.difference),
        "difference_low": percent(found.interval.low),
        "difference_high": percent(found.interval.high),
        "verdict": HOLDS if found.interval.low > 0 else CONTRADICTED if found.interval.high < 0 else OPEN,
        "n_items": len(items),
        "n_sequences": items["sequence_id"].nunique(),
        "n_subjects": items["subject"].nunique(),
        "repeats": min(frame["repeat"].nunique() for frame in pair),
    }
    if row["verdict"] == OPEN:
        row["visible"] = percent(found.visible)
    if claim.figure != SYNTHESIS:
        sequences = compare(joined([right_by_sequence(frame) for frame in pair]), *options)
        row |= {"sequence_difference": percent(sequences.difference)}
        row |= {"sequence_low": percent(sequences.interval.low), "sequence_high": percent(sequences.interval.high)}
    return row


def _synthetic_items(pair: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, str]:
    """What the judge reads in both systems' faces of the same source and target."""
    keys = ["fold", "sequence_id", "source", "target"]
    return joined([targets_read(frame, keys) for frame in pair]), "images"

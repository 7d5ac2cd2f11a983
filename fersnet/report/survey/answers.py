"""The answers to a survey as a table: what people see in each system's faces, beside what the judge reads in them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fersnet.csv_files import read_csv
from fersnet.errors import UserError
from fersnet.report.description import RunDescription
from fersnet.report.files import SET_COLUMNS, read_systems
from fersnet.report.recompute import RunFolder
from fersnet.report.references import cited
from fersnet.report.rows import PLACE, Row, frame_of, percent, place_of, score_columns
from fersnet.report.run_file import read_run
from fersnet.report.statistics import Interval, clustered_bootstrap, compare_paired
from fersnet.report.survey.draw import KEY_COLUMNS, REAL
from fersnet.report.survey.page import FOLDER, KEY
from fersnet.report.table import Column, Table, columns
from fersnet.report.writing import write_table
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

ANSWER_COLUMNS = ("draw", "item", "expression", "same_person")
_YES_NO = ("yes", "no")
_COUNTS = ("n_expressions", "n_persons")
_COLUMNS = (
    *columns("dataset_name", "name"),
    Column("accuracy", "Expression", "percent", 1),
    Column("ci_low", "CI low", "percent", 1),
    Column("ci_high", "CI high", "percent", 1),
    Column("judge", "Judge", "percent", 1),
    Column("judge_low", "Judge low", "percent", 1),
    Column("judge_high", "Judge high", "percent", 1),
    Column("difference", "Difference", decimals=1),
    Column("difference_low", "Difference low", decimals=1),
    Column("difference_high", "Difference high", decimals=1),
    Column("person", "Person", "percent", 1),
    Column("person_low", "Person low", "percent", 1),
    Column("person_high", "Person high", "percent", 1),
    Column("identity_auc", "Identity AUC", decimals=3),
    Column("n_expressions", "n"),
    Column("n_persons", "n persons"),
)


def survey_results(results: Path, answers: Sequence[Path]) -> Table:
    """Write `survey/survey.{csv,json,md,tex}` of the answers of one or more people, and return the table.

    Raises:
        UserError: if there is no survey in the run, or a file holds no answers to it.
    """
    run = read_run(results)
    key = _read_key(results / FOLDER / KEY)
    # A file that is given twice is still one person's.
    paths = dict.fromkeys(path.resolve() for path in answers)
    given = pd.concat([_read_answers(path, key).assign(answered_by=str(path)) for path in paths])
    sets = read_systems(RunFolder(results, run).evaluation_files("_sets.csv"), SET_COLUMNS)
    table = survey_table(key, given, sets, run.description, run.report)
    table = cited(table, run.references)
    write_table(table, results / FOLDER)
    return table


def survey_table(
    key: pd.DataFrame, answers: pd.DataFrame, sets: pd.DataFrame, description: RunDescription, settings: ReportSettings
) -> Table:
    """What people see in the faces of every system, and in the real ones.

    Args:
        key: Rows of `key.csv`.
        answers: Rows of answers, with a column `answered_by`; what was not answered is empty.
        sets: Rows of `evaluation/{dataset}/fold{k}_sets.csv`, as `read_systems` returns them.
    """
    answered = answers.drop(columns="draw")
    seen = key.merge(answered, on="item", how="left", suffixes=("", "_seen"), validate="one_to_many").fillna("")
    rows: list[Row] = []
    for (dataset, method), here in seen.groupby(["dataset", "method"], sort=False):
        row = place_of(str(method), str(dataset), description)
        row |= {"name": "Real faces"} if method == REAL else {}
        seed = derive_seed(description.seed, "bootstrap", "survey", str(dataset), str(method))
        row |= _figures(here, (settings.bootstrap_samples, settings.confidence, seed))
        judged = sets[(sets["dataset"] == dataset) & (sets["method"] == method) & (sets["repeat"] == 1)]
        rows.append(row | {"identity_auc": round(float(judged["identity_auc"].mean()), 6)})
    order = {method: place for place, method in enumerate((*description.names, REAL))}
    rows.sort(key=lambda row: (str(row["dataset"]), order.get(str(row["method"]), len(order))))
    figures = [column.key for column in _COLUMNS if column.key not in (*PLACE, *_COUNTS)]
    frame = frame_of(rows, [*PLACE, *figures, *_COUNTS], description).astype(dict.fromkeys(_COUNTS, "Int64"))
    asked = answers["answered_by"].nunique() * len(key)
    whole = int(((answers["expression"] != "") & (answers["same_person"] != "")).sum())
    unfinished = f"Unfinished: {asked - whole} of {asked} faces lack an answer, or a part of it; what is there counts."
    return Table(
        "survey",
        frame,
        "What people see in synthetic faces (%)",
        description.words(
            dict.fromkeys(frame["dataset"]), f"n = {whole} of {asked} faces, asked: {answers['answered_by'].nunique()}"
        ),
        (
            *([unfinished] if whole < asked else []),
            "`Expression`: in how many faces the expression was seen that is to be seen; `Judge`: in how many of the "
            "same faces the run's judge reads it; `Difference`: between the two. `Person`: how many answers on whether "
            "the face beside shows the same person were right (about half of them do, so half is chance); `Identity "
            f"AUC`: of the run's identity network, on all faces. Intervals: {100 * settings.confidence:g} % bootstrap "
            "over the people who are shown, not over those who were asked.",
        ),
        columns=_COLUMNS,
        best=("accuracy",),
        group="dataset_name",
        unranked=(REAL,),
        needed=("name", "accuracy", "judge", "person", "identity_auc", "n_expressions"),
    )


def _figures(seen: pd.DataFrame, options: tuple[int, float, int]) -> Row:
    row: Row = {}
    read = seen[seen["expression_seen"] != ""]
    row["n_expressions"] = len(read)
    if len(read):
        right, judge = read["expression_seen"] == read["target"], read["judge"] == read["target"]
        people = read["subject"].to_numpy()
        row |= score_columns(float(right.mean()), clustered_bootstrap(right.to_numpy(), people, *options))
        interval = clustered_bootstrap(judge.to_numpy(), people, *options)
        row |= _with_ends("judge", float(judge.mean()), interval)
        found = compare_paired(right.to_numpy(), judge.to_numpy(), people, *options)
        row |= _with_ends("difference", found.difference, found.interval)
    told = seen[seen["same_person_seen"] != ""]
    row["n_persons"] = len(told)
    if len(told):
        right = told["same_person_seen"] == told["same_person"]
        interval = clustered_bootstrap(right.to_numpy(), told["subject"].to_numpy(), *options)
        row |= _with_ends("person", float(right.mean()), interval)
    return row


def _with_ends(name: str, value: float, interval: Interval) -> Row:
    return dict(
        zip((name, f"{name}_low", f"{name}_high"), map(percent, (value, interval.low, interval.high)), strict=True)
    )


def _read_key(path: Path) -> pd.DataFrame:
    try:
        key = read_csv(path, KEY_COLUMNS)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; `fersnet survey` with the run alone draws a survey") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]}); draw the survey again") from None
    if list(key.columns) != list(KEY_COLUMNS) or key.empty or key["item"].duplicated().any():
        raise UserError(f"{path}: is no key of a survey; draw the survey again")
    return key


def _read_answers(path: Path, key: pd.DataFrame) -> pd.DataFrame:
    """The answers of a file, to some of the key's items.

    Raises:
        UserError: naming the line of what is no answer to one of them.
    """
    try:
        answers = read_csv(path, ANSWER_COLUMNS)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; the survey's page saves it") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]}); save it again from the page") from None
    missing = [column for column in ANSWER_COLUMNS if column not in answers]
    if missing:
        raise UserError(f"{path}: column {missing[0]!r} is missing; save it again from the survey's page")
    drawn = key["draw"].iloc[0]
    other = sorted(set(answers["draw"]) - {drawn})
    if other:
        raise UserError(
            f"{path}: answers of the draw {other[0]}, but {FOLDER}/{KEY} is of {drawn}; draw that survey again with "
            "the --faces and --seed that it had"
        )
    choices = {dataset: set(rows["target"]) for dataset, rows in key.groupby("dataset")}
    of_item = dict(zip(key["item"], key["dataset"].map(choices), strict=True))
    twice = answers["item"].duplicated()
    for line, row in enumerate(answers.itertuples(), start=2):
        if row.item not in of_item:
            raise UserError(f"{path}: line {line}: there is no item {row.item!r} in this survey")
        if twice.iloc[line - 2]:
            raise UserError(f"{path}: line {line}: item {row.item} is answered twice")
        if row.expression and row.expression not in of_item[row.item]:
            allowed = ", ".join(sorted(of_item[row.item]))
            raise UserError(f"{path}: line {line}: expression {row.expression!r} is none of {allowed}")
        if row.same_person and row.same_person not in _YES_NO:
            raise UserError(f"{path}: line {line}: same_person {row.same_person!r} is neither yes nor no")
    if (answers[["expression", "same_person"]] == "").all(axis=None):
        raise UserError(f"{path}: nothing is answered in it")
    return answers[list(ANSWER_COLUMNS)]

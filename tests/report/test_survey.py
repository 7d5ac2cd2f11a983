"""The survey: a blinded draw, the page in a browser, and answers that become a table."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from invented_results import SYSTEMS
from typer.testing import CliRunner

from fersnet.cli import app
from fersnet.errors import UserError
from fersnet.report.recompute import RunFolder
from fersnet.report.run_file import read_run, write_run
from fersnet.report.survey.answers import survey_results
from fersnet.report.survey.draw import REAL, draw_survey
from fersnet.report.survey.page import write_survey
from fersnet.report.table import read_json

FACES = 6
SHOWN = (*SYSTEMS, REAL)


@pytest.fixture(scope="module")
def run(finished_run, tmp_path_factory) -> Path:
    """The invented run with a survey."""
    results = shutil.copytree(finished_run, tmp_path_factory.mktemp("survey") / "invented")
    write_survey(results, FACES)
    return results


@pytest.fixture(scope="module")
def key(run) -> pd.DataFrame:
    return pd.read_csv(run / "survey" / "key.csv", dtype={"subject": str})


def perfect(key: pd.DataFrame) -> pd.DataFrame:
    """Answers of somebody who sees what is to be seen."""
    return key[["draw", "item", "target", "same_person"]].rename(columns={"target": "expression"})


def results_of(run: Path, answers: pd.DataFrame, folder: Path) -> pd.DataFrame:
    answers.to_csv(folder / "answers.csv", index=False)
    return survey_results(run, [folder / "answers.csv"]).frame.set_index(["dataset", "method"])


def test_every_system_and_the_real_faces_are_drawn_evenly(key):
    assert list(key["item"]) == list(range(1, len(key) + 1)) and len(key) == 2 * len(SHOWN) * FACES
    for _, here in key.groupby(["dataset", "method"]):
        assert here["target"].value_counts().tolist() == [1] * 6
        assert here["same_person"].value_counts().tolist() == [FACES / 2] * 2
    # In the order of the items nothing is told of what they are.
    assert key["method"].ne(key["method"].shift()).sum() > len(key) / 2


def test_items_are_what_the_key_says(run, key):
    files = RunFolder(run, read_run(run))
    draw = draw_survey(files, FACES, files.run.description.seed)
    assert draw.left_out == () and draw.key()["item"].tolist() == key["item"].tolist()
    evaluations = files.evaluations.set_index(["dataset", "method", "source", "target"])
    for item in draw.items:
        table = pd.read_parquet(run / "datasets" / item.dataset / "faces.parquet")
        assert table["subject"][item.source] == item.subject
        assert (table["subject"][item.reference] == item.subject) == item.same_person
        assert item.reference != item.source and item.face.shape == item.beside.shape
        if item.method == REAL:
            assert item.target == item.expression == table["expression"][item.source]
            continue
        arrays = np.load(run / "synthesis" / item.dataset / item.method / f"fold{item.fold}.npz")
        found = (arrays["source"] == item.source) & (arrays["target"] == item.target)
        assert (arrays["images"][found][0] == item.face).all()
        assert evaluations.at[(item.dataset, item.method, item.source, item.target), "predicted"] == item.judge


def test_the_same_seed_draws_the_same_page_and_another_one_another(run, key, tmp_path):
    again = shutil.copytree(run, tmp_path / "again")
    write_survey(again, FACES)
    for name in ("survey.html", "key.csv"):
        assert (again / "survey" / name).read_bytes() == (run / "survey" / name).read_bytes()
    write_survey(again, FACES, seed=5)
    assert pd.read_csv(again / "survey" / "key.csv")["draw"][0] != key["draw"][0]


def test_the_page_holds_nothing_that_tells_what_an_item_is(run, key):
    text = (run / "survey" / "survey.html").read_text(encoding="utf-8")
    content = json.loads(re.search(r'id="items">(.*?)</script>', text, re.DOTALL)[1])
    assert content["draw"] == key["draw"][0] and len(content["items"]) == len(key)
    assert all(set(item) == {"face", "beside", "choices", "credit"} for item in content["items"])
    hidden = "|".join({*SHOWN, *map(read_run(run).description.name_of, SYSTEMS), *key["subject"]})
    assert not re.search(hidden, re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp|sendBeacon", text) and "default-src 'none'" in text


@pytest.mark.parametrize(("seen", "accuracy"), [("target", 100), ("judge", None)])
def test_whoever_sees_what_the_judge_reads_has_its_figures(run, key, tmp_path, seen, accuracy):
    answers = perfect(key).assign(expression=key[seen])
    frame = results_of(run, answers, tmp_path)
    assert len(frame) == 2 * len(SHOWN) and list(frame.loc["ckplus"].index) == list(SHOWN)
    for place, here in key.groupby(["dataset", "method"]):
        judged = 100 * (here["judge"] == here["target"]).mean()
        assert frame.at[place, "judge"] == pytest.approx(judged, abs=1e-3)
        assert frame.at[place, "accuracy"] == pytest.approx(judged if accuracy is None else accuracy, abs=1e-3)
        assert frame.at[place, "difference"] == pytest.approx(frame.at[place, "accuracy"] - judged, abs=1e-3)
        assert frame.at[place, "ci_low"] <= frame.at[place, "accuracy"] <= frame.at[place, "ci_high"]
        assert (frame.at[place, "person"], frame.at[place, "n_persons"]) == (100, FACES)
    synthesis = pd.read_csv(run / "tables" / "synthesis.csv").set_index(["dataset", "method"])
    assert frame.at[("ckplus", "caae"), "identity_auc"] == synthesis.at[("ckplus", "caae"), "identity_auc"]


def test_half_a_survey_counts_as_far_as_it_goes_and_says_so(run, key, tmp_path):
    answers = perfect(key).astype({"expression": object, "same_person": object})
    answers.loc[answers["item"] > 10, "expression"] = ""
    answers.loc[answers["item"] > 15, "same_person"] = ""
    frame = results_of(run, answers[answers["item"] <= 40], tmp_path)
    assert (frame["n_expressions"].sum(), frame["n_persons"].sum()) == (10, 15)
    untouched = set(key[["dataset", "method"]][key["item"] > 15].itertuples(index=False, name=None)) - set(
        key[["dataset", "method"]][key["item"] <= 15].itertuples(index=False, name=None)
    )
    assert frame.loc[list(untouched), ["accuracy", "person"]].isna().all(axis=None)
    note = read_json(run / "survey" / "survey.json").notes[0]
    assert note.startswith(f"Unfinished: {len(key) - 10} of {len(key)} faces lack an answer")


def test_several_people_are_counted_together_and_nobody_twice(run, key, tmp_path):
    perfect(key).to_csv(tmp_path / "a.csv", index=False)
    wrong = key["target"].map(lambda target: "fear" if target != "fear" else "anger")
    perfect(key).assign(expression=wrong).to_csv(tmp_path / "b.csv", index=False)
    table = survey_results(run, [tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "b.csv"])
    assert (table.frame["accuracy"] == 50).all() and (table.frame["n_expressions"] == 2 * FACES).all()
    assert f"n = {2 * len(key)} of {2 * len(key)} faces, asked: 2" in table.provenance


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.assign(draw="0123"), r"answers of the draw 0123, but survey/key\.csv is of \w+;"),
        (lambda rows: rows.drop(columns="item"), "column 'item' is missing"),
        (lambda rows: rows.assign(item=rows["item"] + 1), r"line \d+: there is no item '\d+' in this survey"),
        (lambda rows: rows.assign(item=1), "line 3: item 1 is answered twice"),
        (lambda rows: rows.assign(expression="joy"), "line 2: expression 'joy' is none of anger, disgust, fear"),
        (lambda rows: rows.assign(same_person="perhaps"), "line 2: same_person 'perhaps' is neither yes nor no"),
        (lambda rows: rows.assign(expression="", same_person=""), "nothing is answered"),
    ],
)  # fmt: skip
def test_answers_to_something_else_are_one_line(run, key, tmp_path, change, said):
    path = tmp_path / "answers.csv"
    change(perfect(key)).to_csv(path, index=False)
    told = CliRunner().invoke(app, ["survey", str(run), "--answers", str(path)])
    assert told.exit_code == 1 and told.stdout == ""
    assert re.fullmatch(rf"{re.escape(str(path))}: {said}[^\n]*\n", told.stderr), told.stderr


def test_answers_without_a_survey_or_a_file_are_one_line(finished_run, run, tmp_path):
    with pytest.raises(UserError, match=r"key\.csv: not found; `fersnet survey` with the run alone"):
        survey_results(finished_run, [tmp_path / "answers.csv"])
    with pytest.raises(UserError, match=r"answers\.csv: not found"):
        survey_results(run, [tmp_path / "answers.csv"])
    (tmp_path / "answers.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"answers\.csv: cannot be read"):
        survey_results(run, [tmp_path / "answers.csv"])


def test_the_two_commands_follow_each_other(finished_run, tmp_path):
    results = shutil.copytree(finished_run, tmp_path / "invented")
    drawn = CliRunner().invoke(app, ["survey", str(results), "--faces", "2"])
    assert drawn.exit_code == 0 and f"{2 * 2 * len(SHOWN)} faces to be judged" in drawn.stdout
    paths = [tmp_path / "anna.csv", tmp_path / "ben.csv"]
    for path in paths:
        perfect(pd.read_csv(results / "survey" / "key.csv")).to_csv(path, index=False)
    told = CliRunner().invoke(app, ["survey", str(results), "--answers", str(paths[0]), "--answers", str(paths[1])])
    assert told.exit_code == 0 and max(map(len, told.stdout.splitlines()[:-1])) <= 100
    for name in ("Expression", "Judge", "Person", "Identity AUC", "Real faces", "100.0 (100.0 to 100.0)"):
        assert name in told.stdout
    assert {path.suffix for path in (results / "survey").glob("survey.*")} == {".html", ".csv", ".json", ".md", ".tex"}


def real(results: Path, folder: Path, *datasets: str, terms: str = "by permission") -> Path:
    """A copy of a run in which these datasets are of real people, under terms that let nobody be shown, or others."""
    copy = shutil.copytree(results, folder / "real")
    run = read_run(copy)
    embedded = run.description.embedded | dict.fromkeys(datasets, False)
    shown = dict.fromkeys(datasets, terms)
    write_run(replace(run, description=replace(run.description, embedded=embedded, shown=shown)), copy)
    return copy


def test_a_set_that_may_not_be_shown_is_left_out_with_a_line(run, tmp_path):
    results = real(run, tmp_path, "oulu_casia")
    told = CliRunner().invoke(app, ["survey", str(results), "--faces", "3"])
    assert told.exit_code == 0
    assert told.stdout.splitlines()[0].startswith("Oulu-CASIA is left out. No face is shown: the terms")
    assert set(pd.read_csv(results / "survey" / "key.csv")["dataset"]) == {"ckplus"}
    assert f"{3 * len(SHOWN)} faces to be judged" in told.stdout


def test_of_a_set_with_a_list_only_those_on_it_are_shown_also_as_references(run, tmp_path):
    results = real(run, tmp_path, "ckplus", terms="listed")
    files = RunFolder(results, read_run(results))
    items = [item for item in draw_survey(files, 12, 1).items if item.dataset == "ckplus"]
    people = pd.read_parquet(results / "datasets" / "ckplus" / "faces.parquet")["subject"]
    shown = {item.subject for item in items} | {people[item.reference] for item in items}
    assert items and shown <= set(files.run.report.ckplus_consent) and not set(people) <= shown


def test_where_nobody_may_be_shown_there_is_no_page(run, tmp_path):
    results = real(run, tmp_path, "ckplus", "oulu_casia")
    shutil.rmtree(results / "survey")
    with pytest.raises(UserError, match=r"^CK\+ is left out\. .* Oulu-CASIA is left out\.[^\n]*$"):
        write_survey(results, FACES)
    assert not (results / "survey").exists()


def test_an_unfinished_run_is_one_line(run, tmp_path):
    results = shutil.copytree(run, tmp_path / "half")
    shutil.rmtree(results / "synthesis" / "ckplus" / "stargan")
    with pytest.raises(UserError, match=r"fold\d\.npz: not found; run the workflow"):
        write_survey(results, FACES)


def test_the_page_is_answered_by_keyboard_kept_and_saved(offline_page, run, key, tmp_path):
    page = offline_page
    page.goto((run / "survey" / "survey.html").as_uri())
    assert page.locator("#title").inner_text() == f"Face 1 of {len(key)}"
    size = "(image) => image.complete && image.naturalWidth"
    assert page.locator("#face").evaluate(size) == page.locator("#beside").evaluate(size) == 32
    page.keyboard.press("2")
    assert page.get_by_role("button", name="disgust").get_attribute("aria-pressed") == "true"
    page.keyboard.press("y")  # Both are answered: on to the next.
    assert page.locator("#title").inner_text() == f"Face 2 of {len(key)}"
    page.get_by_role("button", name="no (n)").focus()
    page.keyboard.press("Enter")
    assert page.locator("#count").inner_text() == f"1 of {len(key)} answered"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")
    # Closed and opened again, it goes on at the first face without both answers.
    page.reload()
    assert page.locator("#title").inner_text() == f"Face 2 of {len(key)}"
    assert page.get_by_role("button", name="no (n)").get_attribute("aria-pressed") == "true"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("3")  # Corrected, and it stays.
    assert page.locator("#title").inner_text() == f"Face 1 of {len(key)}"
    with page.expect_download() as saved:
        page.keyboard.press("s")
    saved.value.save_as(tmp_path / "answers.csv")
    lines = (tmp_path / "answers.csv").read_text().splitlines()
    draw = key["draw"][0]
    assert lines[:5] == [
        "draw,item,expression,same_person", f"{draw},1,fear,yes", f"{draw},2,,no", f"{draw},3,anger,", f"{draw},4,,",
    ]  # fmt: skip
    assert len(lines) == 1 + len(key)
    table = survey_results(run, [tmp_path / "answers.csv"])
    assert (table.frame["n_expressions"].sum(), table.frame["n_persons"].sum()) == (2, 2)


def test_the_page_is_dark_where_the_system_is(offline_page, run):
    colours = set()
    for mode in ("light", "dark"):
        offline_page.emulate_media(color_scheme=mode)
        offline_page.goto((run / "survey" / "survey.html").as_uri())
        style = "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        colours.add(tuple(offline_page.evaluate(style)))
    assert len(colours) == 2

"""The report page: complete, self-contained, deterministic, and safe against hostile names."""

import dataclasses
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from invented_results import DATASETS, description
from matplotlib.figure import Figure
from PIL import Image

from fersnet import __version__
from fersnet.errors import UserError
from fersnet.methods.citations import references
from fersnet.project import CONFIG
from fersnet.report import pictures
from fersnet.report.cards import DataCard, data_cards
from fersnet.report.files import read_jobs
from fersnet.report.html import MOST_JOBS, job_summaries, write_report
from fersnet.report.pictures import LARGEST_BYTES, read_pictures
from fersnet.report.run_file import read_run, run_file, write_run
from fersnet.report.standing import write_standing_report
from fersnet.report.style import save_figure
from fersnet.report.table import Table, columns
from fersnet.report.writing import write_table
from fersnet.settings.load import load_settings
from fersnet.tracking import FAILED, JobRecord, jobs_folder


class Page(HTMLParser):
    """Collects what a browser would load, and the elements left open."""

    VOID = frozenset(("meta", "img", "link", "br"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.anchors: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.loaded += [values[key] for key in ("src", "srcset", "data", "poster", "background") if key in values]
        self.anchors += [values["href"]] if "href" in values else []
        self.ids += [values["id"]] if "id" in values else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def parts(tmp_path_factory, run_folder):
    tmp_path = tmp_path_factory.mktemp("parts")
    frame = pd.DataFrame(
        {"method": ["stargan"], "name": ["<script>alert(1)</script> & co"], "accuracy": [np.float64(71.5)]}
    )
    printed = columns("name", "accuracy")
    table = Table("ablation", frame, "The ablation", "Run invented; n = 3.", ("See `p`.",), printed, ("accuracy",))
    paths = []
    for name in ("ablation", "confusion_oulu_casia_fersnet", "synthesis_ckplus", "faces_mmi", "unknown"):
        figure = Figure(figsize=(1, 1))
        figure.subplots().plot([1, 2])
        paths.append(save_figure(figure, tmp_path / "figures" / name, 40)[0])
    write_table(table, tmp_path / "tables")
    return [tmp_path / "tables" / "ablation.json"], paths, read_jobs(run_folder / "jobs.csv")


def written(path, parts, run=None) -> str:
    run = run or description()
    write_report(path, run, *parts, {"Commit": "<abc>"}, references({}, run.names))
    return path.read_text()


def test_the_page_loads_nothing_from_outside(tmp_path, parts):
    text = written(tmp_path / "report.html", parts)
    page = Page(text)
    assert len(page.loaded) == 5 and all(source.startswith("data:image/webp;base64,") for source in page.loaded)
    assert not {"link", "iframe", "object", "embed", "base"} & set(page.tags) and page.tags.count("script") == 1
    assert "url(" not in text and "@import" not in text and "default-src 'none'" in text
    assert page.open == [] and len(page.ids) == len(set(page.ids))
    assert {anchor[1:] for anchor in page.anchors if anchor.startswith("#")} <= set(page.ids)


def test_the_page_says_whose_faces_these_are(tmp_path, parts):
    config = {
        "preset": "embedded",
        "datasets": {"ckplus": {"reader": "ckplus", "root": "/x"}, "mmi": {"reader": "mmi"}},
    }
    config["datasets"] |= {"mine": {"reader": "folder", "root": "/y"}, "oulu_casia": {"reader": "oulu_casia"}}
    cards = data_cards(load_settings(config, []))
    facts = {card.name: card.facts for card in cards}
    assert "123 people" in facts["CK+"]["Whose faces"] and "ckplus_consent" in facts["CK+"]["Faces in figures"]
    assert "©Jeffrey Cohn" in facts["CK+"]["Faces in figures"] and "Lucey P." in facts["CK+"]["Cite"]
    assert facts["MMI"]["Whose faces"].startswith("Nobody") and "may be shown" in facts["MMI"]["Faces in figures"]
    assert list(facts["mine"]) == ["Whose faces"]
    hostile = DataCard("<b>", {"Terms": "<script>"})
    write_report(tmp_path / "report.html", description(), *parts, cards=[*cards, hostile])
    text = (tmp_path / "report.html").read_text()
    page = Page(text)
    assert page.open == [] and page.tags.count("script") == 1 and "123 people" in text and "data-cards" in page.ids


def test_the_page_holds_everything(tmp_path, parts):
    text = written(tmp_path / "report.html", parts)
    assert "<strong>71.50</strong>" in text and "The ablation" in text and "<code>p</code>" in text
    assert "Confusion matrices: Oulu-CASIA, FERSNet" in text and "Synthetic faces: CK+" in text
    assert "Aligned faces: MMI" in text and "Further figures" in text
    assert f'<tr><th scope="row">FERSNet</th><td>{__version__}</td></tr>' in text
    assert "@inproceedings" in text and "&lt;abc&gt;" in text and "3 subject-wise folds (strided)" in text
    jobs = parts[2]
    assert text.count(">train_baseline</td>") == (jobs["rule"] == "train_baseline").sum() + 1


def test_names_are_escaped(tmp_path, parts):
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in written(tmp_path / "report.html", parts)


def test_the_banner_tells_embedded_from_real(tmp_path, parts):
    banner = "in place of licensed data"
    assert banner in written(tmp_path / "a.html", parts)
    assert banner not in written(tmp_path / "b.html", parts, description(embedded=dict.fromkeys(DATASETS, False)))


def test_same_files_same_bytes(tmp_path, parts):
    assert written(tmp_path / "a.html", parts) == written(tmp_path / "b.html", parts)


def test_jobs_are_summed_by_rule(parts):
    by_rule = {summary.rule: summary for summary in job_summaries(parts[2])}
    trained = by_rule["train_fersnet"]
    assert (trained.jobs, trained.finished) == (37, 36)
    assert trained.hours == pytest.approx(37 * 120 / 3600) and trained.devices == "cpu"


def test_of_very_many_jobs_the_sums_stand_alone(tmp_path, parts):
    jobs = pd.concat([parts[2]] * (MOST_JOBS // len(parts[2]) + 1))
    text = written(tmp_path / "report.html", (*parts[:2], jobs))
    assert text.count(">train_baseline</td>") == 1 and "lists every job" in text


def test_missing_or_foreign_figures_are_named(tmp_path, parts):
    tables, _, jobs = parts
    with pytest.raises(UserError, match=r"none\.png: not found"):
        write_report(tmp_path / "r.html", description(), tables, [tmp_path / "none.png"], jobs)
    (tmp_path / "fake.png").write_text("<svg>")
    with pytest.raises(UserError, match=r"fake\.png: not a PNG"):
        write_report(tmp_path / "r.html", description(), tables, [tmp_path / "fake.png"], jobs)


def test_a_row_leads_to_its_reference(tmp_path, parts):
    text = written(tmp_path / "report.html", parts)
    assert 'href="#reference-stargan"' in text and 'id="reference-stargan"' in text
    assert "https://arxiv.org/abs/1711.09020" in text and "reference-caae" not in text


def test_pictures_are_made_as_small_as_it_takes(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{name}.png" for name in "ab"]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (600, 800, 3), dtype=np.uint8)).save(path)
    whole = read_pictures(paths, [700, 900])
    assert [picture.width for picture in whole] == [700, 800]  # never larger than the file
    fitting = read_pictures(paths, [700, 900], 150_000)
    assert fitting[0].width < 700 and sum(len(picture.data) for picture in fitting) * 3 / 4 <= 150_000
    # With what else a page holds, four million bytes are not exceeded.
    assert LARGEST_BYTES * 4 / 3 < 3.2e6 and pictures.SHRINKING[-1] < 0.5


@pytest.fixture
def half_a_run(tmp_path, parts):
    """A run's folder with one table and two figures of more."""
    for kind in ("tables", "figures"):
        shutil.copytree(parts[0][0].parent.parent / kind, tmp_path / kind)
    settings = load_settings({"preset": "embedded", "run": "half"}, [])
    figures = ("figures/ablation.png", "figures/faces_mmi.png", "figures/scatter.png")
    folds = {"ckplus": 3, "oulu_casia": 3, "mmi": 3}
    run = run_file(settings, folds, dict.fromkeys(folds, (1,)), ("tables/ablation.json", "tables/x.json"), figures)
    write_run(run, tmp_path)
    return tmp_path


def test_a_half_finished_run_says_what_is_missing_and_what_failed(half_a_run):
    record = JobRecord("half", "figure_scatter", "", "", "", 1, "", "", "", "figure_scatter-1", {}, FAILED)
    record.message = "UserError: <no> face"
    jobs_folder(half_a_run).mkdir(parents=True)
    record.write(jobs_folder(half_a_run))
    missing = write_standing_report(half_a_run)
    assert missing is not None and missing.missing == ("tables/x.json", "figures/scatter.png")
    text = (half_a_run / "report.html").read_text()
    assert "This run is not finished" in text and "1 of 2 tables and 2 of 3 figures are there" in text
    assert "<code>tables/x.json</code>" in text and "figure_scatter: failed (UserError: &lt;no&gt; face)" in text
    assert "The ablation" in text and "The table of claims is not made yet" in text
    assert ">figure_scatter</td>" in text


def test_a_finished_run_says_nothing_of_it(half_a_run, parts):
    run = read_run(half_a_run)
    write_run(dataclasses.replace(run, tables=run.tables[:1], figures=run.figures[:2]), half_a_run)
    assert write_standing_report(half_a_run) is None
    assert "not finished" not in (half_a_run / "report.html").read_text()


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"description": {}, "tables": [], "figures": []}'])
def test_a_folder_without_a_run_is_one_line(tmp_path, text):
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(UserError, match=r"run\.json: (not found|does not describe a run)[^\n]*$"):
        write_standing_report(tmp_path)


def test_every_method_that_the_paper_quotes_has_a_reference():
    quoted = pd.read_csv(CONFIG / "reported.csv")["method_key"]
    assert {key for key in quoted if not key.startswith("fersnet")} <= set(references({}, []))

"""The report page: complete, self-contained, deterministic, and safe against hostile names."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from invented_results import DATASETS, description
from matplotlib.figure import Figure

from fersnet import __version__
from fersnet.errors import UserError
from fersnet.report.cards import DataCard, data_cards
from fersnet.report.files import read_jobs
from fersnet.report.html import job_summaries, write_report
from fersnet.report.style import save_figure
from fersnet.report.table import Table, columns
from fersnet.report.writing import write_table
from fersnet.settings.load import load_settings


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


@pytest.fixture
def parts(tmp_path, run_folder):
    frame = pd.DataFrame({"method": ["x"], "name": ["<script>alert(1)</script> & co"], "accuracy": [np.float64(71.5)]})
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
    write_report(path, run or description(), *parts, {"Commit": "<abc>"})
    return path.read_text()


def test_the_page_loads_nothing_from_outside(tmp_path, parts):
    text = written(tmp_path / "report.html", parts)
    page = Page(text)
    assert len(page.loaded) == 5 and all(source.startswith("data:image/png;base64,") for source in page.loaded)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert "url(" not in text and "@import" not in text
    assert page.open == [] and len(page.ids) == len(set(page.ids))
    assert {anchor.removeprefix("#") for anchor in page.anchors} <= set(page.ids)


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
    assert page.open == [] and "script" not in page.tags and "123 people" in text and "data-cards" in page.ids


def test_the_page_holds_everything(tmp_path, parts):
    text = written(tmp_path / "report.html", parts)
    assert "<strong>71.50</strong>" in text and "The ablation" in text and "<code>p</code>" in text
    assert "Confusion matrices: Oulu-CASIA, FERSNet" in text and "Synthetic faces: CK+" in text
    assert "Aligned faces: MMI" in text and "Further figures" in text
    assert f"<tr><th>FERSNet</th><td>{__version__}</td></tr>" in text
    assert "@inproceedings" in text and "&lt;abc&gt;" in text and "3 subject-wise folds (strided)" in text
    jobs = parts[2]
    assert text.count("<td>train_baseline</td>") == (jobs["rule"] == "train_baseline").sum() + 1


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


def test_missing_or_foreign_figures_are_named(tmp_path, parts):
    tables, _, jobs = parts
    with pytest.raises(UserError, match=r"none\.png: not found"):
        write_report(tmp_path / "r.html", description(), tables, [tmp_path / "none.png"], jobs)
    (tmp_path / "fake.png").write_text("<svg>")
    with pytest.raises(UserError, match=r"fake\.png: not a PNG"):
        write_report(tmp_path / "r.html", description(), tables, [tmp_path / "fake.png"], jobs)

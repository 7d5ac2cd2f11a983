"""The works behind the rows: a key in every row, the list in Markdown, and one BibTeX file for the LaTeX tables."""

import json
import re
from dataclasses import asdict

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from fersnet.errors import UserError
from fersnet.methods.bibtex import bibtex_entry, bibtex_file, bibtex_keys
from fersnet.methods.citations import references
from fersnet.methods.cited_work import read_references
from fersnet.methods.contract import Reference
from fersnet.methods.works import PAPER
from fersnet.report.html import CITATION, write_report
from fersnet.report.run_file import NAME, parse_run, read_run, run_references
from fersnet.report.table import read_json
from fersnet.settings.load import load_settings

WORKS = references({}, ["fersnet_bu4dfe"])
NO_METHODS = {"identity_map", "real_target", "standard_fer"}


def braces_are_balanced(text: str) -> bool:
    """As BibTeX counts them, which knows no escapes."""
    depth = 0
    for brace in re.findall(r"[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def test_an_entry_has_all_that_is_known_of_a_work():
    work = Reference(
        authors="van der Walt S., Schönberger J. L., Lam K.-M. and others",
        title="Faces & 100 % of 3D_Things",
        venue="PeerJ 2(1):e453",
        year=2014,
        doi="10.7717/peerj.453",
        arxiv="1407.6245",
    )
    assert bibtex_keys([work]) == {work: "walt2014faces"}
    assert bibtex_entry("walt2014faces", work) == (
        "@article{walt2014faces,\n"
        "  author        = {van der Walt, S. and Schönberger, J. L. and Lam, K.-M. and others},\n"
        "  title         = {{Faces \\& 100 \\% of 3D\\_Things}},\n"
        "  journal       = {PeerJ},\n"
        "  volume        = {2},\n"
        "  number        = {1},\n"
        "  pages         = {e453},\n"
        "  year          = {2014},\n"
        "  doi           = {10.7717/peerj.453},\n"
        "  eprint        = {1407.6245},\n"
        "  archiveprefix = {arXiv}\n"
        "}\n"
    )


def test_works_of_the_project_have_keys_of_their_own_and_the_paper_has_the_one_of_the_report():
    by_work = {work.reference: work.key for work in WORKS.values()}
    assert len(set(by_work.values())) == len(by_work) and all(
        re.fullmatch(r"[a-z]+\d{4}\w+", key) for key in by_work.values()
    )
    assert WORKS["fersnet_bu4dfe"].reference == PAPER and f"{{{by_work[PAPER]}," in CITATION
    kinds = {key: bibtex_entry(work.key, work.reference).split("{")[0] for key, work in WORKS.items()}
    assert (kinds["stargan"], kinds["lbp_top"], kinds["fersnet"]) == ("@inproceedings", "@article", "@inproceedings")
    assert read_references({key: asdict(work) for key, work in WORKS.items()}) == WORKS


TEXT = some.text(max_size=30)


@given(works=some.lists(some.builds(Reference, authors=TEXT, title=TEXT, venue=TEXT, year=some.integers(1900, 2100))))
def test_whatever_a_method_declares_becomes_an_entry_that_ends(works):
    keys = bibtex_keys(works)
    assert len(set(keys.values())) == len(set(works))
    assert all(re.fullmatch(r"[a-z0-9]+", key) for key in keys.values())
    text = bibtex_file({key: work for work, key in keys.items()})
    assert braces_are_balanced(text) and all(f"{{{key},\n" in text for key in keys.values())


def test_every_row_of_a_method_names_its_work(finished_run):
    bibtex = (finished_run / "tables" / "references.bib").read_text(encoding="utf-8")
    in_file = set(re.findall(r"^@\w+\{(\w+),$", bibtex, re.MULTILINE))
    for name in read_run(finished_run).tables:
        csv = pd.read_csv((finished_run / name).with_suffix(".csv"), keep_default_na=False)
        methods = csv[~csv["method"].isin(NO_METHODS)]
        assert (methods["reference"] != "").all(), name
        cited = {key for text in csv["reference"] for key in text.split(", ") if key}
        assert cited <= in_file
        printed = (finished_run / name).with_suffix(".md").read_text(encoding="utf-8")
        listed = re.findall(r"^- (\w+): ", printed, re.MULTILINE)
        assert sorted(cited) == listed
        in_latex = re.findall(
            r"\\cite\{([^}]+)\}", (finished_run / name).with_suffix(".tex").read_text(encoding="utf-8")
        )
        assert {key for text in in_latex for key in text.split(",")} == cited
    claims = pd.read_csv(finished_run / "tables" / "claims.csv").set_index(["method", "better_than", "dataset"])
    assert claims.at[("fersnet", "lbp_top", "mmi"), "reference"] == "zhao2020deep, zhao2007dynamic"
    assert claims.at[("fersnet", "fersnet_without_mtl", "mmi"), "reference"] == "zhao2020deep"


def test_a_method_that_is_quoted_and_known_to_nobody_has_no_work(monkeypatch):
    monkeypatch.setattr("fersnet.report.run_file.quoted_keys", lambda: ({"nobody", "hog3d"}, {"mmi"}))
    variants = {"mine": {"name": "Mine"}, "fersnet_bu4dfe": None}
    settings = load_settings({"preset": "embedded", "datasets": {"bu4dfe": None}, "variants": variants}, [])
    works = run_references(settings)
    assert works["mine"].reference == works["fersnet_bu4dfe"].reference == PAPER
    assert "nobody" not in works and {"hog3d", "mmi"} <= set(works) and "bu4dfe" not in works


def test_the_page_lists_the_works_by_the_same_keys(finished_run, tmp_path):
    run = read_run(finished_run)
    paths = [finished_run / name for name in run.tables]
    write_report(tmp_path / "report.html", run.description, paths, [], references=run.references)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    keys = {key for path in paths for key in read_json(path).references}
    assert keys and all(f"<code>{key}</code>" in page for key in keys)
    # The names carry the numbers of the list, so there is no column of keys beside them.
    assert ">Reference</" not in page


@pytest.mark.parametrize("damage", [{"a": {"key": "b"}}, {"a": 1}, []])
def test_a_run_with_damaged_references_is_one_line(finished_run, damage):
    content = json.loads((finished_run / NAME).read_text(encoding="utf-8")) | {"references": damage}
    with pytest.raises(UserError, match=r"^here: does not describe a run[^\n]*$"):
        parse_run(json.dumps(content), "here")

"""A release: what names its version agrees, and a new version reruns nothing."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from fersnet import __version__, fingerprint
from fersnet.cli import app
from fersnet.methods.works import PAPER
from fersnet.report.html import CITATION

ROOT = Path(__file__).parent.parent


def test_the_citation_file_is_of_this_version_and_names_the_paper_as_the_report_does() -> None:
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert content["cff-version"] == "1.2.0"
    assert (content["version"], content["license"]) == (__version__, "MIT")
    paper = content["preferred-citation"]
    quoted = " ".join(CITATION.split())
    assert paper["title"] in quoted
    names = [f"{author['family-names']}, {author['given-names']}" for author in paper["authors"]]
    assert " and ".join(names) in quoted
    assert str(paper["year"]) in quoted
    assert (PAPER.title, PAPER.year, PAPER.venue) == (paper["title"], paper["year"], paper["conference"]["name"])
    assert [name.split()[0] for name in PAPER.authors.replace(" and ", ", ").split(", ")] == [
        author["family-names"] for author in paper["authors"]
    ]
    assert f"arXiv:{PAPER.arxiv}" in [one["value"] for one in paper["identifiers"]]


def test_the_changelog_begins_with_what_is_to_come_and_then_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", text, flags=re.MULTILINE)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert headings[:2] == [("Unreleased", ""), (__version__, citation["date-released"])]


def test_the_command_line_tells_the_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"fersnet {__version__}\n")


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Copies the package with another version, and gives fingerprints of the copy."""

    def of(version: str, module: str) -> str:
        root = tmp_path / version
        (root / "fersnet" / "training").mkdir(parents=True)
        for name in ("__init__.py", "errors.py", "training/__init__.py", "training/checkpoint.py"):
            text = (ROOT / "fersnet" / name).read_text(encoding="utf-8")
            (root / "fersnet" / name).write_text(text.replace(__version__, version), encoding="utf-8")
        monkeypatch.setattr(fingerprint, "PROJECT", root)
        for cached in (fingerprint.fingerprint, fingerprint._parsed, fingerprint._path_of):
            cached.cache_clear()
        return fingerprint.fingerprint(module)

    yield of
    for cached in (fingerprint.fingerprint, fingerprint._parsed, fingerprint._path_of):
        cached.cache_clear()


def test_a_new_version_number_alone_reruns_nothing(released) -> None:
    assert "__version__" in (ROOT / "fersnet" / "training" / "checkpoint.py").read_text(encoding="utf-8")
    assert released("8.1.0", "fersnet.training.checkpoint") == released("9.0.0", "fersnet.training.checkpoint")

"""One invented run for all tests of the report, and a page without a network for those of its pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from invented_results import DATASETS, FOLDS, write_utility
from invented_results import write_run as write_invented_run

from fersnet.report.recompute import RunFolder, recompute
from fersnet.report.references import BIBTEX, to_bibtex
from fersnet.report.run_file import read_run, run_file, write_run
from fersnet.report.writing import write_table
from fersnet.settings.load import load_settings


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory) -> Path:
    return write_invented_run(tmp_path_factory.mktemp("results") / "invented")


@pytest.fixture(scope="session")
def finished_run(run_folder, tmp_path_factory) -> Path:
    """The invented run with its tables, as the workflow leaves a run."""
    results = tmp_path_factory.mktemp("finished") / "results" / "invented"
    shutil.copytree(run_folder, results)
    write_utility(results, "oulu_casia")
    config = {
        "preset": "embedded",
        "run": "invented",
        "datasets": {"bu4dfe": None},
        "variants": {"fersnet_bu4dfe": None},
        "baselines": {"methods": ["lbp_top"]},
        "synthesis": {"folds": None},
        "utility": {"datasets": ["oulu_casia"]},
        "standard_fer": {"trained_on": "fold"},
        "selection_study": {"method": "fersnet"},
        "report": {"bootstrap_samples": 100},
    }
    recognition = [f"fer_{dataset}" for dataset in DATASETS]
    keys = ("claims", "datasets", "ablation", "subgroups", "synthesis", "utility", *recognition, "selection")
    tables = [f"tables/{key}.json" for key in keys]
    folds = {dataset: tuple(range(1, FOLDS + 1)) for dataset in DATASETS}
    write_run(run_file(load_settings(config, []), dict.fromkeys(DATASETS, FOLDS), folds, tables, []), results)
    files = RunFolder(results, read_run(results))
    for key in keys:
        write_table(recompute(files, key), results / "tables")
    (results / "tables" / BIBTEX).write_text(to_bibtex(files.run.references), encoding="utf-8")
    return results


@pytest.fixture
def offline_page(browser) -> Iterator:
    """A page in a browser that has no network; what goes wrong in it fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else said.append(request.url))
    yield page
    context.close()
    assert said == []

"""One invented run for all tests of the report, and a browser for those of its pages."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from invented_results import DATASETS, FOLDS
from invented_results import write_run as write_invented_run

from fersnet.report.recompute import RunFolder, recompute
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
    config = {
        "preset": "embedded",
        "run": "invented",
        "datasets": {"bu4dfe": None},
        "variants": {"fersnet_bu4dfe": None},
        "baselines": {"methods": ["lbp_top"]},
        "selection_study": {"method": "fersnet"},
        "report": {"bootstrap_samples": 100},
    }
    keys = ("claims", "datasets", "ablation", "synthesis", *(f"fer_{dataset}" for dataset in DATASETS), "selection")
    tables = [f"tables/{key}.json" for key in keys]
    write_run(run_file(load_settings(config, []), dict.fromkeys(DATASETS, FOLDS), tables, []), results)
    files = RunFolder(results, read_run(results))
    for key in keys:
        write_table(recompute(files, key), results / "tables")
    return results


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Headless Chromium; where there is none, its tests are skipped, and say so."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        text = "NO BROWSER: pages are not tested; apt-get install chromium"
        warnings.warn(text, stacklevel=1)
        pytest.skip(text)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser) -> Iterator:
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

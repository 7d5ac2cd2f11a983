"""What a run ends with on the terminal."""

import dataclasses
import io
import re

import pytest
from invented_results import DATASETS, description
from rich.console import Console

from fersnet.claims import read_claims
from fersnet.project import CONFIG
from fersnet.report.claims import claims_table
from fersnet.report.comparisons import synthesis_table
from fersnet.report.files import EVALUATION_COLUMNS, SET_COLUMNS, read_jobs, read_predictions, read_systems
from fersnet.report.quoted import read_quoted
from fersnet.report.tables import ablation_table
from fersnet.report.terminal import print_link, print_results
from fersnet.report.writing import write_table
from fersnet.settings.report import ReportSettings

SYNTHESIS = ("ckplus", "oulu_casia")


@pytest.fixture(scope="module")
def results(run_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    quoted, settings = read_quoted(CONFIG / "reported.csv"), ReportSettings(bootstrap_samples=100)
    # A name that is as long as one's own variants may have.
    long = {"fersnet_fes_da": "FERSNet with a very long name of one's own, which goes on and on and does not end here"}
    run = description()
    run = dataclasses.replace(run, names={**run.names, **long})
    predictions = read_predictions(sorted((run_folder / "predictions").glob("*/*/*.parquet")))
    evaluations = read_systems(sorted((run_folder / "evaluation").glob("*/*.parquet")), EVALUATION_COLUMNS)
    sets = read_systems(sorted((run_folder / "evaluation").glob("*/*_sets.csv")), SET_COLUMNS)
    jobs = read_jobs(run_folder / "jobs.csv")
    for table in (
        claims_table(read_claims(CONFIG / "claims.csv"), predictions, evaluations, quoted, run, settings),
        ablation_table(predictions, quoted, jobs, run, settings, DATASETS),
        synthesis_table(evaluations, sets, quoted, jobs, run, settings, SYNTHESIS, dict.fromkeys(SYNTHESIS, "fold")),
    ):
        write_table(table, folder / "tables")
    (folder / "report.html").write_text("")
    return folder


def test_a_run_ends_with_narrow_tables_the_claims_and_the_report(results, capsys) -> None:
    print_results(results)
    said = capsys.readouterr().out
    assert "\x1b" not in said  # neither colours nor links where nobody could see them
    lines = said.splitlines()
    assert max(map(len, lines[:-1])) <= 100
    assert re.search(r"FERSNet +97\.35 +\d+\.\d\d ± +\d+\.\d\d", said)
    assert said.index("StarGAN") < said.index("Identity map") < said.index("Oulu-CASIA", said.index("Identity map"))
    assert re.search(r"FERSNet > w/o MTL +CK\+ +\+2\.65 +[+-]\d+\.\d \(", said)
    assert "On rendered" in said
    assert re.search(r"Claims of the paper: \d+ holds, \d+ open, \d+ contradicted, \d+ not run\.", said)
    assert lines[-1] == f"Report: {results / 'report.html'}"


def test_on_a_terminal_the_report_is_a_link(results) -> None:
    console = Console(force_terminal=True, width=60, record=False, file=io.StringIO())
    with console.capture() as captured:
        print_link("Report", results / "report.html", console)
    assert re.search(r"\x1b\]8;[^;]*;file:///[^\x1b]*report\.html\x1b\\", captured.get())

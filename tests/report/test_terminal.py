"""What a run ends with on the terminal."""

import dataclasses
import io
import re

import pytest
from first_tables import write_first_tables
from invented_results import description
from rich.console import Console

from fersnet.report.terminal import print_link, print_results


@pytest.fixture(scope="module")
def results(run_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    # A name that is as long as one's own variants may have.
    long = {"fersnet_fes_da": "FERSNet with a very long name of one's own, which goes on and on and does not end here"}
    run = description()
    run = dataclasses.replace(run, names={**run.names, **long})
    write_first_tables(run_folder, run, folder)
    (folder / "report.html").write_text("")
    return folder


def test_a_run_ends_with_narrow_tables_the_claims_and_the_report(results, capsys) -> None:
    print_results(results)
    said = capsys.readouterr().out
    assert "\x1b" not in said  # neither colours nor links where nobody could see them
    lines = said.splitlines()
    assert max(map(len, lines[:-1])) <= 100
    assert re.search(r"Paper +Here, by image +Here, by sequence", said)
    assert re.search(r"FERSNet +97\.35 +\d+\.\d\d +\d+\.\d\d ± +\d+\.\d\d", said)
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

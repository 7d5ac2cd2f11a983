"""That the benchmarks which set a plain implementation beside this project's still run; what they measure is not
looked at."""

import json
import runpy
import sys

import pytest
import torch

from fersnet.project import PROJECT

BENCHMARKS = PROJECT / "benchmarks"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("rivals", "--only stargan --size 32 --width 4 --batch 4"),
        ("recognisers", "--only eac --size small --batch 8"),
    ],
)
def test_a_plain_step_runs_beside_the_projects(
    script: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = str(torch.get_num_threads())
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", [script, *words.split(), "--threads", threads, "--seconds", "0", "--json"])
    runpy.run_path(str(BENCHMARKS / f"{script}.py"), run_name="__main__")
    results = json.loads(capsys.readouterr().out)["results"]
    assert results
    assert all(figures["gigaflop"] > 0 and figures["plain_over_this"] > 0 for figures in results.values())

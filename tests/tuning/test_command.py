"""What `fersnet tune` says before any job."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fersnet.cli import app


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("datasets: {mmi: {embedded: {subjects: 3}}}\n", "datasets.mmi.embedded.subjects: 3 people in 3 parts"),
        ("tuning: {parts: 2}\n", "tuning.parts: input should be greater than or equal to 3 (found 2)"),
        ("tuning: {draws: 0}\n", "tuning.draws: input should be greater than 0 (found 0)"),
        ("tuning: {methods: [cnn]}\n", "tuning.methods: 'cnn' is not trained in this run; have fersnet_without_mtl,"),
        ("tuning: {methods: []}\n", "tuning.methods: "),
        ("tuning: {methods: [fersnet_fes_da]}\n", "fersnet_fes_da builds on another training; name fersnet"),
        ("tuning: {methods: [hog3d]}\n", "nothing to tune: no method of this config has ranges"),
        ("tuning: {fold: 2}\n", "unknown key 'tuning.fold'; did you mean 'tuning.folds'?"),
        ("modules: {mine: mine.py}\n", "modules.mine: mine.py: ranges: 'costs' is no key of its settings; have cost"),
        (
            "modules: {empty: empty.py}\n",
            "modules.empty: empty.py: an empty range, 2 to 1; put the smaller bound first",
        ),
    ],
)
def test_what_cannot_be_searched_is_one_line(
    config: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = (
        "from fersnet.methods.contract import Recogniser, Reference\n"
        "from fersnet.methods.ranges import Numbers\n"
        "from fersnet.settings.base import PositiveFloat, Section\n"
        "class Mine(Section):\n    cost: PositiveFloat = 1.0\n"
        "work = Reference(authors='A', title='B', venue='C', year=2026)\n"
        "METHOD = Recogniser(name='M', reference=work, settings=Mine, trains_networks=False, ranges={%s})\n"
        "def fit(train, validation, settings, run, classes): pass\n"
    )
    (tmp_path / "mine.py").write_text(method % "'costs': Numbers(1, 2)", encoding="utf-8")
    (tmp_path / "empty.py").write_text(method % "'cost': Numbers(2, 1)", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(config, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.call", lambda *_, **__: pytest.fail("the search was started"))
    done = CliRunner().invoke(app, ["tune", "bad.yaml"])
    assert done.exit_code == 1
    assert line in done.output and len(done.output.strip().splitlines()) == 1, done.output

"""The project's own files and a user's are told apart."""

from pathlib import Path

import pytest

from fersnet.datasets.presence import find_problems
from fersnet.project import DEFAULT, PROJECT, config_files, named_file
from fersnet.settings.load import load_settings, read_config


def test_f5_a_working_folder_may_have_a_config_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    assert config_files() == [DEFAULT]
    monkeypatch.chdir(tmp_path)
    assert config_files() == [DEFAULT]
    own = tmp_path / "config" / "config.yaml"
    own.parent.mkdir()
    own.write_text("seed: 7\n", encoding="utf-8")
    assert load_settings(read_config(config_files()), config_files()).seed == 7


def test_f5_a_named_file_is_the_users_before_it_is_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named_file("config/mmi208.csv") == PROJECT / "config" / "mmi208.csv"
    assert named_file("chosen.csv") == Path("chosen.csv")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mmi208.csv").touch()
    assert named_file("config/mmi208.csv") == Path("config/mmi208.csv")


def test_f5_a_relative_root_is_named_with_the_folder_that_it_is_taken_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("datasets: {mmi: {root: data/own}, ckplus: {root: .}}\n", encoding="utf-8")
    settings = load_settings(read_config([DEFAULT, Path("mine.yaml")]), [DEFAULT])
    for line in find_problems(settings):
        assert f"a relative root is taken from the working folder, {tmp_path}" in line
    absolute = {"mmi": settings.datasets["mmi"].model_copy(update={"root": "/nowhere/mmi"})}
    assert "working folder" not in find_problems(settings.model_copy(update={"datasets": absolute}))[0]

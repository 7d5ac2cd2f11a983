"""Logged models: complete, once, served by MLflow, fetched by URI, and never able to run code of their own."""

import multiprocessing
import os
import pickle
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from fersnet import mirror as module
from fersnet.cli import app
from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.mirror import mirror
from fersnet.tracking import file_sha256, track_job
from fersnet.use.model import load_model
from fersnet.use.new_store import make_store
from fersnet.use.store import connect, fetch_checkpoint, logged_models, reason_of, store_uri
from tests.use.conftest import MakeCheckpoint


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as MLflow makes it, which takes a second or two."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    connect(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def results(tmp_path: Path, empty_store: Path) -> Path:
    """The folder of a run with an empty store."""
    folder = tmp_path / "project" / "results" / "test"
    (folder / "tracking").mkdir(parents=True)
    shutil.copy(empty_store, folder / "tracking" / "mlflow.db")
    return folder


def track(results: Path, checkpoint: Path, fold: int = 1, method: str = "fersnet") -> None:
    shutil.copy(checkpoint, results / "checkpoint.pt")
    with track_job(
        results, "train_fersnet", run="test", dataset="mmi", method=method, fold=str(fold), seed=1, params={},
        config_sha256="", data_sha256="", threads=1, artifacts=["results/test/note.csv"],
    ) as record:  # fmt: skip
        record.model = {
            "checkpoint": "results/test/checkpoint.pt", "sha256": file_sha256(checkpoint), "expressions": list(SIX),
        }  # fmt: skip


def models_of(results: Path) -> list:
    client = connect(store_uri(results))
    return logged_models(client, client.get_experiment_by_name(f"fersnet-{results.name}").experiment_id)


def test_a_model_is_logged_once_served_and_fetched(
    tmp_path: Path, results: Path, portrait: Path, make_checkpoint: MakeCheckpoint
) -> None:
    import mlflow

    checkpoint = make_checkpoint()
    track(results, checkpoint)
    track(results, checkpoint, method="fersnet_without_mtl")
    run_id = next(iter(mirror(results).run_ids.values()))
    mirror(results)
    (logged,) = models_of(results)
    assert logged.source_run_id == run_id

    # MLflow's own loader, on the content of a picture.
    (tmp_path / "fetched").mkdir()
    fetched = fetch_checkpoint(f"runs:/{run_id}/model", store_uri(results), tmp_path / "fetched")
    assert fetched.read_bytes() == checkpoint.read_bytes()
    folder = fetched.parents[1]
    served = mlflow.pyfunc.load_model(str(folder))
    assert served.input_example is not None
    assert served.predict(served.input_example)["predicted"].isin(SIX).all()
    row = served.predict(pd.DataFrame({"image": [portrait.read_bytes()]})).iloc[0]
    expected = load_model(fetched).predict(portrait).iloc[0]
    assert {name: row[f"p_{name}"] for name in SIX} == pytest.approx({name: expected[f"p_{name}"] for name in SIX})
    # Case F8: a picture that fails keeps its place and does not hide the others.
    rows = served.predict(pd.DataFrame({"image": [b"text", portrait.read_bytes()]})).to_dict("records")
    assert rows[0].pop("error").startswith("not an image file") and rows[0].pop("trained_on") == "unknown"
    assert set(rows[0].values()) == {None}
    assert rows[1] == row.to_dict() and rows[1]["error"] is None

    # By its own id, and as a folder.
    (tmp_path / "again").mkdir()
    for name in (f"models:/{logged.model_id}", str(folder)):
        assert fetch_checkpoint(name, store_uri(results), tmp_path / "again").read_bytes() == checkpoint.read_bytes()
    for name in ("models:/nothere/1", "models:/m-nothere", "runs:/nothere/model", f"runs:/{run_id}/nothere"):
        with pytest.raises(UserError, match=name) as caught:
            fetch_checkpoint(name, store_uri(results), tmp_path / "again")
        assert "\n" not in str(caught.value)


def test_a_card_goes_with_its_model_also_where_it_comes_later(
    results: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store_uri(results))
    track(results, make_checkpoint())
    (run_id,) = mirror(results).run_ids.values()
    describe = ["describe", "--model", f"runs:/{run_id}/model"]
    done = CliRunner().invoke(app, describe)
    assert done.exit_code == 1 and "has no model_card.md" in done.stderr
    for text in ("# Card\n", "# Another card\n"):
        (results / "model_card.md").write_text(text, encoding="utf-8")
        mirror(results)
        done = CliRunner().invoke(app, describe)
        assert (done.exit_code, done.stdout) == (0, text)
        assert [model.tags["mlflow.note.content"] for model in models_of(results)] == [text]
    done = CliRunner().invoke(app, ["describe", "--model", str(results / "checkpoint.pt")])
    assert done.stdout == "# Another card\n"
    done = CliRunner().invoke(app, ["describe", "--model", "nothere.pt"])
    assert done.exit_code == 1 and "nothere.pt: no such file" in done.stderr


def test_a_checkpoint_that_another_job_has_replaced_is_not_logged(
    results: Path, make_checkpoint: MakeCheckpoint
) -> None:
    checkpoint = make_checkpoint()
    track(results, checkpoint)
    shutil.copy(make_checkpoint(SIX, selection="another"), results / "checkpoint.pt")
    assert len(mirror(results).run_ids) == 1
    assert models_of(results) == []


def test_a_store_that_takes_no_models_has_the_runs_all_the_same(
    results: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.exceptions import MlflowException

    def refuse(*_arguments: object) -> None:
        raise MlflowException("no models here")

    checkpoint = make_checkpoint()
    for fold in (1, 2):
        track(results, checkpoint, fold)
    with monkeypatch.context() as patch:
        patch.setattr(module, "log_model", refuse)
        assert len(mirror(results).run_ids) == 2
    assert models_of(results) == []
    mirror(results)
    assert len(models_of(results)) == 2


def project_files(project: Path) -> dict[str, bytes]:
    return {str(path.relative_to(project)): path.read_bytes() for path in project.rglob("*") if path.is_file()}


def as_in_a_new_process() -> None:
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()


@pytest.mark.parametrize("there", ["nothing", "the original"])
def test_d1_a_run_that_was_moved_or_copied_is_read_and_written_where_it_is(
    tmp_path: Path, results: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    checkpoint = make_checkpoint()
    (results / "note.csv").write_text("first", encoding="utf-8")
    track(results, checkpoint)
    (run_id,) = mirror(results).run_ids.values()
    as_in_a_new_process()
    project, moved = tmp_path / "project", tmp_path / "else where"
    (project.rename if there == "nothing" else lambda place: shutil.copytree(project, place))(moved)
    before = project_files(project)
    results = moved / "results" / "test"
    monkeypatch.chdir(moved)

    # Reading changes nothing: it must do without the right to write.
    copied = project_files(moved)
    (tmp_path / "fetched").mkdir()
    for name in (f"runs:/{run_id}/model", f"models:/{models_of(results)[0].model_id}"):
        fetched = fetch_checkpoint(name, store_uri(results), tmp_path / "fetched")
        assert fetched.read_bytes() == checkpoint.read_bytes()
    assert project_files(moved) == copied

    (results / "note.csv").write_text("second", encoding="utf-8")
    track(results, checkpoint)
    assert mirror(results).failure == ""
    as_in_a_new_process()
    assert project_files(project) == before
    client = connect(store_uri(results))
    assert Path(client.download_artifacts(run_id, "note.csv")).read_text(encoding="utf-8") == "second"
    home = (results / "tracking" / "artifacts").as_uri()
    (model,) = models_of(results)
    assert all(
        place.startswith(f"{home}/") for place in (client.get_run(run_id).info.artifact_uri, model.artifact_location)
    )


def test_d1_a_run_is_synced_with_its_own_files_from_wherever_one_stands(
    tmp_path: Path, results: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    (results / "note.csv").write_text("own", encoding="utf-8")
    track(results, make_checkpoint())
    other = tmp_path / "other" / "results" / "test"
    other.mkdir(parents=True)
    (other / "note.csv").write_text("another project's", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "other")
    (run_id,) = mirror(results).run_ids.values()
    assert len(models_of(results)) == 1
    note = connect(store_uri(results)).download_artifacts(run_id, "note.csv")
    assert Path(note).read_text(encoding="utf-8") == "own"


def test_d1_no_run_writes_into_another_of_its_name_that_shares_its_store(
    tmp_path: Path, results: Path, make_checkpoint: MakeCheckpoint
) -> None:
    shared = tmp_path / "shared.db"
    shutil.copy(results / "tracking" / "mlflow.db", shared)
    track(results, make_checkpoint())
    assert mirror(results, f"sqlite:///{shared}").failure == ""
    other = tmp_path / "other" / "results" / "test"
    other.mkdir(parents=True)
    track(other, make_checkpoint())
    before = project_files(tmp_path / "project")
    assert "keeps its artifacts in another run's folder" in mirror(other, f"sqlite:///{shared}").failure
    assert project_files(tmp_path / "project") == before
    # A run that was moved away from there is at home where it is, in this store too.
    as_in_a_new_process()
    moved = (tmp_path / "project").rename(tmp_path / "moved")
    track(moved / "results" / "test", make_checkpoint(), fold=2)
    assert mirror(moved / "results" / "test", f"sqlite:///{shared}").failure == ""
    assert not (tmp_path / "project").exists()


def test_d1_a_place_that_the_user_has_chosen_stays(tmp_path: Path, results: Path) -> None:
    client = connect(store_uri(results))
    chosen = (tmp_path / "big disk").as_uri()
    number = client.create_experiment(f"fersnet-{results.name}", artifact_location=chosen)
    (results / "tracking" / "jobs").mkdir()
    assert mirror(results).failure == ""
    assert client.get_experiment(number).artifact_location == chosen


def test_d2_a_deleted_experiment_costs_no_run_id_and_the_way_out_is_told(
    results: Path, make_checkpoint: MakeCheckpoint
) -> None:
    track(results, make_checkpoint())
    table = results / "jobs.csv"
    sync = ["sync", str(results)]
    assert CliRunner().invoke(app, sync).exit_code == 0
    before = table.read_text(encoding="utf-8")
    client = connect(store_uri(results))
    experiment = client.get_experiment_by_name(f"fersnet-{results.name}")
    client.delete_experiment(experiment.experiment_id)
    for words in ([], ["--keep-time", "--ended"]):
        assert CliRunner().invoke(app, [*sync, *words]).exit_code == 1
        assert table.read_text(encoding="utf-8") == before
    assert f"`mlflow experiments restore -x {experiment.experiment_id}`" in mirror(results).failure
    client.restore_experiment(experiment.experiment_id)
    assert CliRunner().invoke(app, sync).exit_code == 0
    assert table.read_text(encoding="utf-8") == before


def test_d2_a_deleted_run_stays_deleted_until_its_job_runs_again(
    results: Path, make_checkpoint: MakeCheckpoint
) -> None:
    track(results, make_checkpoint())
    (run_id,) = mirror(results).run_ids.values()
    client = connect(store_uri(results))
    client.delete_run(run_id)
    assert list(mirror(results).run_ids.values()) == [run_id]
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    track(results, make_checkpoint())
    assert list(mirror(results).run_ids.values()) == [run_id]
    assert client.get_run(run_id).info.lifecycle_stage == "active"
    assert len(models_of(results)) == 1


@pytest.mark.parametrize(
    ("trouble", "reason"), [("newer", "another version of MLflow"), ("rubbish", "file is not a database")]
)
def test_d2_a_store_that_cannot_be_used_is_told_in_one_line(
    results: Path, make_checkpoint: MakeCheckpoint, trouble: str, reason: str
) -> None:
    database = results / "tracking" / "mlflow.db"
    if trouble == "newer":
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    else:
        database.write_bytes(b"rubbish" * 1000)
    track(results, make_checkpoint())
    with pytest.raises(UserError, match=reason) as caught:
        fetch_checkpoint("models:/m-1", store_uri(results), results)
    failure = mirror(results).failure
    assert reason in failure and "0 of 1 jobs mirrored" in failure
    assert "\n" not in failure + str(caught.value)


def test_e2_the_reason_of_a_store_on_a_full_disk_is_that_of_its_database() -> None:
    from mlflow.exceptions import MlflowException

    text = "(raised as a result of Query-invoked autoflush; consider using a session.no_autoflush block)\n"
    text += "(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT INTO metrics]"
    assert reason_of(MlflowException(text)) == "database or disk is full"


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.touch, (self.mark,)


def test_a_hostile_model_is_refused_and_not_executed(tmp_path: Path) -> None:
    mark, folder = tmp_path / "executed", tmp_path / "model"
    (folder / "data").mkdir(parents=True)
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')", encoding="utf-8")
    description = "flavors: {python_function: {loader_module: evil, code: ., data: data, python_model: model.pkl}}"
    (folder / "MLmodel").write_text(description, encoding="utf-8")
    (folder / "model.pkl").write_bytes(pickle.dumps(Hostile(mark)))
    with pytest.raises(UserError, match="no FERSNet model"):
        fetch_checkpoint(str(folder), "sqlite:///nothere.db", tmp_path)
    torch.save({"networks": Hostile(mark)}, folder / "data" / "checkpoint.pt")
    with pytest.raises(UserError, match="holds more than tensors"):
        load_model(folder)
    assert not mark.exists()


def test_asking_for_a_model_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no tracking store"):
        fetch_checkpoint("models:/m-1", store_uri(tmp_path), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_kill_while_a_store_is_made_leaves_none_and_the_next_makes_it(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"

    def make_and_die() -> None:
        import mlflow.store.db.utils

        mlflow.store.db.utils._upgrade_db = lambda engine: os._exit(9)
        make_store(database)

    connect(f"sqlite:///{tmp_path / 'other.db'}")  # so that the fork has MLflow
    process = multiprocessing.get_context("fork").Process(target=make_and_die)
    process.start()
    process.join()
    assert process.exitcode == 9
    assert [path.name for path in tmp_path.glob("mlflow.db*")] == ["mlflow.db.part"]
    make_store(database)
    assert [path.name for path in tmp_path.glob("mlflow.db*")] == ["mlflow.db"]
    assert connect(f"sqlite:///{database}").search_experiments()


def test_a_store_that_an_earlier_version_left_half_made_is_made_again(results: Path) -> None:
    database = results / "tracking" / "mlflow.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM experiments")
        connection.execute("DELETE FROM alembic_version")
        connection.execute("DROP TABLE inputs")
    (results / "tracking" / "jobs").mkdir()
    assert not mirror(results).failure
    assert models_of(results) == []


def test_a_store_that_is_there_is_left_alone(results: Path) -> None:
    database = results / "tracking" / "mlflow.db"
    before = (database.stat().st_ino, database.read_bytes())
    make_store(database)
    assert (database.stat().st_ino, database.read_bytes()) == before

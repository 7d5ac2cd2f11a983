"""Logged models: complete, once, served by MLflow, fetched by URI, and never able to run code of their own."""

import pickle
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from fersnet import mirror as module
from fersnet.errors import UserError
from fersnet.expressions import SIX
from fersnet.mirror import mirror, store_uri
from fersnet.tracking import file_sha256, track_job
from fersnet.use.model import open_model
from fersnet.use.store import connect, fetch_checkpoint, logged_models
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
    folder = tmp_path / "results"
    (folder / "tracking").mkdir(parents=True)
    shutil.copy(empty_store, folder / "tracking" / "mlflow.db")
    return folder


def track(results: Path, checkpoint: Path, fold: int = 1, method: str = "fersnet") -> None:
    with track_job(
        results, "train_fersnet", run="test", dataset="mmi", method=method, fold=str(fold), seed=1, params={},
        config_sha256="", data_sha256="", threads=1,
    ) as record:  # fmt: skip
        record.model = {
            "checkpoint": str(checkpoint), "sha256": file_sha256(checkpoint), "expressions": list(SIX),
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
    run_id = next(iter(mirror(results).values()))
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
    model = open_model(fetched)
    expected = model.recognise(model.find_face(portrait))
    assert {name: row[f"p_{name}"] for name in SIX} == pytest.approx(expected)
    # Case F8: a picture that fails keeps its place and does not hide the others.
    rows = served.predict(pd.DataFrame({"image": [b"text", portrait.read_bytes()]})).to_dict("records")
    assert rows[0].pop("error").startswith("not an image file") and set(rows[0].values()) == {None}
    assert rows[1] == row.to_dict() and rows[1]["error"] is None

    # By its own id, and as a folder.
    (tmp_path / "again").mkdir()
    for name in (f"models:/{logged.model_id}", str(folder)):
        assert fetch_checkpoint(name, store_uri(results), tmp_path / "again").read_bytes() == checkpoint.read_bytes()
    for name in ("models:/nothere/1", "models:/m-nothere", "runs:/nothere/model", f"runs:/{run_id}/nothere"):
        with pytest.raises(UserError, match=name) as caught:
            fetch_checkpoint(name, store_uri(results), tmp_path / "again")
        assert "\n" not in str(caught.value)


def test_a_checkpoint_that_another_job_has_replaced_is_not_logged(
    results: Path, make_checkpoint: MakeCheckpoint
) -> None:
    checkpoint = make_checkpoint()
    track(results, checkpoint)
    make_checkpoint(SIX, selection="another")
    assert len(mirror(results)) == 1
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
        assert len(mirror(results)) == 2
    assert models_of(results) == []
    mirror(results)
    assert len(models_of(results)) == 2


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
        open_model(fetch_checkpoint(str(folder), "sqlite:///nothere.db", tmp_path))
    assert not mark.exists()


def test_asking_for_a_model_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no tracking store"):
        fetch_checkpoint("models:/m-1", store_uri(tmp_path), tmp_path)
    assert list(tmp_path.iterdir()) == []

"""Trained models in MLflow: logging them beside the job records, and fetching them by URI."""

import functools
import importlib.metadata
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fersnet.errors import UserError
from fersnet.tracking import file_sha256
from fersnet.use.moved import copy_home, database_of, own_results, places_left

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from pandas import DataFrame

NAME = "model"
"""Name of a run's model: `runs:/<run id>/model`."""

LOADER = "fersnet.use.served"
CHECKPOINT = "data/checkpoint.pt"
"""Where MLflow puts the checkpoint in a logged model."""

CARD = "model_card.md"
"""Name of a model's card, beside the checkpoint and in the store."""

LONGEST_NOTE = 5000
"""Characters that every store takes as a note."""

REQUIREMENTS = (
    "torch",
    "numpy",
    "pandas",
    "pydantic",
    "pillow",
    "opencv-python",
    "dlib-bin",
    "face-alignment",
    "face-recognition-models",
)
"""What the served model imports beside this package, at the versions of the moment."""


ANSWER_SECONDS = 3.0
"""Time that a server has for its first answer."""


def store_uri(results: Path) -> str:
    """The tracking store: MLFLOW_TRACKING_URI where it is set, otherwise the run's embedded SQLite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(results / 'tracking' / 'mlflow.db').resolve()}"


def connect(uri: str) -> "MlflowClient":
    """A client of a tracking store that keeps quiet, and gives a dead server up in seconds instead of minutes.

    Raises:
        UserError: if a server does not answer at all.
    """
    if uri.startswith(("http:", "https:")):
        _check_answer(uri)
    if not uri.startswith(("sqlite:", "file:")):
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Two lines for every run that ends.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import mlflow

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It writes the traceback of every error that it raises.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    return mlflow.MlflowClient(tracking_uri=uri)


def _check_answer(uri: str) -> None:
    """Asks a server for anything at all: one that accepts connections and hangs would hold up every later request."""
    import warnings

    import requests

    try:
        with warnings.catch_warnings():
            # Whether its certificate is good is for the real requests to say.
            warnings.simplefilter("ignore")
            requests.get(uri, timeout=ANSWER_SECONDS, verify=False, stream=True, allow_redirects=False).close()
    except requests.RequestException as error:
        raise UserError(f"no answer within {ANSWER_SECONDS:.0f} s ({type(error).__name__})") from None


def reason_of(error: Exception) -> str:
    """What a store says of its trouble, in one line, with the way out where MLflow names a wrong one."""
    if isinstance(error, UserError):
        return str(error)
    text = str(error).strip()
    of_the_database = re.search(r"\(sqlite3\.\w+\) (.+)", text)
    line = of_the_database[1] if of_the_database else next(iter(text.splitlines()), type(error).__name__)
    if "out-of-date database schema" in line:
        return (
            "its tables are those of another version of MLflow; one that an older version has made can be used after "
            "`mlflow db upgrade <store>`, one of a newer version with that version only"
        )
    return line[:200]


def log_model(
    client: "MlflowClient",
    experiment: str,
    run_id: str,
    checkpoint: Path,
    expressions: Sequence[str],
    tags: dict[str, str],
) -> None:
    """Log a checkpoint as the model of a run, with signature and input example.

    Args:
        experiment: Id of the run's experiment.
        expressions: The classes in class-index order.
        tags: Of the model.

    Raises:
        MlflowException, OSError: if the store does not take it; what was begun does not count as ready.
    """
    import mlflow
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    logged = client.create_logged_model(experiment, NAME, run_id, tags, model_type="fersnet")
    with TemporaryDirectory() as folder:
        content = Path(folder, NAME)
        mlflow.pyfunc.save_model(
            content,
            loader_module=LOADER,
            data_path=str(checkpoint),
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                model_uuid=logged.model_id,
                run_id=run_id,
                model_id=logged.model_id,
            ),
            signature=_signature(expressions),
            input_example=_example(),
            pip_requirements=[f"{name}=={_version(name)}" for name in REQUIREMENTS],
        )
        client.log_model_artifacts(logged.model_id, str(content))
        log_card(client, logged.model_id, checkpoint.with_name(CARD))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])


def log_card(client: "MlflowClient", model_id: str, card: Path) -> None:
    """Put a model's card into the store, and show it on the model's page; nothing where there is none yet.

    Raises:
        MlflowException, OSError: if the store does not take it.
    """
    if not card.is_file():
        return
    text = card.read_text(encoding="utf-8")
    client.log_model_artifact(model_id, str(card))
    note = text if len(text) <= LONGEST_NOTE else f"{text[: LONGEST_NOTE - 20]}\n(see {CARD})"
    client.set_logged_model_tags(model_id, {"mlflow.note.content": note, "card_sha256": file_sha256(card)})


def find_card(checkpoint: Path) -> Path:
    """The card of a checkpoint, beside it or, in a logged model, in the model's folder.

    Raises:
        UserError: if there is none.
    """
    for folder in (checkpoint.parent, checkpoint.parent.parent):
        if (folder / CARD).is_file():
            return folder / CARD
    raise UserError(
        f"{checkpoint}: has no {CARD}; the workflow writes one for each checkpoint of `fersnet` once its test subjects "
        "are predicted"
    )


def logged_models(client: "MlflowClient", experiment: str) -> "list[LoggedModel]":
    """The models of an experiment that are complete."""
    models, token = [], None
    while True:
        page = client.search_logged_models([experiment], page_token=token)
        models += [model for model in page if model.status == "READY"]
        token = page.token
        if not token:
            return models


def fetch_checkpoint(model: str, store: str, folder: Path) -> Path:
    """The checkpoint file that a path or an MLflow URI stands for. Nothing of a fetched model is executed.

    Args:
        model: A checkpoint file, the folder of a logged model, or a URI (`models:/...`, `runs:/...`).
        store: URI of the tracking store, for the latter.
        folder: Existing folder that a fetched model goes to.

    Raises:
        UserError: if there is no such model, or it is of another kind.
    """
    found = _fetch(model, store, folder) if ":/" in model else Path(model)
    if not found.is_dir():
        return found
    if not (found / CHECKPOINT).is_file():
        raise UserError(f"{model}: no FERSNet model; give a checkpoint.pt, or the URI or folder of a model logged here")
    return found / CHECKPOINT


def _fetch(model: str, store: str, folder: Path) -> Path:
    database = database_of(store)
    if database is not None and not database.is_file():
        # MLflow would make an empty one.
        raise UserError(f"{model}: no tracking store at {database}; set --results or MLFLOW_TRACKING_URI")
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    earlier = os.environ.get("MLFLOW_TRACKING_URI")
    try:
        results = own_results(database) if database is not None else None
        if database is not None and results is not None and places_left(database, results):
            store = f"sqlite:///{copy_home(database, results, folder)}"
        connect(store)
        # The resolvers of URIs heed the process's own store only.
        os.environ["MLFLOW_TRACKING_URI"] = store
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=model, dst_path=str(folder)))
    except (MlflowException, SQLAlchemyError, OSError, UserError) as error:
        way_out = "correct the URI, or set --results or MLFLOW_TRACKING_URI"
        raise UserError(f"{model}: {reason_of(error).rstrip('.')}; {way_out}") from None
    finally:
        if earlier is None:
            os.environ.pop("MLFLOW_TRACKING_URI", None)
        else:
            os.environ["MLFLOW_TRACKING_URI"] = earlier


def _signature(expressions: Sequence[str]):
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    seen = [ColSpec(DataType.string, "predicted"), *(ColSpec(DataType.double, f"p_{name}") for name in expressions)]
    outputs = [*seen, ColSpec(DataType.string, "trained_on"), ColSpec(DataType.string, "error")]
    return ModelSignature(Schema([ColSpec(DataType.binary, "image")]), Schema(outputs))


@functools.cache
def _example() -> "DataFrame":
    """A rendered face, which anybody may see."""
    import pandas as pd

    from fersnet.embedded.sheet import draw_faces

    with TemporaryDirectory() as folder:
        (path,) = draw_faces(1, 1, 256, ("happiness",), folder)
        return pd.DataFrame({"image": [path.read_bytes()]})


def _version(name: str) -> str:
    # A local version (`+cpu`) names a build that the package index does not have.
    return importlib.metadata.version(name).split("+")[0]

"""The models that the page offers: one, or all of a run."""

import zipfile
from functools import lru_cache
from pathlib import Path

from fersnet.errors import UserError
from fersnet.use.model import TrainedModel, read_model

HELD = 4
"""Models that are kept in memory; one of the published size takes 0.3 GB."""


class Models:
    """Models by name, each loaded when it is asked for."""

    def __init__(self, model: str, *, results: Path, backend: str | None, landmark_models: str | None) -> None:
        """
        Args:
            model: As of `read_model`, or the folder of a run.
            results: Run whose store has the model of a URI.
            backend: Landmark backend instead of the models' own.
            landmark_models: Folder with the weights of `face_alignment`.

        Raises:
            UserError: if there is no model.
        """
        self.places = _of_run(Path(model)) if (Path(model) / "models").is_dir() else {Path(model).name: model}
        """Path or URI of each model, by name."""

        @lru_cache(maxsize=HELD)
        def load(place: str) -> TrainedModel:
            return read_model(place, results=results, backend=backend, landmark_models=landmark_models)

        self._load = load

    def get(self, name: str) -> TrainedModel | None:
        """The model of that name; None if there is none.

        Raises:
            UserError: if it cannot be used.
        """
        place = self.places.get(name)
        return None if place is None else self._load(place)


def _of_run(run: Path) -> dict[str, str]:
    """The FERSNet variants of a run, those of the main method first."""
    found = sorted(run.glob("models/*/*/fold*/checkpoint.pt"), key=_order)
    named = {" · ".join(_parts(path)): str(path) for path in found if _is_fersnet(path)}
    if not named:
        raise UserError(f"{run}: no trained FERSNet in its models/; run the workflow, or give a checkpoint.pt")
    return named


def _parts(path: Path) -> tuple[str, str, str]:
    dataset, method, fold = path.parts[-4:-1]
    return dataset, method, fold.replace("fold", "fold ")


def _order(path: Path) -> tuple[bool, str, str, int]:
    dataset, method, fold = path.parts[-4:-1]
    number = fold.removeprefix("fold")
    return method != "fersnet", dataset, method, int(number) if number.isdecimal() else 0


def _is_fersnet(path: Path) -> bool:
    """Whether a checkpoint says that it is a FERSNet; it is not loaded, since a run may have hundreds of large ones."""
    try:
        with zipfile.ZipFile(path) as archive:
            (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            return b'"kind": "fersnet"' in archive.read(index)
    except (OSError, ValueError, zipfile.BadZipFile):
        return False

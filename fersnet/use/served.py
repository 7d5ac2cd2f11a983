"""The model as MLflow serves it: images in, a table of probabilities out.

MLflow loads it by the name of this module, so that a logged model is a checkpoint and a description, without code and
without pickles.
"""

from typing import TYPE_CHECKING, Any

from fersnet.faces.images import Rejection
from fersnet.faces.landmarks import largest
from fersnet.use.model import TrainedModel, load_model
from fersnet.use.table import ADVICE, BOX

if TYPE_CHECKING:
    from pandas import DataFrame


def _load_pyfunc(checkpoint: str) -> "ServedModel":
    """What MLflow calls with the path of the logged checkpoint."""
    return ServedModel(load_model(checkpoint))


class ServedModel:
    """A trained model behind MLflow's interface."""

    def __init__(self, model: TrainedModel) -> None:
        self._model = model

    def predict(self, pictures: "DataFrame", params: dict[str, Any] | None = None) -> "DataFrame":
        """A row per picture, in their order: `predicted`, `p_<expression>` per class, `trained_on` and `error`.

        A picture that cannot be used has its reason in `error`, and no probabilities; the others have no error.

        Args:
            pictures: Column `image`: the bytes of image files (PNG, JPEG, ...), each with one frontal face.
            params: There are none.
        """
        import numpy as np
        import pandas as pd

        found = self._model.predict([bytes(content) for content in pictures["image"]])
        columns = ["predicted", *(f"p_{name}" for name in self._model.expressions), "trained_on", "error"]
        rows: list[dict[str, Any]] = []
        for _, faces in found.groupby("picture"):
            try:
                rows.append(faces.iloc[largest(list(faces[list(BOX)].to_numpy()))].to_dict())
            except Rejection as rejection:
                rows.append({"trained_on": self._model.trained_on, "error": f"{rejection}; {ADVICE}"})
        table = pd.DataFrame(rows, columns=columns)
        # What is missing becomes null in JSON, which knows no NaN.
        return table.astype({name: object for name in columns if table[name].hasnans}).replace({np.nan: None})

"""The model as MLflow serves it: images in, a table of probabilities out.

MLflow loads it by the name of this module, so that a logged model is a checkpoint and a description, without code and
without pickles.
"""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fersnet.use.model import TrainedModel, open_model

if TYPE_CHECKING:
    from pandas import DataFrame


def _load_pyfunc(checkpoint: str) -> "ServedModel":
    """What MLflow calls with the path of the logged checkpoint."""
    return ServedModel(open_model(Path(checkpoint)))


class ServedModel:
    """A trained model behind MLflow's interface."""

    def __init__(self, model: TrainedModel) -> None:
        self._model = model

    def predict(self, pictures: "DataFrame", params: dict[str, Any] | None = None) -> "DataFrame":
        """A row per picture, in their order: `predicted`, `p_<expression>` per class, and `error`.

        A picture that cannot be used has its reason in `error`, and nothing else; the others have no error.

        Args:
            pictures: Column `image`: the bytes of image files (PNG, JPEG, ...), each with one frontal face.
            params: There are none.
        """
        import numpy as np
        import pandas as pd

        columns = ["predicted", *(f"p_{name}" for name in self._model.expressions), "error"]
        rows = []
        for content in pictures["image"]:
            answer = self._model.answer(BytesIO(content))
            values = {f"p_{name}": value for name, value in answer.get("probabilities", {}).items()}
            rows.append({"predicted": answer.get("predicted"), **values, "error": answer.get("error")})
        table = pd.DataFrame(rows, columns=columns)
        # What is missing becomes null in JSON, which knows no NaN.
        return table.astype({name: object for name in columns if table[name].hasnans}).replace({np.nan: None})

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
        """A row per picture: `predicted`, and `p_<expression>` per class.

        Args:
            pictures: Column `image`: the bytes of image files (PNG, JPEG, ...), each with one frontal face.
            params: There are none.

        Raises:
            UserError: if one of them cannot be used; its row, from 0, is named.
        """
        import pandas as pd

        rows = []
        for position, content in enumerate(pictures["image"]):
            probabilities = self._model.recognise(self._model.find_face(BytesIO(content), f"image in row {position}"))
            best = max(probabilities, key=probabilities.__getitem__)
            rows.append({"predicted": best} | {f"p_{name}": value for name, value in probabilities.items()})
        return pd.DataFrame(rows)

"""Whether every labelled sequence was tested, which no figure in a table shows by itself."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from fersnet.errors import UserError
from fersnet.folds import read_folds
from fersnet.report.files import read_table


def coverage_notes(predictions: pd.DataFrame, folders: Iterable[Path]) -> tuple[str, ...]:
    """A note for every dataset with sequences on which nothing could be tested, since none of their faces is usable.

    Args:
        predictions: As `read_predictions` returns them.
        folders: By dataset, the folder with `folds.csv` and `faces.parquet`.

    Raises:
        UserError: if a method has no prediction for a sequence with a usable face.
    """
    notes = []
    for folder in folders:
        faces = read_table(folder / "faces.parquet", ("sequence_id", "role"))
        labelled = set(read_folds(folder / "folds.csv")["sequence_id"])
        here = predictions[predictions["dataset"] == folder.name]
        for (method, _), rows in here.groupby(["method", "repeat"]):
            # Methods that read whole sequences have no frame.
            role = "clip" if (rows["frame"] == -1).all() else "peak"
            usable = labelled & set(faces["sequence_id"][faces["role"] == role])
            missing = sorted(usable - set(rows["sequence_id"]))
            if missing:
                raise UserError(
                    f"predictions of {method} on {folder.name}: {len(missing)} of {len(usable)} sequences were not "
                    f"tested, the first is {missing[0]}; delete the predictions and run again"
                )
        faceless = len(labelled - set(faces["sequence_id"]))
        if faceless:
            notes.append(
                f"{faceless} of {len(labelled)} labelled sequences of `{folder.name}` have no usable face (see its "
                "`rejected.csv`), and are not tested."
            )
    return tuple(notes)

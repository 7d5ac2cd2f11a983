"""The faces of several datasets in one store, for trainings across them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fersnet.faces.store import COLUMNS, FaceStore

CHUNK = 2048
"""Faces that are in memory at once."""


def join_stores(stores: Mapping[str, FaceStore], expressions: Sequence[str], folder: Path) -> int:
    """Write `faces.npy`, `faces.parquet` and `landmarks.npy` with the faces of these expressions, set after set.

    Sequences and subjects are named `<dataset>/<name>`, as in the folds of such trainings.

    Returns:
        The number of faces.
    """
    import pandas as pd

    chosen = {
        dataset: np.flatnonzero(store.table["expression"].isin(list(expressions))) for dataset, store in stores.items()
    }
    count, first = sum(map(len, chosen.values())), next(iter(stores.values()))
    shape = (count, *first.images.shape[1:])
    images = np.lib.format.open_memmap(folder / "faces.npy", mode="w+", dtype=first.images.dtype, shape=shape)
    landmarks, tables, done = [], [], 0
    for dataset, store in stores.items():
        rows = chosen[dataset]
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            images[done : done + len(part)] = store.images[part]
            done += len(part)
        landmarks.append(store.landmarks[rows])
        table = store.table.iloc[rows]
        tables.append(table.assign(**{key: f"{dataset}/" + table[key] for key in ("sequence_id", "subject")}))
    images.flush()
    np.save(folder / "landmarks.npy", np.concatenate(landmarks), allow_pickle=False)
    pd.concat(tables, ignore_index=True)[list(COLUMNS)].to_parquet(folder / "faces.parquet", index=False)
    return count

"""The draw of a survey: which faces of which system are shown, each beside a reference face of somebody."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fersnet.errors import UserError
from fersnet.report.comparisons import IDENTITY_MAP
from fersnet.report.files import read_arrays, read_table
from fersnet.report.publication import may_be_shown, why_nobody
from fersnet.report.recompute import RunFolder
from fersnet.report.stored_faces import centre, open_faces
from fersnet.seeds import derive_seed

REAL = "real_faces"
"""In the place of a system: the test subjects' own faces."""
KEY_COLUMNS = (
    *("draw", "item", "dataset", "fold", "method", "source", "expression", "target", "subject"),
    *("reference", "same_person", "judge"),
)
"""Of the file that says what each item is; `judge` is what the judge reads in it."""
_REFERENCE_ROLES = ("peak", "neutral")


@dataclass(frozen=True)
class Item:
    """A face to be judged, with what only the key says of it."""

    dataset: str
    fold: int
    method: str
    source: int
    """Row of the face that it was made of, or that it is."""
    expression: str
    """Of that face."""
    target: str
    """What is to be seen."""
    subject: str
    reference: int
    """Row of the face beside it."""
    same_person: bool
    """Whether that one shows the subject."""
    judge: str
    """What the judge reads in it."""
    choices: tuple[str, ...]
    face: np.ndarray
    """uint8 (S, S, C), as is `beside`."""
    beside: np.ndarray


@dataclass(frozen=True)
class Draw:
    """A survey's items in their order, and a line for each dataset whose faces may not be shown."""

    items: tuple[Item, ...]
    left_out: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tells this draw from others: it changes with every item and picture."""
        content = hashlib.sha256()
        for item in self.items:
            content.update("|".join(map(str, _told(item))).encode())
            content.update(item.face.tobytes() + item.beside.tobytes())
        return content.hexdigest()[:12]

    def key(self) -> pd.DataFrame:
        """What each item is, under `KEY_COLUMNS`."""
        name = self.name
        rows = [(name, number, *_told(item)) for number, item in enumerate(self.items, start=1)]
        return pd.DataFrame(rows, columns=list(KEY_COLUMNS))


def draw_survey(files: RunFolder, faces: int, seed: int) -> Draw:
    """Draw as many faces of every system, and of the real ones, on every dataset; evenly over the expressions.

    Half of them stand beside another face of the same person, half beside somebody else's.

    Args:
        faces: of each system on each dataset, if there are as many.
        seed: of the draw.

    Raises:
        UserError: if no dataset's faces may be shown, or a file of the run is missing.
    """
    items: list[Item] = []
    left_out: list[str] = []
    for dataset in files.judged:
        rng = np.random.default_rng(derive_seed(seed, "survey", dataset))
        drawn = _of_dataset(files, dataset, faces, rng)
        items += drawn
        if not drawn:
            name, why = files.run.description.name_of(dataset), why_nobody(dataset, files.run.description)
            left_out.append(f"{name} is left out. {why}")
    if not items:
        raise UserError(" ".join(left_out) or "this run compares no synthetic faces; there is nothing to ask about")
    order = np.random.default_rng(derive_seed(seed, "survey", "order")).permutation(len(items))
    return Draw(tuple(items[place] for place in order), tuple(left_out))


def _of_dataset(files: RunFolder, dataset: str, faces: int, rng: np.random.Generator) -> list[Item]:
    folder = files.folder / "datasets" / dataset
    table = read_table(folder / "faces.parquet", ("sequence_id", "subject", "expression", "role"))
    table["subject"] = table["subject"].astype(str)
    allowed = may_be_shown(dataset, table["subject"], files.run.description, files.run.report)
    if not allowed:
        return []
    stored = open_faces(folder / "faces.npy", len(table))
    read = _judged_faces(files, dataset)
    read = read[read["source"].map(table["subject"]).isin(allowed)]
    choices = tuple(dict.fromkeys(read["target"]))
    others = table[table["role"].isin(_REFERENCE_ROLES) & table["subject"].isin(allowed)]
    items: list[Item] = []
    for method in (*files.systems, REAL):
        chosen = _evenly(read[read["method"] == method], faces, rng)
        alike = rng.permutation(np.arange(len(chosen)) % 2 == 0)
        # Real faces are shown in the size of the synthetic ones.
        pictures = (
            [centre(stored[source], len(items[0].face)) for source in chosen["source"]]
            if method == REAL
            else _synthetic(files.folder / "synthesis" / dataset / method, chosen)
        )
        for row, wanted, face in zip(chosen.to_dict("records"), alike, pictures, strict=True):
            source = int(row["source"])
            reference, same = _reference(table, others, source, bool(wanted), method == REAL, rng)
            item = Item(
                dataset, int(row["fold"]), method, source, str(row["expression"]), str(row["target"]),
                str(table["subject"].iloc[source]), reference, same, str(row["predicted"]), choices,
                face, centre(stored[reference], len(face)),
            )  # fmt: skip
            items.append(item)
    return items


def _judged_faces(files: RunFolder, dataset: str) -> pd.DataFrame:
    """What the judge has read: the systems' faces, of several trainings the first one's, and the real test faces."""
    read = files.evaluations
    read = read[(read["dataset"] == dataset) & (read["repeat"] == 1)]
    targets = list(dict.fromkeys(read["target"]))
    real = read[(read["method"] == IDENTITY_MAP) & read["expression"].isin(targets)]
    real = real.drop_duplicates(["fold", "source"]).assign(method=REAL, target=lambda rows: rows["expression"])
    return pd.concat([read[read["method"].isin(files.systems)], real], ignore_index=True)


def _evenly(faces: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Some of the faces, as many of each target as of the others, as far as they go."""
    mixed = faces.iloc[rng.permutation(len(faces))]
    rank = mixed.groupby("target").cumcount()
    return mixed.iloc[rank.argsort(kind="stable").to_numpy()[:count]]


def _synthetic(folder: Path, chosen: pd.DataFrame) -> list[np.ndarray]:
    """The chosen faces of a system, each of its files read once."""
    found: dict[int, np.ndarray] = {}
    for fold, rows in chosen.reset_index(drop=True).groupby("fold"):
        path = folder / f"fold{fold}.npz"
        arrays = read_arrays(path, ("images", "source", "target"))
        for place, row in rows.iterrows():
            here = np.flatnonzero((arrays["source"] == row["source"]) & (arrays["target"] == row["target"]))
            if not len(here):
                raise UserError(f"{path}: lacks a face that was judged; delete the file and run again")
            found[place] = arrays["images"][here[0]].copy()
    return [found[place] for place in range(len(chosen))]


def _reference(
    table: pd.DataFrame, others: pd.DataFrame, source: int, same: bool, real: bool, rng: np.random.Generator
) -> tuple[int, bool]:
    """The row of a face to stand beside one, and whether it shows the same person: as wanted, where there is such."""
    own = others[others["subject"] == table["subject"].iloc[source]]
    elsewhere = own[own["sequence_id"] != table["sequence_id"].iloc[source]]
    # A real face beside itself would ask nothing.
    alike: Sequence[int] = list(elsewhere.index) or [row for row in own.index if row != source or not real]
    unlike = list(others.index.difference(own.index))
    if (same and not alike) or (not same and not unlike):
        same = not same
    rows = alike if same else unlike
    return (int(rng.choice(rows)), same) if rows else (source, True)


def _told(item: Item) -> tuple[object, ...]:
    """What the key says of an item, but for its draw and number."""
    return (
        *(item.dataset, item.fold, item.method, item.source, item.expression, item.target, item.subject),
        *(item.reference, "yes" if item.same_person else "no", item.judge),
    )

"""How many folds each dataset of a run has, which the workflow must know before any job.

Under `leave_one_subject_out` that is the number of its labelled subjects. Where a copy on disk has to be read for it,
the number is kept beside the dataset's results and counted again only where data, reader or settings have changed.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from fersnet.datasets.index import read_dataset
from fersnet.datasets.sequences import labelled
from fersnet.datasets.stamp import STAMPS, data_stamp, option_stamp
from fersnet.embedded.trees import labelled_people
from fersnet.errors import UserError
from fersnet.fingerprint import fingerprint
from fersnet.folds import FEWEST, read_fold_list
from fersnet.memory import recall, remember
from fersnet.methods.find import code_of
from fersnet.project import named_file
from fersnet.seeds import derive_seed
from fersnet.settings.data import DatasetSettings
from fersnet.settings.tree import Settings


def fold_counts(settings: Settings, results: Path) -> dict[str, int]:
    """Number of folds by recognition dataset.

    Args:
        settings: of the run.
        results: folder of the run.

    Raises:
        UserError: if a dataset cannot be read, or has too few subjects to leave one out.
    """
    datasets = settings.recognition_datasets
    listed = {key: max(fold_list(settings, key).values()) for key in settings.folds.lists}
    if settings.folds.scheme != "leave_one_subject_out":
        return dict.fromkeys(datasets, settings.folds.count) | listed
    counts = {key: listed[key] if key in listed else _people(key, settings, results) for key in datasets}
    for key, count in counts.items():
        if count < FEWEST:
            raise UserError(
                f"folds.scheme: leave_one_subject_out needs at least {FEWEST} labelled subjects, and datasets.{key} "
                f"has {count}"
            )
    return counts


def fold_list(settings: Settings, key: str) -> dict[str, int]:
    """The fold of every subject of a dataset, where a list gives it; empty where none does.

    Raises:
        UserError: naming the key and the file, if that is no such list.
    """
    if key not in settings.folds.lists:
        return {}
    try:
        return read_fold_list(named_file(settings.folds.lists[key]))
    except UserError as error:
        raise UserError(f"folds.lists.{key}: {error}") from None


def synthesis_folds(settings: Settings, counts: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The folds in which synthesis systems are trained and judged, ascending, by recognition dataset.

    Args:
        settings: of the run.
        counts: number of folds by dataset, as `fold_counts` gives it.

    Raises:
        UserError: for a fold that a dataset of a comparison does not have, or that is named twice.
    """
    chosen = settings.synthesis.folds
    if chosen is None:
        return {key: tuple(range(1, count + 1)) for key, count in counts.items()}
    if len(set(chosen)) < len(chosen):
        raise UserError(f"synthesis.folds: a fold is named twice in {list(chosen)}")
    for key in (*settings.synthesis.datasets, *settings.utility_datasets):
        if max(chosen) > counts[key]:
            raise UserError(f"synthesis.folds: {max(chosen)} is none of the {counts[key]} folds of {key}")
    return {key: tuple(fold for fold in sorted(chosen) if fold <= count) for key, count in counts.items()}


def _people(key: str, settings: Settings, results: Path) -> int:
    dataset = settings.datasets[key]
    if dataset.root is None:
        if dataset.options:
            raise UserError(
                f"folds.scheme: leave_one_subject_out cannot foresee the subjects that datasets.{key}.options leave of "
                "embedded faces; take the options away, or another scheme"
            )
        # The seed is that of the job which renders the tree.
        seed = derive_seed(settings.seed, "render_dataset", key, "", "")
        return labelled_people(dataset.reader, dataset.embedded, seed, dataset.classes)
    root = Path(dataset.root)
    reader = settings.known.readers[dataset.reader].module
    code = fingerprint("fersnet.datasets.index", code_of(reader))
    stamps = [data_stamp(dataset, STAMPS, reader), option_stamp(dataset, STAMPS)]
    state = [*stamps, code, dataset.model_dump_json(), settings.faces.peak_frames]
    digest = hashlib.sha256(json.dumps(state).encode()).hexdigest()
    kept = results / "datasets" / key / ".subjects.json"
    found = recall(kept)
    if found.get("of") == digest:
        return int(found["subjects"])
    print(f"dataset {key}: counting its subjects, to leave out one at a time", file=sys.stderr, flush=True)
    count = _count(key, dataset, root, settings.faces.peak_frames, reader)
    remember(kept, {"of": digest, "subjects": count})
    return count


def _count(key: str, dataset: DatasetSettings, root: Path, peak_frames: int, reader: str) -> int:
    try:
        return int(labelled(read_dataset(dataset, root, peak_frames, reader).sequences)["subject"].nunique())
    except UserError as error:
        raise UserError(f"dataset {key}: {error}") from None

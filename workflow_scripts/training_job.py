"""What the training scripts share: the faces of a fold's subjects, and the description of the training run."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

from fersnet.faces.store import FaceStore, open_store
from fersnet.folds import Split, read_folds, split_subjects
from fersnet.methods.contract import Method
from fersnet.methods.find import load_code, load_module
from fersnet.settings.base import Section
from fersnet.tracking import JobRecord, file_sha256
from fersnet.training.device import choose_device, choose_precision, describe_device
from fersnet.training.task import TrainingRun
from workflow_scripts.job import job_fingerprint, job_seed

if TYPE_CHECKING:
    from snakemake.script import Snakemake


def read_store(snakemake: "Snakemake") -> FaceStore:
    """The face store that is among the job's inputs."""
    return open_store(Path(snakemake.input.faces).parent)


def read_split(snakemake: "Snakemake", store: FaceStore, hold_out: bool = False, fold: int | None = None) -> Split:
    """Training, validation and test subjects of a fold (by default the job's own); fold 0 trains on everybody."""
    fold = int(snakemake.wildcards.fold) if fold is None else fold
    if fold == 0:
        return Split(frozenset(store.table["subject"]), frozenset(), frozenset())
    return split_subjects(read_folds(Path(snakemake.input.folds)), fold, hold_out)


def read_other_sets(
    snakemake: "Snakemake", store: FaceStore, known: frozenset[str]
) -> dict[str, tuple[FaceStore, frozenset[str]]]:
    """The other sets among the job's inputs, by dataset, and who in each must not be trained on.

    These are all people of the job's own set but for the `known` ones, where the same reader reads both sets.
    """
    unseen, sets = frozenset(store.table["subject"]) - known, snakemake.params.get("other_sets", {})
    return {
        key: (open_store(Path(path).parent), unseen if same else frozenset())
        for (key, same), path in zip(sets.items(), snakemake.input.others if sets else (), strict=True)
    }


def read_method(snakemake: "Snakemake") -> tuple[Method, ModuleType, Section]:
    """What the job's method declares, its code, and its settings."""
    method = load_module(snakemake.params.module).METHOD
    settings = method.settings.model_validate(snakemake.params.settings, strict=False)
    return method, load_code(snakemake.params.module), settings


def job_device(snakemake: "Snakemake", record: JobRecord) -> torch.device:
    """The device of the job, noted in its record."""
    device = choose_device(snakemake.params.device, snakemake.config["jobs_per_gpu"])
    record.device = describe_device(device)
    return device


def training_run(
    snakemake: "Snakemake",
    record: JobRecord,
    width: int,
    metadata: dict[str, Any] | None = None,
    folder: Path | None = None,
) -> TrainingRun:
    """Where and how the job trains; in the folder of its history, where that is among its outputs."""
    device = job_device(snakemake, record)
    folder = folder or Path(snakemake.output.history).parent
    folder.mkdir(parents=True, exist_ok=True)
    precision = choose_precision(snakemake.params.precision, device, width)
    return TrainingRun(
        *(folder, job_seed(snakemake), device, job_fingerprint(snakemake), metadata or {}, precision),
        cuda_graphs=snakemake.config["cuda_graphs"],
    )


def described(snakemake: "Snakemake") -> dict[str, Any]:
    """What a checkpoint of a FERSNet says of its faces, for those who give it others."""
    return {key: snakemake.params[key] for key in ("faces", "trained_on")}


def note_model(snakemake: "Snakemake", record: JobRecord) -> None:
    """Note the trained FERSNet in the job's record, for the tracking store to keep as a model."""
    path = str(snakemake.output.checkpoint)
    expressions = list(snakemake.params.expressions)
    record.model = {"checkpoint": path, "sha256": file_sha256(Path(path)), "expressions": expressions}

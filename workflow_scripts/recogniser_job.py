"""What the scripts of the recognition methods share: the faces or clips that a method reads, and its training run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fersnet.baselines.clips import ClipSet, fold_clips
from fersnet.faces.store import FaceStore
from fersnet.folds import Split
from fersnet.methods.contract import NEUTRAL_FACES, OTHER_SETS, Method
from fersnet.settings.base import Section
from fersnet.tracking import JobRecord
from fersnet.training.batches import FaceSet, face_set, neutral_faces, with_landmarks
from fersnet.training.other_sets import other_faces
from fersnet.training.task import TrainingRun
from workflow_scripts.training_job import read_other_sets, training_run

if TYPE_CHECKING:
    from snakemake.script import Snakemake


def read_parts(
    snakemake: "Snakemake", method: Method, store: FaceStore, split: Split
) -> tuple[ClipSet, ClipSet, ClipSet] | tuple[FaceSet, FaceSet, FaceSet]:
    """What a recogniser reads of a fold's training, validation and test subjects: clips, or peak faces with landmarks.

    Raises:
        UserError: for peak faces, if the training subjects have none.
    """
    params = snakemake.params
    expressions = tuple(params.expressions)
    if "clips" in method.reads:
        return fold_clips(store, split, expressions, size=params["size"], frames=params["frames"], crop=params["crop"])
    train, validation, test = (
        with_landmarks(face_set(store, subjects, expressions, may_be_empty=subjects is not split.train), store)
        for subjects in (split.train, split.validation, split.test)
    )
    return train, validation, test


def read_more(snakemake: "Snakemake", method: Method, store: FaceStore, split: Split) -> dict[str, Any]:
    """What a recogniser reads beside the peak faces of a fold, by the names under which its `fit` takes it.

    None of it is of the fold's test subjects, who may be among the people of another set that the same reader reads.
    """
    expressions, known = tuple(snakemake.params.expressions), split.train | split.validation
    more: dict[str, Any] = {}
    if NEUTRAL_FACES in method.reads:
        more["neutral"] = neutral_faces(store, known, expressions)
    if OTHER_SETS in method.reads:
        sets = read_other_sets(snakemake, store, known)
        more["others"] = {key: other_faces(*one, expressions) for key, one in sets.items()}
    return more


def recogniser_run(
    snakemake: "Snakemake", record: JobRecord, settings: Section, folder: Path | None = None
) -> TrainingRun:
    """Where and how the job trains, and the classes, which clips know by number alone."""
    metadata = {"image_size": snakemake.params["crop"], "expressions": list(snakemake.params.expressions)}
    return training_run(snakemake, record, getattr(settings, "width", 1), metadata, folder)

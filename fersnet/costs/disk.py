"""How much room the results of a job take."""

from collections.abc import Iterable

from fersnet.costs.counting import BYTES, COPIES, TrainingCost
from fersnet.costs.job import Job
from fersnet.costs.sizes import RunSizes
from fersnet.mirror import MODEL_METHOD
from fersnet.settings.tree import CROSS, Settings

BYTES_PER_PIXEL = 0.5
"""Of a rendered frame on disk, PNG, JPEG and video taken together (measured on the default run)."""
PICTURE_BYTES, FILE_BYTES, RECORD_BYTES = 400_000, 20_000, 40_000
"""Of a figure, raster and vector; of any other output; of what tracking keeps of a job (record, rows, log)."""
LANDMARK_BYTES = 68 * 2 * BYTES


def disk_bytes(job: Job, cost: TrainingCost | None, settings: Settings, sizes: RunSizes) -> float:
    """Bytes that a job leaves on disk, its part of the tracking store included; files that compress count in full."""
    faces, sequences = settings.faces, sizes.sequences(job.dataset)
    face = faces.size**2 * faces.channels
    large = 0.0
    if cost is not None:
        # A logged model is a copy of the checkpoint.
        copies = 2 if job.rule == "train_fersnet" and job.plain_method == MODEL_METHOD else 1
        large = copies * BYTES * (cost.parameters + cost.averaged)
    elif job.rule == "render_dataset":
        embedded = settings.datasets[job.dataset].embedded
        large = sequences * sum(embedded.frames) / 2 * embedded.width * embedded.height * BYTES_PER_PIXEL
    elif job.rule in ("align_faces", "join_sets"):
        stored = sizes.sequences(CROSS) if job.rule == "join_sets" else sequences
        large = stored * (faces.clip_frames + faces.peak_frames + 1) * (face + LANDMARK_BYTES)
    elif job.rule == "synthesize_faces":
        targets = settings.datasets[job.dataset].synthesis_classes
        share = len(job.params["folds"]) / sizes.folds[job.dataset]
        tested = sizes.sequences(job.dataset, targets) * faces.peak_frames * share
        large = tested * len(targets) * settings.model.image_size**2 * faces.channels
    elif job.rule == "augment_faces":
        large = (sizes.enlarged(job.dataset, job.params["settings"]["factor"]) - sequences) * faces.peak_frames * face
    elif job.rule.startswith("figure"):
        # MLflow keeps a copy.
        large = 2 * PICTURE_BYTES
    return RECORD_BYTES + FILE_BYTES * len(job.outputs) + large


def resume_bytes(costs: Iterable[TrainingCost | None], at_once: int) -> float:
    """Bytes of the largest resume states of as many trainings as run at once: parameters, Adam's means, averages."""
    states = sorted(((COPIES - 1) * cost.parameters + cost.averaged for cost in costs if cost), reverse=True)
    return float(sum(states[:at_once]) * BYTES)

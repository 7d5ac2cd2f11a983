"""How much room the results of a plan take."""

from collections.abc import Sequence

from fersnet.mirror import MODEL_METHOD
from fersnet.plan.cost import BYTES, COPIES
from fersnet.plan.estimate import Estimate
from fersnet.plan.graph import PlannedJob
from fersnet.plan.sizes import RunSizes
from fersnet.settings.tree import Settings

BYTES_PER_PIXEL = 0.5
"""Of a rendered frame on disk, PNG, JPEG and video taken together (measured on the default run)."""
PICTURE_BYTES = 400_000
"""Of a figure, raster and vector."""
FILE_BYTES = 20_000
"""Of any other output: a table, a file of predictions."""
RECORD_BYTES = 40_000
"""What tracking keeps of a job: its record, its rows in the store, its log."""
LANDMARK_BYTES = 68 * 2 * BYTES


def disk_bytes(job: PlannedJob, estimate: Estimate, settings: Settings, sizes: RunSizes) -> float:
    """Bytes that a job leaves on disk, its part of the tracking store included; files that compress count in full."""
    total = float(RECORD_BYTES + FILE_BYTES * len(job.outputs))
    sequences = sizes.sequences(job.dataset)
    faces, channels = settings.faces, settings.faces.channels
    if estimate.cost is not None:
        checkpoint = BYTES * estimate.cost.parameters
        # A logged model is a copy of the checkpoint.
        total += checkpoint * (2 if job.rule == "train_fersnet" and job.plain_method == MODEL_METHOD else 1)
    elif job.rule == "render_dataset":
        embedded = settings.datasets[job.dataset].embedded
        frames = sequences * sum(embedded.frames) / 2
        total += frames * embedded.width * embedded.height * BYTES_PER_PIXEL
    elif job.rule == "align_faces":
        rows = sequences * (faces.clip_frames + faces.peak_frames + 1)
        total += rows * (faces.size**2 * channels + LANDMARK_BYTES)
    elif job.rule == "synthesize_faces":
        targets = settings.datasets[job.dataset].synthesis_classes
        tested = sizes.sequences(job.dataset, targets) * faces.peak_frames
        total += tested * len(targets) * settings.model.image_size**2 * channels
    elif job.rule == "augment_faces":
        counts = sizes.counts.get(job.dataset, {})
        made = max(counts.values(), default=0) * len(counts) * settings.augmentation.factor - sequences
        total += max(0.0, made) * faces.peak_frames * faces.size**2 * channels
    elif job.rule.startswith("figure"):
        # MLflow keeps a copy.
        total += 2 * PICTURE_BYTES
    return total


def resume_bytes(estimates: Sequence[Estimate], at_once: int) -> float:
    """Bytes of the largest resume states of as many trainings as run at once: parameters and Adam's two means."""
    states = sorted((one.cost.parameters for one in estimates if one.cost is not None), reverse=True)
    return float(sum(states[:at_once]) * BYTES * (COPIES - 1))

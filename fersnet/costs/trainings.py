"""The trainings of a plan: the methods set up their own, on invented data, with the numbers of samples of the run."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from fersnet.baselines.clips import ClipSet
from fersnet.costs.job import Job
from fersnet.costs.sizes import RunSizes
from fersnet.methods.contract import NEUTRAL_FACES, OTHER_SETS, Method, Recogniser
from fersnet.methods.find import load_code, load_module
from fersnet.models.light_cnn import LightCNN9
from fersnet.models.standard_fer import StandardFER
from fersnet.settings.training import IdentitySettings, StandardFerSettings, VariantRecipe
from fersnet.training import fersnet
from fersnet.training.batches import FaceSet
from fersnet.training.classification import ClassificationTask
from fersnet.training.invented import invented_faces
from fersnet.training.task import Stage, TrainingRun, TrainingTask
from fersnet.tuning.people import split_people

Planned: TypeAlias = tuple[TrainingTask, list[Stage]]
"""What a job trains, on data with a row for every place in a batch; and its stages, as long as in the run."""


def _variant(job: Job, sizes: RunSizes, run: TrainingRun) -> Planned:
    recipe = VariantRecipe.model_validate(job.params["settings"], strict=False)
    data = _Data(job, sizes, job.rule == "compare_selection" or recipe.training.selection == "validation")
    stages = [fersnet.stage(recipe, data.samples(data.sequences))]
    faces = data.faces(recipe.model.image_size, stages)
    return fersnet.task(faces, recipe, run, data.identity_network), stages


def _classifier(job: Job, sizes: RunSizes, run: TrainingRun) -> Planned | None:
    data, crop = _Data(job, sizes), job.params["image_size"]
    if job.rule == "train_identity":
        settings = IdentitySettings.model_validate(job.params["settings"], strict=False)
        if settings.checkpoint is not None:
            return None
        people = max(2, data.samples(sizes.subjects.get(job.dataset, 2), 1))
        network = LightCNN9(settings.width, settings.image_size, people)
        # The peak frames lie at the end of the clip, and one of them in it.
        frames = sizes.faces.clip_frames + sizes.faces.peak_frames - 1
        samples = data.samples(sizes.sequences(job.dataset), frames)
    else:
        settings = StandardFerSettings.model_validate(job.params["settings"], strict=False)
        network = StandardFER(settings.width, sizes.faces.channels, len(data.expressions))
        others = sum(sizes.sequences(other, data.expressions) for other in job.params.get("other_sets", ()))
        samples = data.samples(data.sequences) + others * sizes.faces.peak_frames
    stages = [Stage("training", settings.epochs, settings.batch_size, samples)]
    faces = data.faces(crop, stages, ("one", "other"))
    return ClassificationTask(network, faces, faces.labels, crop, settings, run), stages


def _method(job: Job, sizes: RunSizes, run: TrainingRun) -> Planned | None:
    module = job.params["module"]
    declared: Method | None = load_module(module).METHOD if module else None
    if declared is None or not declared.trains_networks:
        return None
    data, code = _Data(job, sizes), load_code(module)
    settings = declared.settings.model_validate(job.params["settings"], strict=False)
    if isinstance(declared, Recogniser):
        clips = "clips" in declared.reads
        counts = _beside(declared, data)
        stages = code.stages(settings, data.samples(data.sequences, 1 if clips else 0), **counts)
        given = data.clips(stages) if clips else data.faces(job.params["crop"], stages)
        more = {
            name: dict.fromkeys(count, given) if isinstance(count, dict) else given for name, count in counts.items()
        }
        run = run.describing({"image_size": job.params["crop"]})
        return code.task(given, settings, run, len(data.expressions), **more), stages
    counts = {name: data.samples(sizes.sequences(job.dataset, [name])) for name in data.expressions}
    neutral = NEUTRAL_FACES in declared.reads
    stages = code.stages(settings, counts | ({NEUTRAL_FACES: data.samples(data.sequences, 1)} if neutral else {}))
    faces = data.faces(job.params["image_size"], stages)
    run = run.describing({"image_size": job.params["image_size"]})
    return code.task(faces, settings, run, data.identity_network, **{"neutral": faces} if neutral else {}), stages


def _beside(declared: Method, data: "_Data") -> dict[str, int | dict[str, int]]:
    """The number of the faces that a recogniser reads beside the peak ones, by the names under which it takes them."""
    counts: dict[str, int | dict[str, int]] = {}
    if NEUTRAL_FACES in declared.reads:
        counts["neutral"] = data.samples(data.sequences, 1)
    if OTHER_SETS in declared.reads:
        sizes, sets = data.sizes, data.job.params.get("other_sets", {})
        peaks = sizes.faces.peak_frames
        counts["others"] = {key: sizes.sequences(key, data.expressions) * peaks for key in sets}
    return counts


@dataclass(frozen=True)
class _Data:
    """What a training is given."""

    job: Job
    sizes: RunSizes
    held_out: bool = False
    """Whether validation subjects are, be it not among its params."""

    @property
    def expressions(self) -> tuple[str, ...]:
        return tuple(self.job.params["expressions"])

    @property
    def sequences(self) -> int:
        return self.sizes.sequences(self.job.dataset, self.expressions)

    @property
    def identity_network(self) -> LightCNN9:
        return LightCNN9(self.sizes.identity.width, self.sizes.identity.image_size, 2)

    def samples(self, sequences: int, frames: int = 0) -> int:
        """Of the training subjects, so many frames a sequence (the peak ones); fold 0 trains on everybody."""
        share = 1.0
        if self.job.fold != "0" and not self.job.rule.startswith("pretrain"):
            left_out = 2 if self.held_out or self.job.params.get("hold_out") else 1
            share -= left_out / self.sizes.folds[self.job.dataset]
        return max(1, round(sequences * (frames or self.sizes.faces.peak_frames) * share))

    def faces(self, side: int, stages: list[Stage], classes: tuple[str, ...] = ()) -> FaceSet:
        """Faces of every class, the expressions where none are given, and of two subjects."""
        names = classes or self.expressions
        count = max(2 * len(names), *(stage.batch_size for stage in stages))
        return invented_faces(count, side, self.sizes.faces.channels, people=2, expressions=names)

    def clips(self, stages: list[Stage]) -> ClipSet:
        """Black clips of two subjects."""
        rows, frames, side = max(s.batch_size for s in stages), self.job.params["frames"], self.job.params["size"]
        images, landmarks = np.zeros((rows, frames, side, side), np.uint8), np.zeros((rows, frames, 68, 2), np.float32)
        names = [str(row) for row in range(rows)]
        return ClipSet(images, landmarks, np.arange(rows) % 2, names, names)


SETUPS = {
    **dict.fromkeys(("train_fersnet", "pretrain_fersnet", "compare_selection"), _variant),
    **dict.fromkeys(("train_identity", "train_standard_fer"), _classifier),
    **dict.fromkeys(("train_rival", "train_baseline", "pretrain_baseline"), _method),
}
SEARCHING = {
    "tune_fersnet": "train_fersnet",
    "tune_identity": "train_identity",
    "tune_standard_fer": "train_standard_fer",
    "tune_rival": "train_rival",
    "tune_baseline": "train_baseline",
    "tune_pretrain": "pretrain_baseline",
}
"""The rules of a search that train, and of which each is one."""


def planned_training(job: Job, sizes: RunSizes, run: TrainingRun) -> Planned | None:
    """None where the job trains no network (or takes a public checkpoint), or its dataset is of unknown size."""
    if job.rule in SEARCHING:
        # On about as many people as the run trains on.
        job = replace(job, rule=SEARCHING[job.rule], dataset=split_people(job.dataset)[0])
    setup = SETUPS.get(job.rule)
    return setup(job, sizes, run) if setup is not None and sizes.sequences(job.dataset) else None

"""The whole settings tree, and the rules that hold between its sections."""

from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from fersnet.methods.contract import OTHER_SETS, Method
from fersnet.methods.find import Known
from fersnet.settings.base import Name, PositiveInt, Section, UserPath
from fersnet.settings.data import DatasetSettings, FacesSettings, FoldsSettings
from fersnet.settings.methods import BaselinesSettings, OtherSetsSettings, RivalsSettings
from fersnet.settings.report import ReportSettings
from fersnet.settings.training import (
    FREE_UNITS,
    AugmentationSettings,
    FersnetSettings,
    IdentitySettings,
    LossSettings,
    ModelSettings,
    RepeatsSettings,
    SelectionStudySettings,
    StandardFerSettings,
    TrainedOn,
    VariantRecipe,
    VariantSettings,
)
from fersnet.settings.tuning import Changes, Chosen, TuningSettings
from fersnet.settings.utility import UtilitySettings, utility_rows

CROSS = "cross"
"""What stands in the place of a dataset's key where networks are trained on all recognition sets but one."""

SectionType = TypeVar("SectionType", bound=Section)


class SynthesisSettings(Section):
    """The comparison of synthetic faces."""

    datasets: tuple[Name, ...] = ("ckplus", "oulu_casia")
    """Datasets whose test faces are synthesised and judged, with all their classes but contempt."""
    method: Name = "fersnet"
    """FERSNet variant that competes with the rivals."""
    folds: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None
    """Folds in which the systems are judged, e.g. `[1]`; rivals, judge and the recognisers of `utility` are trained for
    these alone, but for a rival that augments a variant. null takes all. Recognition is tested in all folds."""


class Settings(Section):
    """Everything that a run depends on."""

    preset: Literal["embedded", "published"] = "published"
    """What stands under the config: the `published` values, or the `embedded` ones of a run that a laptop manages."""
    modules: dict[Name, UserPath] = Field(default={})
    """Methods and dataset readers of one's own: files or folders by key, relative to the working directory."""
    run: Name = "embedded"
    """Name of the run: results go to `results/<run>/`."""
    seed: Annotated[int, Field(ge=0)] = 1
    """The one seed; every job derives its own from it."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` uses a GPU where the host has one; `cuda` insists on it; `cpu` never looks."""
    jobs_per_gpu: Annotated[int, Field(ge=1)] = 1
    """How many jobs may share a GPU of one host; more of them wait. Changing it reruns nothing."""
    cuda_graphs: bool = True
    """Whether FERSNet's steps are recorded on a GPU and played back in one call each: the same result, three to five
    times as fast, for more GPU memory. Changing it reruns nothing."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` takes bf16 autocast where the device gains from it and the network is wide enough."""
    datasets: dict[Name, DatasetSettings] = Field(default={}, min_length=1)
    """The datasets by key; a null entry takes one out."""
    faces: FacesSettings = FacesSettings()
    """Landmarks, alignment and the face store."""
    folds: FoldsSettings = FoldsSettings()
    """Subject-wise folds."""
    model: ModelSettings = ModelSettings()
    """Network size."""
    losses: LossSettings = LossSettings()
    """FERSNet's objective."""
    training: FersnetSettings = FersnetSettings()
    """FERSNet's optimisation."""
    variants: dict[Name, VariantSettings] = Field(default={}, min_length=1)
    """The rows of the ablation by key; a null entry takes one out."""
    repeats: RepeatsSettings = RepeatsSettings()
    """Repeated trainings."""
    pretraining: FersnetSettings = FersnetSettings()
    """FERSNet's optimisation on a dataset of purpose `pretraining`."""
    identity: IdentitySettings = IdentitySettings()
    """The identity network."""
    standard_fer: StandardFerSettings = StandardFerSettings()
    """The judge of synthetic faces."""
    augmentation: AugmentationSettings = AugmentationSettings()
    """FES-based augmentation."""
    utility: UtilitySettings = UtilitySettings()
    """What synthetic faces are worth to a recogniser."""
    cross: bool = False
    """Whether the variants and the recognisers of peak faces are also trained on all recognition datasets but one and
    tested on that, in the expressions that all have."""
    selection_study: SelectionStudySettings = SelectionStudySettings()
    """Comparison of epoch-selection rules."""
    synthesis: SynthesisSettings = SynthesisSettings()
    """Comparison of synthetic faces."""
    rivals: RivalsSettings = RivalsSettings()
    """The rivals in the synthesis comparison."""
    baselines: BaselinesSettings = BaselinesSettings()
    """The rivals in the recognition tables."""
    tuning: TuningSettings = TuningSettings()
    """The search for settings."""
    chosen: Chosen = Field(default={})
    """Settings of single folds, by dataset, fold and method, as `fersnet tune` writes them for a copy of one's own."""
    report: ReportSettings = ReportSettings()
    """Tables, figures and the report."""
    threads: PositiveInt = 1
    """CPU threads of a training job."""

    known: ClassVar[Known]
    """The methods and readers that the sections are of."""

    @model_validator(mode="after")
    def _references_exist(self) -> "Settings":
        recognition = self.recognition_datasets
        if not recognition:
            raise ValueError("datasets: none has the purpose `recognition`")
        for name in self.synthesis.datasets:
            if name not in recognition:
                raise ValueError(f"synthesis.datasets: {name!r} is not a recognition dataset; have {list(recognition)}")
            if len(self.datasets[name].synthesis_classes) < 2:
                raise ValueError(
                    f"datasets.{name}.expressions: synthesis compares at least two expressions beside contempt; "
                    f"add one, or take {name} out of synthesis.datasets"
                )
        for key, source in self.pretrained_on.items():
            if getattr(self.datasets.get(source), "purpose", "") != "pretraining":
                place = "variants" if key in self.variants else "baselines"
                raise ValueError(f"{place}.{key}.pretrained_on: no dataset {source!r} of purpose `pretraining`")
        for key, variant in self.variants.items():
            for part, section in (("losses", LossSettings), ("training", FersnetSettings), ("model", ModelSettings)):
                unknown = sorted(set(getattr(variant, part)) - set(section.model_fields))
                if unknown:
                    raise ValueError(f"variants.{key}.{part}.{unknown[0]}: no such key in `{part}`")
        chosen = self.variants.get(self.synthesis.method)
        if chosen is None or chosen.sharing == "none":
            raise ValueError(f"synthesis.method: {self.synthesis.method!r} must be a variant that synthesises")
        try:
            self.baselines.check_clips(self.faces.clip_frames)
        except ValueError as error:
            raise ValueError(f"baselines.{error}") from None
        return self

    @property
    def recognition_datasets(self) -> tuple[str, ...]:
        """Keys of the datasets that enter the cross-validation."""
        return tuple(key for key, dataset in self.datasets.items() if dataset.purpose == "recognition")

    @property
    def systems(self) -> tuple[str, ...]:
        """Keys of all that draws the faces which are compared: the rivals, and a variant."""
        return (*self.rivals.methods, self.synthesis.method)

    @property
    def utility_datasets(self) -> tuple[str, ...]:
        """Datasets on which one recogniser is trained with each system's faces."""
        chosen = self.synthesis.datasets if self.utility.datasets is None else self.utility.datasets
        return chosen if self.utility.method else ()

    @property
    def utility_rows(self) -> dict[str, str]:
        """These recognisers: by key, the system whose faces they are trained with."""
        return utility_rows(self.systems) if self.utility_datasets else {}

    def variant(self, key: str) -> VariantSettings:
        """A variant, or one of those recognisers, which are variants like any other."""
        if key in self.variants:
            return self.variants[key]
        system = self.utility_rows[key]
        recogniser = self.variants[self.utility.method or ""]
        drawn = self.variants[system].name if system in self.variants else self.known.systems[system].declared.name
        return recogniser.model_copy(update={"name": f"{recogniser.name} + {drawn}", "augmented_by": system})

    def augmentation_of(self, key: str) -> AugmentationSettings:
        """How a variant's training faces are enlarged."""
        settings = self.utility if key in self.utility_rows else self.augmentation
        return AugmentationSettings(factor=settings.factor, minimum_confidence=settings.minimum_confidence)

    def drawn_size(self, system: str) -> int:
        """Side of the images that a synthesis system takes and gives."""
        return self.for_variant(system).model.image_size if system in self.variants else self.model.image_size

    def reader_of(self, key: str) -> str | None:
        """The variant that reads the faces with which a variant is trained: the one that draws them, or of the utility
        comparison the recogniser of real faces alone; rivals have no branch that could."""
        if key in self.utility_rows:
            return self.utility.method
        source = self.variants[key].augmented_by
        return source if source in self.variants else None

    @property
    def cross_sets(self) -> tuple[str, ...]:
        """The datasets each of which is once the test set of networks that the others train; none without `cross`."""
        return self.recognition_datasets if self.cross else ()

    @property
    def cross_classes(self) -> tuple[str, ...]:
        """The expressions that all recognition datasets have, in class-index order."""
        sets = [self.datasets[key].classes for key in self.recognition_datasets]
        return tuple(name for name in sets[0] if all(name in classes for classes in sets))

    @property
    def cross_methods(self) -> tuple[str, ...]:
        """What is trained across datasets: variants, and recognisers that read peak faces and no other sets of their
        own, among which the tested one would be."""
        if not self.cross:
            return ()
        known = self.known.recognisers
        baselines = (
            key
            for key in self.baselines.methods
            if "clips" not in known[key].declared.reads and not self.reads_other_sets(key)
        )
        return (*baselines, *self.variants)

    @property
    def pretrained_on(self) -> dict[str, str]:
        """By method that runs: the dataset on which it is trained first; the others start from scratch."""
        chosen: dict[str, str | None] = {key: variant.pretrained_on for key, variant in self.variants.items()}
        chosen |= {key: getattr(self.baselines.of(key), "pretrained_on", None) for key in self.baselines.methods}
        return {key: source for key, source in chosen.items() if source}

    def judge_of(self, dataset: str) -> TrainedOn:
        """On what the judge of a dataset's synthetic faces is trained; the fixed one knows rendered faces alone."""
        trained_on = self.standard_fer.trained_on
        return "fold" if trained_on == "fixed" and self.datasets[dataset].root is not None else trained_on

    def judged_with(self, dataset: str) -> tuple[str, ...]:
        """The other sets that a dataset's judge is trained on."""
        return self.sets_beside(dataset) if self.judge_of(dataset) == "other_sets" else ()

    def sets_beside(self, dataset: str) -> tuple[str, ...]:
        """The other recognition datasets of a dataset's kind: rendered ones for rendered faces, real ones for real."""
        rendered = self.datasets[dataset].root is None
        return tuple(
            key for key in self.recognition_datasets if key != dataset and (self.datasets[key].root is None) == rendered
        )

    def reads_other_sets(self, method: str) -> bool:
        """Whether a recogniser of one file trains on the run's other sets, too."""
        section, declared = self.baselines.of(method), self.known.recognisers[method].declared
        chosen = not isinstance(section, OtherSetsSettings) or section.reads_other_sets
        return isinstance(declared, Method) and OTHER_SETS in declared.reads and chosen

    def others_of(self, method: str, dataset: str) -> tuple[str, ...]:
        """The other sets that a recogniser of one file trains on for a dataset: those that share two classes with it.

        A pre-training on a dataset reads none: it comes before all folds, whose test subjects are among them.
        """
        if dataset not in self.recognition_datasets or not self.reads_other_sets(method):
            return ()
        here = set(self.datasets[dataset].classes)
        return tuple(key for key in self.sets_beside(dataset) if len(here & set(self.datasets[key].classes)) >= 2)

    def for_variant(self, method: str, pretraining: bool = False, changes: Changes | None = None) -> VariantRecipe:
        """What a variant's training depends on, its own keys laid over the common sections.

        Args:
            method: the variant's key.
            pretraining: whether it is its first training, on another dataset.
            changes: sections with keys that are laid over these again.
        """
        variant, changes = self.variant(method), changes or {}
        place = f"variants.{self.utility.method if method in self.utility_rows else method}"
        unknown = [part for part in changes if part not in ("losses", "training", "model")]
        if unknown:
            raise ValueError(f"{place}.{unknown[0]}: not one of losses, training, model")

        def laid(section: SectionType, part: str) -> SectionType:
            return _overlaid(section, {**getattr(variant, part), **changes.get(part, {})}, f"{place}.{part}")

        training = self.pretraining if pretraining else laid(self.training, "training")
        if variant.sharing not in FREE_UNITS:  # nothing of it depends on this
            training = training.model_copy(update={"unit_factor": 1.0})
        return VariantRecipe(
            sharing=variant.sharing,
            augmented_by=variant.augmented_by,
            losses=laid(self.losses, "losses"),
            training=training,
            model=laid(self.model, "model"),
        )

    def for_method(self, method: str, changes: Changes | None = None) -> Section:
        """The section of a method of one file, with keys laid over it."""
        found = {**self.known.systems, **self.known.recognisers}[method].declared
        option = getattr(found, "option", "")
        section = getattr(self, option).of(method)
        return _overlaid(section, changes, f"{option}.{method}") if changes else section

    def trained_with(self, method: str, changes: Changes | None = None) -> Section:
        """What a training of a variant or of a method of one file depends on, with keys laid over it."""
        if method in self.variants:
            return self.for_variant(method, changes=changes)
        return self.for_method(method, changes)

    def chosen_for(self, method: str, dataset: str, fold: str) -> Changes:
        """What a search chose for one fold of a dataset; empty where none did."""
        return self.chosen.get(dataset, {}).get(fold, {}).get(method, {})


def _overlaid(section: SectionType, changes: dict[str, Any], place: str) -> SectionType:
    """A section with a variant's own keys; raises ValueError, naming the key, for a value that it cannot have."""
    try:
        return type(section).model_validate({**section.model_dump(), **changes}, strict=False)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key, message = ".".join(map(str, problem["loc"])), problem["msg"]
        line = f"{place}.{key}: {message[0].lower() + message[1:]} (found {problem['input']!r})"
        raise ValueError(line) from None

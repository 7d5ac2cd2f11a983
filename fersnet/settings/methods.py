"""What the sections of the methods have in common, and the two sections that list them.

A method's own section stands in its own file, with its published values as defaults. A tuple of candidates is a grid:
what its paper tunes is chosen on the fold's validation subjects, and the first candidate counts where there are none.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field, create_model, model_validator

from fersnet.methods.contract import Method
from fersnet.methods.find import Found
from fersnet.settings.base import Fraction, Name, PositiveFloat, PositiveInt, Section, Weight
from fersnet.settings.training import ScheduleSettings

Augmentation = Literal["none", "flip", "crop_and_flip"]
GeneratorNormalisation = Literal["instance", "batch"]
Candidates = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
Costs = Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]


class ClipSettings(Section):
    """Settings of a method that sets a lower bound to the clips it reads."""

    def check_clips(self, frames: int, size: int) -> None:
        """Raises ValueError, naming the key, where clips of `frames` x `size` x `size` are too short or too small."""
        raise NotImplementedError


def halvings(image_size: int, method: str) -> tuple[int, int]:
    """Stride-2 stages L = floor(log2(size)) - 2 of an autoencoder, and the side size / 2^L of their last map.

    Raises:
        ValueError: if that side is no whole number, or the image is smaller than 16 pixels; `method` is the key.
    """
    stages = image_size.bit_length() - 3
    if image_size < 16 or image_size % 2**stages:
        raise ValueError(
            f"model.image_size: {method} needs at least 16 pixels and a multiple of 2^(floor(log2(size)) - 2), such as "
            f"48, 64, 80, 96, 112 or 128, got {image_size}; choose another size or leave {method} out of rivals.methods"
        )
    return stages, image_size // 2**stages


class AugmentationOfFaces(Section):
    """Random changes of the faces that a synthesis system is trained on."""

    augmentation: Augmentation = "flip"
    """Random changes of a training face, `none`, `flip` or `crop_and_flip`; without a random crop the centre is cut."""
    brightness: tuple[PositiveFloat, PositiveFloat] = (1.0, 1.0)
    """Smallest and largest factor of a training face's grey values, between which one is drawn for each face; at 1, 1,
    as published, they stay. A network that has seen few dark people can do better with others, too."""

    @model_validator(mode="after")
    def _smaller_first(self) -> "AugmentationOfFaces":
        if self.brightness[0] > self.brightness[1]:
            raise ValueError("brightness: put the smaller factor first")
        return self


class SystemSettings(Section):
    """Settings of a synthesis system that sets bounds to the side of its images."""

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, for a side of the images that the networks cannot take."""
        raise NotImplementedError


class RecogniserSettings(ScheduleSettings):
    """Optimisation of a recognition network: Adam on the shared loop, for a fixed number of epochs."""

    pretrained_on: Name | None = None
    """Dataset (of purpose `pretraining`) on which the same training runs first; null starts from scratch."""
    learning_rate: PositiveFloat = 1e-3
    """Initial learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    """Adam's two decay rates."""
    weight_decay: Weight = 1e-4
    """L2 penalty inside Adam."""


class NetworkSettings(RecogniserSettings):
    """Optimisation of a sequence network."""

    epochs: PositiveInt = 100
    """Passes over the training clips."""
    batch_size: PositiveInt = 32
    """Clips per step."""
    milestones: tuple[PositiveInt, ...] = (60, 85)
    """Epochs after which the learning rate is multiplied by `decay`."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the fully connected units that are left out of a training step."""
    flip: bool = True
    """Whether training mirrors clips at random."""


class FaceNetworkSettings(RecogniserSettings):
    """Optimisation of a network that recognises peak faces."""

    epochs: PositiveInt = 60
    """Passes over the training faces."""
    batch_size: Annotated[int, Field(ge=2)] = 32
    """Faces per step; batch normalisation needs two."""
    milestones: tuple[PositiveInt, ...] = (40, 55)
    """Epochs after which the learning rate is multiplied by `decay`."""


class OtherSetsSettings(FaceNetworkSettings):
    """Settings of a recogniser of peak faces that reads other sets, and need not with all of them."""

    instead: ClassVar[str] = "leave it out of baselines.methods"
    """What a run without other sets can do."""

    @property
    def reads_other_sets(self) -> bool:
        """Whether it does so with these settings."""
        return True


class MethodsSettings(Section):
    """Which methods of a kind run; each has its own section beside the list."""

    methods: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _without_repeats(self) -> "MethodsSettings":
        repeated = [method for position, method in enumerate(self.methods) if method in self.methods[:position]]
        if repeated:
            raise ValueError(f"methods: {repeated[0]!r} is listed twice")
        return self

    def of(self, method: str) -> Section:
        """The section of a method."""
        return getattr(self, method)


class RivalsSettings(MethodsSettings):
    """Which rivals run, and how each is trained."""

    methods: tuple[Name, ...] = ()
    """Rivals to train; an empty list trains none."""

    def check_size(self, image_size: int) -> None:
        """Raises ValueError, naming the key, for a side of the images that a chosen rival cannot take."""
        for method in self.methods:
            section = self.of(method)
            if isinstance(section, SystemSettings):
                section.check_size(image_size)


class BaselinesSettings(MethodsSettings):
    """Which recognition baselines run again under the project's folds, and how each is trained."""

    methods: tuple[Name, ...] = ()
    """Baselines to run; an empty list runs none. Of all, which no list means, those that learn from other sets are left
    out where a dataset has none of its kind beside it."""
    size: Annotated[int, Field(ge=32, multiple_of=4)] = 64
    """Side of a clip's frame in pixels."""

    def check_clips(self, frames: int) -> None:
        """Raises ValueError, naming the key, where clips of `frames` are too short or too small for a chosen method."""
        for method in self.methods:
            section = self.of(method)
            if isinstance(section, ClipSettings):
                try:
                    section.check_clips(frames, self.size)
                except ValueError as error:
                    raise ValueError(f"{method}.{error}") from None


Methods = TypeVar("Methods", bound=MethodsSettings)


def with_sections(base: type[Methods], known: Mapping[str, Found]) -> type[Methods]:
    """A section that lists methods, with the section of each; all of them run unless the config names some."""
    keys = tuple(known)
    fields: dict[str, Any] = {"methods": (tuple[Literal[keys], ...], keys)}
    for key, found in known.items():
        assert isinstance(found.declared, Method)
        section = found.declared.settings
        fields[key] = (section, Field(section(), description=f"Settings of {found.declared.name}."))
    return create_model(base.__name__, __base__=base, __doc__=base.__doc__, **fields)

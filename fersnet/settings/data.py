"""Settings of the data: datasets, embedded faces, alignment, folds."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, create_model, field_validator, model_validator

from fersnet.expressions import NEUTRAL, VOCABULARY, synthesis_targets
from fersnet.methods.contract import Reader
from fersnet.methods.find import Found
from fersnet.settings.base import Fraction, Name, PositiveInt, Section, UserPath

Backend = Literal["dlib", "face_alignment", "annotations"]


class EmbeddedSettings(Section):
    """The faces that the project renders itself where no licensed copy is given."""

    subjects: PositiveInt = 20
    """Number of labelled subjects."""
    frames: tuple[PositiveInt, PositiveInt] = (8, 12)
    """Shortest and longest sequence, in frames."""
    width: Annotated[int, Field(ge=96)] = 240
    """Width of a frame in pixels."""
    height: Annotated[int, Field(ge=96)] = 200
    """Height of a frame in pixels."""
    intensity: tuple[Fraction, float] = (0.45, 1.05)
    """Weakest and strongest apex, as a factor of the prototype's action-unit intensities."""
    quirks: bool = True
    """Whether the tree holds the real one's oddities: unlabelled sequences, hidden files, an empty folder, ..."""

    @model_validator(mode="after")
    def _ordered(self) -> "EmbeddedSettings":
        if self.frames[0] > self.frames[1]:
            raise ValueError("frames must be [shortest, longest]")
        if self.frames[0] < 6:
            raise ValueError("frames: a sequence needs at least 6 frames")
        if self.intensity[0] > self.intensity[1]:
            raise ValueError("intensity must be [weakest, strongest]")
        return self


class DatasetSettings(Section):
    """One dataset: a licensed copy on disk, a user's own data, or embedded faces in its layout."""

    reader: Name
    """Layout of the tree: a dataset's own, `folder` (subject/expression/*.png), `manifest` (a CSV), or yours."""
    root: UserPath | None = None
    """Folder of the licensed copy (or the manifest's path); null renders embedded faces instead."""
    fetch: bool | str = False
    """Whether what is missing at `root` is fetched there before anything else, for `london` and `ravdess`; a text such
    as `1-4` fetches these actors of RAVDESS. To ask for it is to accept the set's terms: `fersnet fetch` shows them."""
    optional: bool = False
    """Whether a set that is not at its `root` is left out of the run, with a line, in place of ending it."""
    purpose: Literal["recognition", "pretraining"] = "recognition"
    """`recognition` enters the cross-validation; `pretraining` is used whole, before it."""
    expressions: tuple[str, ...] | None = None
    """Classes to recognise, at least two, `neutral` among them where the set has it; null takes the reader's own."""
    options: dict[str, UserPath | int | float | bool] = Field(default_factory=dict)
    """Options of the reader, e.g. `light: Weak` for oulu_casia."""
    landmarks: Backend | None = None
    """Landmark backend for this dataset; null takes `faces.backend`."""
    embedded: EmbeddedSettings = EmbeddedSettings()
    """The embedded faces that stand in where `root` is null."""

    @model_validator(mode="after")
    def _consistent(self) -> "DatasetSettings":
        unknown = [expression for expression in self.expressions or () if expression not in VOCABULARY]
        if unknown:
            raise ValueError(f"expressions: unknown expression {unknown[0]!r}; known are {', '.join(VOCABULARY)}")
        if self.expressions is not None and len(set(self.expressions)) < 2:
            found = ", ".join(self.expressions) or "none"
            raise ValueError(f"expressions: at least two are needed to tell apart, found {found}")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Expressions in class-index order."""
        return tuple(expression for expression in VOCABULARY if expression in (self.expressions or ()))

    @property
    def synthesis_classes(self) -> tuple[str, ...]:
        """The classes that test faces are given and judged by, in class-index order."""
        return synthesis_targets(self.classes)


def with_readers(known: Mapping[str, Found]) -> type[DatasetSettings]:
    """A dataset's section whose `reader` is one of the given."""

    def has_pictures(section: DatasetSettings) -> DatasetSettings:
        reader = known[section.reader].declared
        if section.root is None and not (isinstance(reader, Reader) and reader.rendered):
            raise ValueError(f"root: the {section.reader} reader needs a path; it has no embedded faces")
        if NEUTRAL in section.classes and isinstance(reader, Reader) and reader.rendered:
            raise ValueError(
                f"expressions: {reader.name} has no neutral sequences, only first frames; leave neutral out"
            )
        return section

    return create_model(
        "DatasetSettings",
        __base__=DatasetSettings,
        __doc__=DatasetSettings.__doc__,
        __validators__={"has_pictures": model_validator(mode="after")(has_pictures)},
        reader=(Literal[tuple(known)], ...),
    )


class FacesSettings(Section):
    """Landmarks, alignment and the face store."""

    backend: Backend = "dlib"
    """Where landmarks come from: `dlib`, `face_alignment`, or `annotations` (those that ship with the set).

    The models of the first two were trained on photographs (dlib's on iBUG 300-W) whose terms exclude commercial use:
    see THIRD_PARTY.md.
    """
    model_folder: UserPath | None = None
    """Folder with the weight files of `face_alignment`; null lets the library fetch its own."""
    size: Annotated[int, Field(ge=16)] = 110
    """Side of a stored face in pixels; training crops `model.image_size` from it."""
    channels: Literal[1, 3] = 1
    """1 stores grey faces, 3 colour."""
    lighting: Literal["none", "equalize", "clahe"] = "none"
    """Lighting normalisation of the stored faces."""
    peak_frames: PositiveInt = 3
    """Peak frames per sequence."""
    clip_frames: Annotated[int, Field(ge=2)] = 12
    """Evenly spaced frames per sequence, for the sequence methods."""
    maximum_rejected: Fraction = 0.2
    """Share of frames that may be rejected before the job fails."""


class FoldsSettings(Section):
    """Subject-wise folds."""

    count: Annotated[int, Field(ge=3)] = 10
    """Number of folds, at least three, since one tests and another validates; not for `leave_one_subject_out`."""
    scheme: Literal["strided", "blocks", "leave_one_subject_out"] = "strided"
    """`strided` is sorted(subjects)[k::n], `blocks` cuts the sorted list into runs of consecutive subjects,
    `leave_one_subject_out` makes a fold per subject of each dataset; results under different schemes are not
    comparable. Where every other number is a man's, as in RAVDESS, an even number of strided folds has one sex each."""
    lists: dict[Name, UserPath] = Field(default={})
    """Folds that are given, by dataset: a CSV file with the columns `subject` and `fold`, e.g. the published ones
    `cremad: config/cremad_folds.csv` and `ravdess: config/ravdess_folds.csv`; `count` and `scheme` do not count there.
    """

    @field_validator("scheme", mode="before")
    @classmethod
    def _renamed(cls, scheme: object) -> object:
        if scheme == "contiguous":
            raise ValueError("'contiguous' is called 'blocks'")
        return scheme

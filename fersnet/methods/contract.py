"""The contract of a method and of a dataset reader: all that the rest of the project asks of them.

A method is one file, or one folder. The file, or the folder's `__init__.py`, declares `METHOD`, a `Recogniser` or a
`SynthesisSystem`; a reader's file declares `READER`. The file itself, or the folder's `training.py`, has the functions:

- a synthesis system `fit(faces, settings, run, identity)`, with `neutral` after it where it reads neutral faces, which
  writes `checkpoint.pt` and `history.csv` to `run.folder`; and `load(checkpoint, device)`, whose result is a
  `fersnet.synthesis.generation.Synthesizer`: `expressions`, its classes in class-index order, and
  `synthesize(images, target)`;
- a recogniser `fit(train, validation, settings, run, classes)`, whose result has `predict_proba(faces or clips)`; where
  its settings have `pretrained_on`, it writes `checkpoint.pt` and `history.csv` to `run.folder`, and takes `pretrained`
  after these, the checkpoint of its own training on that dataset; where it reads neutral faces beside the peak ones, it
  takes those of the same subjects by the name `neutral`, None where they have none; where it reads other sets, it takes
  the peak faces of the run's other sets by the name `others`, a mapping by dataset, of the expressions here alone (none
  in a training on a pre-training set, or where its settings, as an `OtherSetsSettings`, say that it reads none);
- both, where they train networks in `fersnet.training.loop`: a synthesis system
  `task(faces, settings, run, identity)`, with `neutral` as above, and `stages(settings, counts)` with the number of
  training faces by expression, and of `neutral faces` where it reads them; a recogniser
  `task(data, settings, run, classes)` and `stages(settings, samples)`, of which the second gets the number of what the
  first gets, by the same names. `fit` is made of the two, and a plan counts by them what a training costs without
  training;
- a reader `locate(root, **options)` and `read_index(root, *, peak_frames, **options)`; and, where `read_index` leaves
  the decoding of videos, `complete_index(index, root, *, peak_frames, workers, **options)`, which gets its rows of the
  classes that are asked for.

A folder keeps PyTorch out of `__init__.py`, so that settings are read and jobs are planned without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from fersnet.errors import UserError
from fersnet.methods.ranges import Range

Faces = Literal["clips", "peak faces", "neutral faces", "other sets"]
Shown = Literal["everybody", "listed", "by permission"]
"""Whose faces a figure may show: everybody's with the credit line, those of a list of the config's, or nobody's unless
the config says that the owner has permitted it."""
NEUTRAL_FACES: Faces = "neutral faces"
OTHER_SETS: Faces = "other sets"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Where a method or dataset was published."""

    authors: str
    """Family names with initials, separated by commas, `and` before the last."""
    title: str
    venue: str
    year: int
    doi: str = ""
    arxiv: str = ""
    """Number of the preprint, e.g. `1711.09020`."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Whose faces a dataset holds, and what its owner asks; the report's data card, too."""

    people: str
    """Who they are, and how many."""
    known_bias: str
    """What the set lacks, or has too much of."""
    licence: str
    """Its name and what it asks, in brief."""
    url: str = ""
    """Where the terms stand; empty where they came with the copy."""
    shown: Shown
    """Whose faces figures may show."""
    credit: str = ""
    """Line that is drawn under every figure with these faces."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """What is known of a method without loading its networks."""

    name: str
    """Printed name."""
    reference: Reference
    settings: type[BaseModel]
    """Its section of the config, a `fersnet.settings.base.Section`; the defaults are the published values."""
    reads: tuple[Faces, ...] = ("peak faces",)
    embedded: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ in the small runs of `preset: embedded`."""
    small: Mapping[str, Any] = field(default_factory=dict)
    """Settings under which a training on a dozen invented faces takes a moment, for tests."""
    ranges: Mapping[str, Range] = field(default_factory=dict)
    """What `fersnet tune` draws, by key of the settings: what changes how well a training goes, and not how long it
    takes. Without any the method keeps its settings."""
    trains_networks: bool = True
    """Whether it trains networks in the training loop, and so gains from a GPU; it then has `task` and `stages`."""

    functions: ClassVar[tuple[str, ...]]
    """What its code must define."""
    option: ClassVar[str]
    """The section of the config whose `methods` lists it."""

    def __post_init__(self) -> None:
        unknown = [key for key in self.ranges if key not in self.settings.model_fields]
        if unknown:
            raise UserError(
                f"ranges: {unknown[0]!r} is no key of its settings; have {', '.join(self.settings.model_fields)}"
            )


@dataclass(frozen=True, kw_only=True)
class Recogniser(Method):
    """A method of the recognition tables; it reads peak faces, or clips."""

    functions: ClassVar[tuple[str, ...]] = ("fit",)
    option: ClassVar[str] = "baselines"


@dataclass(frozen=True, kw_only=True)
class SynthesisSystem(Method):
    """A system of the comparison of synthetic faces."""

    controls_intensity: bool = False
    """Whether its `synthesize` takes an `intensity` from 0 to 1."""

    functions: ClassVar[tuple[str, ...]] = ("fit", "load")
    option: ClassVar[str] = "rivals"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A reader of dataset trees."""

    name: str
    """Printed name of the dataset or layout."""
    classes: tuple[str, ...]
    """Expressions that are recognised where the config names none."""
    reference: Reference | None = None
    terms: Terms | None = None
    """None for layouts of the user's own data."""
    rendered: bool = False
    """Whether embedded faces can stand in for it, in its layout."""
    subjects: int = 0
    """Of the whole set, 0 where that is not known; with `sequences` a run is planned before the set is indexed."""
    sequences: Mapping[str, int] = field(default_factory=dict)
    """Labelled sequences of the whole set, per expression."""

    functions: ClassVar[tuple[str, ...]] = ("locate", "read_index")

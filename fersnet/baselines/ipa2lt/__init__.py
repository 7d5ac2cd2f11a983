"""IPA2LT: what is known of it without its networks; the method itself is in `training.py`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fersnet.methods.contract import OTHER_SETS, Recogniser, Reference
from fersnet.methods.ranges import Numbers
from fersnet.settings.base import PositiveFloat, PositiveInt, Weight
from fersnet.settings.methods import OtherSetsSettings


class Ipa2ltSettings(OtherSetsSettings):
    """IPA2LT (Zeng, Shan and Chen, ECCV 2018)."""

    annotators: Literal["cross", "within"] = "cross"
    """Who gives a face its further labels: models of the run's other sets, whose faces and labels are trained on, too,
    as published; or models of parts of the training subjects."""
    parts: Annotated[int, Field(ge=2)] = 3
    """Into how many parts `within` divides the training subjects; each part's model labels the other parts."""
    weight_decay: Weight = 5e-4
    """L2 penalty inside Adam; the transitions have none."""
    width: PositiveInt = 64
    """Channels of the first stage of every network."""
    annotator_epochs: PositiveInt = 60
    """Passes of each annotating model over its own faces."""
    warm_up_epochs: PositiveInt = 20
    """Passes over all faces with the labels that people gave, before those with the labels of all."""
    transitions_learning_rate: PositiveFloat = 1e-3
    """Learning rate of the transitions."""
    agreement: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Chance that an annotator first has of saying what is true."""

    instead: ClassVar[str] = "take `annotators: within`, or leave it out of baselines.methods"

    @property
    def reads_other_sets(self) -> bool:
        """Whether the annotators are models of other sets."""
        return self.annotators == "cross"


METHOD = Recogniser(
    name="IPA2LT",
    reference=Reference(
        authors="Zeng J., Shan S. and Chen X.",
        title="Facial Expression Recognition with Inconsistently Annotated Datasets",
        venue="ECCV",
        year=2018,
        doi="10.1007/978-3-030-01261-8_14",
    ),
    settings=Ipa2ltSettings,
    reads=("peak faces", OTHER_SETS),
    embedded={
        "width": 8,
        "epochs": 10,
        "batch_size": 16,
        "learning_rate": 2e-3,
        "milestones": (7, 9),
        "decay": 0.3,
        "annotator_epochs": 10,
        "warm_up_epochs": 6,
        "transitions_learning_rate": 5e-3,
    },
    ranges={
        "learning_rate": Numbers(1e-4, 5e-3, log=True),
        "weight_decay": Numbers(1e-6, 1e-3, log=True),
        "transitions_learning_rate": Numbers(3e-4, 2e-2, log=True),
        "agreement": Numbers(0.6, 0.95),
    },
    small={
        "width": 4,
        "epochs": 6,
        "batch_size": 8,
        "learning_rate": 3e-3,
        "milestones": (),
        "annotator_epochs": 4,
        "warm_up_epochs": 4,
    },
)

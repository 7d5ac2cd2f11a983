"""The settings tree for the methods and readers that a run knows, with all its checks."""

from typing import Any

from pydantic import create_model, model_validator

from fersnet.methods.find import Known
from fersnet.settings.agreement import (
    check_augmentation,
    check_chosen_settings,
    check_cross,
    check_judges,
    check_networks,
    check_people,
    check_recognisers,
    check_study,
    check_tuning,
    check_utility,
    with_able_recognisers,
)
from fersnet.settings.base import Name
from fersnet.settings.data import with_readers
from fersnet.settings.methods import BaselinesSettings, RivalsSettings, with_sections
from fersnet.settings.names import check_names
from fersnet.settings.tree import Settings


def settings_type(known: Known) -> type[Settings]:
    """The settings tree with a section for each of the methods, and the readers among which a dataset chooses."""
    rivals = with_sections(RivalsSettings, known.systems)
    baselines = with_sections(BaselinesSettings, known.recognisers)
    sections: dict[str, Any] = {
        "datasets": (dict[Name, with_readers(known.readers)], Settings.model_fields["datasets"]),
        "rivals": (rivals, rivals()),
        "baselines": (baselines, baselines()),
    }
    tree = create_model(
        "Settings",
        __base__=Settings,
        __doc__=Settings.__doc__,
        __validators__={"agreement": model_validator(mode="after")(_checked)},
        **sections,
    )
    tree.known = known
    return tree


def _checked(settings: Settings) -> Settings:
    settings = with_able_recognisers(settings)
    check_names(settings)
    check_study(settings)
    check_cross(settings)
    check_judges(settings)
    check_augmentation(settings)
    check_utility(settings)
    check_recognisers(settings)
    check_people(settings)
    check_networks(settings)
    check_chosen_settings(settings)
    check_tuning(settings)
    return settings

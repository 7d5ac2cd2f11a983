"""Who the people of the rendered sets are: no two sets share one, so that one set tells nothing of another's."""

from importlib import import_module
from itertools import combinations

import pytest

from fersnet.seeds import derive_seed
from fersnet.settings.data import EmbeddedSettings
from fersnet.settings.load import load_settings

SETTINGS = load_settings({"preset": "embedded"}, [])


def people_of(reader: str, settings: EmbeddedSettings, seed: int) -> set[int]:
    """The seeds of the people in a rendered set."""
    plan = import_module(f"fersnet.embedded.writers.{reader}").plan(settings, seed)
    return {recording.take.person for recording in plan}


@pytest.mark.parametrize("seed", [1, 7])
def test_rendered_sets_share_no_person(seed: int) -> None:
    """With the seeds that the jobs have, and even where two sets are rendered from one seed."""
    for of_set in (lambda key: derive_seed(seed, "render_dataset", key, "", ""), lambda key: seed):
        people = {
            key: people_of(dataset.reader, dataset.embedded, of_set(key)) for key, dataset in SETTINGS.datasets.items()
        }
        assert all(len(some) >= SETTINGS.datasets[key].embedded.subjects for key, some in people.items())
        assert not any(people[first] & people[second] for first, second in combinations(people, 2))

"""Action units, identities and performances: what a showing of an expression is made of."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fersnet.embedded.action_units import GRADES, PROTOTYPES, UNITS, side_strengths
from fersnet.embedded.identity import PROPORTIONS, draw_identity
from fersnet.embedded.performance import draw_performance, draw_view
from fersnet.expressions import SEVEN


def number(unit: int | str) -> int:
    return int(str(unit).rstrip("LR"))


def test_prototypes_cover_the_vocabulary_with_known_units_and_grades():
    assert set(PROTOTYPES) == set(SEVEN)
    for prototype in PROTOTYPES.values():
        assert prototype.key in prototype.core
        for units in (prototype.core, *(variant.units for variant in prototype.variants)):
            assert set(units) <= set(UNITS)
            assert set(units.values()) <= set(GRADES)
        assert all(prototype.key not in variant.removed or prototype.key == 26 for variant in prototype.variants)


def test_a_bare_unit_moves_both_sides_and_a_sided_one_its_own():
    assert side_strengths({12: 0.5, "12L": 0.25, "14R": 1.0}) == {12: (0.75, 0.5), 14: (0.0, 1.0)}


@pytest.mark.parametrize("unit", ["12X", "L", 99, "-1", ""])
def test_an_unknown_unit_is_named(unit):
    with pytest.raises(ValueError, match="unknown action unit"):
        side_strengths({unit: 1.0})


def test_a_seed_is_a_person_and_people_differ():
    assert draw_identity(5) == draw_identity(5)
    people = [draw_identity(seed) for seed in range(200)]
    assert len({person.proportions for person in people}) == 200
    assert 0.35 < np.mean([person.sex == "male" for person in people]) < 0.65
    assert {person.hair_style for person in people} >= {"cropped", "short", "side_parted", "bob", "long", "tied_back"}
    assert all(len(person.proportions) == len(PROPORTIONS) for person in people)
    assert max(person.skin[0] for person in people) > 3 * min(person.skin[0] for person in people)


def test_every_unit_rises_with_the_amount_from_neutral():
    performance = draw_performance(draw_identity(1), "fear", 3)
    moments = [performance.action_units(amount) for amount in np.linspace(0, 1, 9)]
    assert not any(moments[0].values())
    for earlier, later in pairwise(moments):
        assert all(later[unit] >= earlier[unit] for unit in earlier)
    assert moments[-1] == dict(performance.strengths)


def test_intensity_scales_all_units():
    identity = draw_identity(2)
    weak, strong = (draw_performance(identity, "sadness", 7, intensity).strengths for intensity in (0.4, 0.8))
    assert weak.keys() == strong.keys()
    assert all(strong[unit] == pytest.approx(2 * weak[unit]) for unit in weak)
    assert not any(draw_performance(identity, "sadness", 7, 0.0).strengths.values())


def test_contempt_stays_on_one_side():
    for seed in range(12):
        strengths = draw_performance(draw_identity(seed), "contempt", seed).strengths
        assert {number(unit) for unit in strengths} == {12, 14}
        assert len({str(unit)[-1] for unit in strengths}) == 1


def test_units_drop_out_and_distractors_come_in_only_when_asked():
    counts = {"plain": 0, "dropped": 0, "distracted": 0}
    for seed in range(60):
        identity = draw_identity(seed)
        plain = {number(unit) for unit in draw_performance(identity, "anger", seed).strengths}
        dropped = {number(unit) for unit in draw_performance(identity, "anger", seed, dropped=0.3).strengths}
        distracted = {number(unit) for unit in draw_performance(identity, "anger", seed, distractors=2).strengths}
        assert dropped <= plain <= distracted
        for name, units in (("plain", plain), ("dropped", dropped), ("distracted", distracted)):
            counts[name] += len(units)
    assert counts["dropped"] < 0.85 * counts["plain"]
    assert counts["distracted"] > 1.08 * counts["plain"]


def test_personal_style_follows_the_identity():
    identity = draw_identity(4)
    lively = replace(identity, gain=1.2, unit_gains=tuple((unit, 1.0) for unit in UNITS))
    plain = draw_performance(lively, "happiness", 1, style=0.0).strengths
    styled = draw_performance(lively, "happiness", 1, style=1.0).strengths
    assert all(styled[unit] == pytest.approx(1.2 * plain[unit]) for unit in plain)


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="unknown expression 'joy'"):
        draw_performance(draw_identity(0), "joy", 0)
    with pytest.raises(ValueError, match="intensity"):
        draw_performance(draw_identity(0), "anger", 0, -0.1)


def test_views_vary_and_zero_variety_is_one_portrait():
    size = (256, 256)
    assert draw_view(1, size) == draw_view(1, size)
    assert len({draw_view(seed, size).yaw for seed in range(20)}) == 20
    still = draw_view(3, size, variety=0.0)
    assert (still.yaw, still.pitch, still.roll) == (0.0, 0.0, 0.0)
    assert max(abs(draw_view(seed, size, variety=1.0).yaw) for seed in range(60)) <= 14.0

"""Draws: pure functions of seed, method and number, within their ranges, that every method takes."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fersnet.errors import UserError
from fersnet.methods.contract import Method, Recogniser, Reference
from fersnet.methods.find import find_known
from fersnet.methods.ranges import Numbers, OneOf, Range
from fersnet.settings.base import PositiveFloat, Section
from fersnet.settings.load import load_settings
from fersnet.tuning.draws import AS_IT_IS, draw_key, drawn, flat, followed, left_as_they_are, searched, split_draw
from fersnet.tuning.page import ranges_page

ROOT = Path(__file__).parents[2]
KNOWN = find_known({})
EVERYTHING = {
    "rivals": {"methods": list(KNOWN.systems)},
    "baselines": {"methods": list(KNOWN.recognisers)},
}
RUN = load_settings({"preset": "embedded", **EVERYTHING}, [])
shares = st.floats(0, 1, exclude_max=True)


@st.composite
def numbers(draw: st.DrawFn) -> Numbers:
    whole = draw(st.booleans())
    low = draw(st.integers(1, 50) if whole else st.floats(1e-6, 50))
    high = low + draw(st.integers(0, 50) if whole else st.floats(0, 50))
    return Numbers(low, high, log=draw(st.booleans()), whole=whole)


@given(numbers() | st.lists(st.integers(), min_size=1).map(lambda values: OneOf(tuple(values))), shares, shares)
def test_values_lie_within_their_range_and_ascend(within: Range, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert within.at(low) in within and within.at(high) in within
    if isinstance(within, Numbers):
        assert within.at(low) <= within.at(high)


def test_every_whole_number_is_as_likely() -> None:
    values = [Numbers(1, 4, whole=True).at(step / 400) for step in range(400)]
    assert {value: values.count(value) for value in values} == {1: 100, 2: 100, 3: 100, 4: 100}
    assert Numbers(0.01, 1, log=True).at(0.5) == 0.1


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Numbers(3, 1), "an empty range, 3 to 1; put the smaller bound first"),
        (lambda: Numbers(0, 1, log=True), "cannot begin at 0"),
        (lambda: Numbers(0.5, 2, whole=True), "needs whole bounds"),
        (lambda: OneOf(()), "an empty range; give values"),
    ],
)
def test_a_range_in_which_nothing_lies_is_told(make, line: str) -> None:
    with pytest.raises(UserError, match=line):
        make()


class _Settings(Section):
    cost: PositiveFloat = 1.0


def test_a_range_of_a_key_that_a_method_does_not_have_is_told() -> None:
    work = Reference(authors="A", title="B", venue="C", year=2026)
    with pytest.raises(UserError, match=r"ranges: 'costs' is no key of its settings; have cost"):
        Recogniser(name="Mine", reference=work, settings=_Settings, ranges={"costs": Numbers(1, 2)})


@settings(max_examples=60)
@given(st.sampled_from(list(searched(RUN))), st.integers(1, 10_000), st.integers(0, 2**31))
def test_a_draw_lies_in_its_ranges_and_is_taken_by_the_method(method: str, number: int, seed: int) -> None:
    run = RUN.model_copy(update={"tuning": RUN.tuning.model_copy(update={"seed": seed})})
    changes = drawn(run, method, number)
    assert changes == drawn(run, method, number)
    ranges = searched(run)[method].ranges
    assert flat(changes).keys() == ranges.keys()
    assert all(value in ranges[key] for key, value in flat(changes).items())
    assert json.loads(json.dumps(changes)) == changes, "as the file of the chosen settings holds it"


def test_a_draw_depends_on_nothing_but_seed_method_and_number() -> None:
    more = load_settings({"preset": "embedded", **EVERYTHING, "seed": 9, "tuning": {"draws": 30}}, [])
    other = load_settings({"preset": "embedded", **EVERYTHING, "tuning": {"seed": 2}}, [])
    for method in searched(RUN):
        assert drawn(RUN, method, AS_IT_IS) == {}
        assert drawn(RUN, method, 3) == drawn(more, method, 3) != drawn(RUN, method, 4)
        assert drawn(RUN, method, 3) != drawn(other, method, 3)


def test_ranges_hold_the_values_of_both_presets() -> None:
    for preset in ("published", "embedded"):
        run = load_settings({"preset": preset, **EVERYTHING}, [])
        for key, one in searched(run).items():
            now = (run.for_variant(key) if key in run.variants else run.for_method(key)).model_dump()
            for name, within in one.ranges.items():
                assert flat(now)[name] in within, f"{key}: {name}"


def test_a_method_that_is_searched_alone_has_the_draws_that_it_has_among_all() -> None:
    alone = load_settings({"preset": "embedded", **EVERYTHING, "tuning": {"methods": ["dtagn", "hog3d"]}}, [])
    assert list(searched(alone)) == ["dtagn"] and left_as_they_are(alone) == ["hog3d"]
    assert drawn(alone, "dtagn", 3) == drawn(RUN, "dtagn", 3)


def test_every_method_is_searched_or_left_or_follows_another() -> None:
    known = {**KNOWN.systems, **KNOWN.recognisers}
    assert {*searched(RUN), *left_as_they_are(RUN), *followed(RUN)} == {*RUN.variants, *known}
    for key in left_as_they_are(RUN):
        assert isinstance(known[key].declared, Method) and not known[key].declared.trains_networks
        with pytest.raises(UserError, match="no ranges"):
            drawn(RUN, key, 1)
    assert followed(RUN) == {"fersnet_bu4dfe": "fersnet", "fersnet_fes_da": "fersnet"}
    single = searched(RUN)["fersnet_without_mtl"]
    assert not single.synthesises and not [key for key in single.ranges if key.startswith("losses")]


@given(st.sampled_from(["a", "a.repeat2", "a_b"]), st.integers(0, 999))
def test_the_name_of_a_draw_reads_back(method: str, number: int) -> None:
    assert split_draw(draw_key(method, number)) == (method, number)
    assert split_draw(method) == (method, None)


def test_the_page_of_ranges_is_that_of_the_declarations() -> None:
    drifted = (ROOT / "docs" / "ranges.md").read_text(encoding="utf-8") != ranges_page()
    assert not drifted, "a range has changed: run `fersnet ranges`"

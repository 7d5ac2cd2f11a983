"""Which frames are peak, neutral and clip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fersnet.faces.roles import clip_positions, fill_clip, peak_positions, role_positions


def test_peaks_as_the_reader_gives_them():
    assert peak_positions(20, [17, 18, 19], 0, 3) == [17, 18, 19]


def test_longer_apex():
    assert peak_positions(20, list(range(12, 20)), 0, 3) == [17, 18, 19]
    assert peak_positions(40, list(range(10, 21)), 0, 3) == [14, 15, 16]


def test_shorter_apex_is_extended():
    assert peak_positions(20, [19], 0, 3) == [17, 18, 19]
    assert peak_positions(20, [10], 0, 3) == [9, 10, 11]
    assert peak_positions(3, [2], 0, 3) == [1, 2]
    assert peak_positions(1, [0], -1, 3) == [0]


@given(st.data())
def test_peaks_are_distinct_ascending_and_never_neutral(data):
    length = data.draw(st.integers(1, 30))
    apex = sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=1)))
    neutral = data.draw(st.sampled_from([-1, *sorted(set(range(length)) - set(apex))]))
    count = data.draw(st.integers(1, 8))
    peaks = peak_positions(length, apex, neutral, count)
    assert peaks == sorted(set(peaks)) and 1 <= len(peaks) <= count
    assert all(0 <= peak < length and peak != neutral for peak in peaks)


def test_clip_runs_from_first_to_last_apex_frame():
    assert clip_positions([10, 11, 12], 4) == [0, 4, 8, 12]
    assert clip_positions([3], 6) == [0, 1, 1, 2, 2, 3]


def test_unusable_clip_frames_are_replaced_by_the_nearest():
    assert fill_clip([0, 4, 8, 12], {0, 4, 12}) == [0, 4, 4, 12]
    assert fill_clip([0, 1, 1, 2], {0, 2}) == [0, 0, 0, 2]
    assert fill_clip([0, 4, 8, 12], {4}) is None
    assert fill_clip([0, 4], set()) is None


def test_positions_outside_the_sequence_are_refused():
    with pytest.raises(ValueError):
        role_positions(5, [5], 0, 3, 4)
    with pytest.raises(ValueError):
        role_positions(5, [], -1, 3, 4)


def test_a_sequence_without_an_apex_gives_its_neutral_face_only():
    assert role_positions(5, [], 2, 3, 4) == {"clip": [], "neutral": [2], "peak": []}


def test_a_single_picture_is_its_one_peak_and_may_be_neutral():
    assert role_positions(1, [0], -1, 3, 4) == {"clip": [0] * 4, "neutral": [], "peak": [0]}
    assert role_positions(1, [0], 0, 3, 4) == {"clip": [0] * 4, "neutral": [0], "peak": [0]}

"""The statistics, against independent computations."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as draws
from invented_results import predictions as invented
from scipy.stats import binom

from fersnet.errors import UserError
from fersnet.expressions import SEVEN, SIX
from fersnet.report.statistics import (
    clustered_bootstrap,
    confusion_matrix,
    holm,
    macro_f1,
    mcnemar_exact,
    paired_bootstrap,
    paired_difference,
    paired_mcnemar,
    recognition_scores,
    sequence_predictions,
    unweighted_average_recall,
)


def frames(rows):
    """Predictions from rows (sequence, subject, expression, frame, p_anger, p_fear)."""
    frame = pd.DataFrame(rows, columns=["sequence_id", "subject", "expression", "frame", "p_anger", "p_fear"])
    return frame.assign(predicted=np.where(frame["p_anger"] >= frame["p_fear"], "anger", "fear"))


@pytest.fixture
def some():
    rng = np.random.default_rng(2)
    rows = [
        (f"{person}{expression}", f"P{person}", expression, frame)
        for person in range(12)
        for expression in SIX
        for frame in (1, 2, 3)
    ]
    table = pd.DataFrame(rows, columns=["sequence_id", "subject", "expression", "frame"])
    return [invented(table, SIX, skill, rng) for skill in (0.25, 0.45)]


def test_a_sequence_is_read_by_its_mean_probability():
    sequences = sequence_predictions(
        frames(
            [
                ("a", "P1", "anger", 1, 0.95, 0.05),  # Two of three frames say fear, the mean says anger.
                ("a", "P1", "anger", 2, 0.45, 0.55),
                ("a", "P1", "anger", 3, 0.45, 0.55),
                ("b", "P1", "fear", 1, 0.5, 0.5),  # A tie goes to the first class.
            ]
        )
    )
    assert sequences["predicted"].tolist() == ["anger", "anger"]
    assert sequences["correct"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "P1", "anger", 1, 1, 0), ("a", "P1", "anger", 1, 1, 0)], "more than once"),
        ([("a", "P1", "anger", 1, 1, 0), ("a", "P2", "anger", 2, 1, 0)], "two subjects"),
        ([("a", "P1", "anger", 1, np.nan, 0)], "empty probability"),
    ],
)
def test_impossible_predictions_are_refused(rows, message):
    with pytest.raises(UserError, match=message):
        sequence_predictions(frames(rows))


def test_recall_and_f1_count_each_occurring_class_once():
    truth = pd.Series(["anger"] * 8 + ["fear"] * 2)
    predicted = pd.Series(["anger"] * 6 + ["fear", "disgust"] + ["fear", "anger"])
    assert unweighted_average_recall(truth, predicted) == pytest.approx((6 / 8 + 1 / 2) / 2)
    f1_anger = 2 * 6 / (8 + 7)
    f1_fear = 2 * 1 / (2 + 2)
    assert macro_f1(truth, predicted) == pytest.approx((f1_anger + f1_fear) / 2)
    counts = confusion_matrix(truth, predicted, SEVEN)
    assert counts.loc["anger", "disgust"] == 1 and counts.to_numpy().sum() == 10
    assert list(counts.index) == list(SEVEN)


def test_the_bootstrap_resamples_subjects():
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(15), 4)
    correct = np.repeat(rng.random(15) < 0.6, 4)  # A subject is all right or all wrong.
    interval = clustered_bootstrap(correct, subjects, 4000, 0.95, seed=1)
    draws = [np.concatenate([correct[subjects == s] for s in rng.choice(15, 15)]).mean() for _ in range(4000)]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.04)
    single = clustered_bootstrap(correct, np.arange(60), 4000, 0.95, seed=1)
    assert interval.high - interval.low > 1.5 * (single.high - single.low)


def test_unequal_subjects_weigh_by_their_sequences():
    # Of a lone right subject with one sequence and a wrong one with nine, means are 0, 1/10 or 1.
    interval = clustered_bootstrap(np.array([1] + [0] * 9), np.array(["a"] + ["b"] * 9), 2000, 0.4, seed=3)
    assert (interval.low, interval.high) == (pytest.approx(0.1), pytest.approx(0.1))


def test_the_bootstrap_is_deterministic_and_needs_two_subjects():
    values, subjects = np.array([1, 0, 1, 1]), np.array(["a", "a", "b", "c"])
    assert clustered_bootstrap(values, subjects, 500, 0.9, 7) == clustered_bootstrap(values, subjects, 500, 0.9, 7)
    assert np.isnan(clustered_bootstrap(values[:2], subjects[:2], 500, 0.9, 7).low)


def test_paired_bootstrap_of_equal_methods_is_zero():
    values, subjects = np.array([1, 0, 1, 1]), np.array(["a", "a", "b", "c"])
    interval = paired_bootstrap(values, values, subjects, 500, 0.95, 0)
    assert interval.low == interval.high == 0


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (1, 0), (3, 11), (11, 3), (5, 5), (0, 20)])
def test_mcnemar_equals_the_binomial_tail(only_first, only_second):
    first = np.array([True] * only_first + [False] * only_second + [True, True, False])
    second = np.array([False] * only_first + [True] * only_second + [True, True, False])
    n, smaller = only_first + only_second, min(only_first, only_second)
    expected = 1.0 if n == 0 else min(1.0, 2 * binom.cdf(smaller, n, 0.5))
    assert mcnemar_exact(first, second) == pytest.approx(expected)


def test_paired_test_matches_sequences_not_rows(some):
    first, second = some
    shuffled = second.sample(frac=1, random_state=0)
    assert paired_mcnemar(first, shuffled) == paired_mcnemar(first, second) < 1
    assert paired_mcnemar(first, second) == pytest.approx(paired_mcnemar(second, first))
    assert np.isnan(paired_mcnemar(first, second.assign(sequence_id="x" + second["sequence_id"])))


def test_scores_agree_with_their_definitions(some):
    scores = recognition_scores(some[1], 1000, 0.95, 0)
    columns = [f"p_{expression}" for expression in SIX]
    means = some[1].groupby("sequence_id")[columns].mean()
    truth = some[1].groupby("sequence_id")["expression"].first()
    right = means.idxmax(axis=1).str.removeprefix("p_") == truth
    assert scores.accuracy == pytest.approx(right.mean())
    assert scores.uar == pytest.approx(right.groupby(truth).mean().mean())
    assert scores.frame_accuracy == pytest.approx((some[1]["predicted"] == some[1]["expression"]).mean())
    assert (scores.n_sequences, scores.n_frames) == (72, 216)
    assert scores.interval.low < scores.accuracy < scores.interval.high


def test_repeats_are_averaged_and_do_not_narrow_the_interval_or_the_test(some):
    weaker, better = some
    other = better.assign(predicted=weaker["predicted"], **{f"p_{name}": weaker[f"p_{name}"] for name in SIX})
    both = pd.concat([better.assign(repeat=1), other.assign(repeat=2)])
    scores = recognition_scores(both, 500, 0.95, 0)
    single = [recognition_scores(frame, 500, 0.95, 0) for frame in (better, weaker)]
    assert scores.accuracy == pytest.approx(np.mean([one.accuracy for one in single]))
    assert (scores.repeats, scores.n_sequences, scores.n_frames) == (2, 72, 216)
    assert paired_mcnemar(both, weaker) == paired_mcnemar(better, weaker)  # one answer per sequence: the first
    twice = pd.concat([better.assign(repeat=1), better.assign(repeat=2)])
    assert recognition_scores(twice, 500, 0.95, 0).interval == single[0].interval


def test_the_difference_of_two_methods_is_taken_on_the_sequences_that_both_judged(some):
    weaker, better = some
    half = weaker[weaker["subject"] < "P5"]
    difference, interval = paired_difference(better, half, 500, 0.95, 0)
    judged = [sequence_predictions(frame[frame["subject"] < "P5"])["correct"] for frame in (better, weaker)]
    assert difference == pytest.approx(judged[0].mean() - judged[1].mean())
    assert interval.low <= difference <= interval.high
    assert np.isnan(paired_difference(better[:0], weaker[:0], 10, 0.95, 0)[0])


def test_p_values_are_corrected_as_in_holms_worked_example():
    p_values = pd.Series([0.01, np.nan, 0.04, 0.03, 0.005], index=list("abcde"))
    corrected = holm(p_values)
    assert corrected.index.tolist() == list("abcde") and np.isnan(corrected["b"])
    assert corrected.drop("b").tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(pd.Series([np.nan])).isna().all() and holm(pd.Series(dtype=float)).empty


@given(p_values=draws.lists(draws.floats(0, 1), min_size=1, max_size=6))
def test_holms_correction_is_the_closed_test_of_all_subsets(p_values):
    """The corrected value of a test: the largest, over all sets of tests that it is in, of size times smallest p."""
    sets = [[place for place in range(len(p_values)) if chosen >> place & 1] for chosen in range(1, 2 ** len(p_values))]
    closed = [
        max(min(1.0, len(one) * min(p_values[at] for at in one)) for one in sets if place in one)
        for place in range(len(p_values))
    ]
    assert holm(pd.Series(p_values)).tolist() == pytest.approx(closed)

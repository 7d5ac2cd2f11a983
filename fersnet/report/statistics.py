"""The statistics of the tables: accuracies, intervals, paired tests.

All take predictions with the columns `sequence_id, subject, expression, frame, predicted, p_<expression>...`, pooled
over folds; where a method was trained more than once, `repeat` numbers the trainings. Figures are fractions in 0..1;
the tables turn them into percent.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fersnet.errors import UserError
from fersnet.expressions import in_vocabulary_order


@dataclass(frozen=True)
class Interval:
    """A confidence interval; both ends are NaN where there is nothing to resample."""

    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Two sets of values on the same items, compared; NaN where there is nothing to resample."""

    difference: float
    interval: Interval
    visible: float
    """The true difference at which four of five runs like this one would have an interval above zero; NaN where the
    two never differ."""


@dataclass(frozen=True)
class RecognitionScores:
    """What a recognition method reached on one dataset."""

    accuracy: float
    """Share of sequences whose mean probability over frames is highest for the true expression."""
    interval: Interval
    frame_accuracy: float
    uar: float
    """Unweighted average recall over the expressions that occur, by sequence."""
    macro_f1: float
    """Unweighted mean of the F1 of the expressions that occur, by sequence."""
    n_sequences: int
    n_frames: int
    repeats: int
    """Trainings that the figures are the mean of; their sequences and frames count once."""


def probability_columns(predictions: pd.DataFrame) -> tuple[str, ...]:
    """The expressions that have a probability column, in class-index order.

    Raises:
        UserError: if there is none, or one is outside the vocabulary.
    """
    found = {column.removeprefix("p_") for column in predictions.columns if column.startswith("p_")}
    if not found:
        raise UserError("predictions: there is no column p_<expression>; make the file again")
    try:
        return in_vocabulary_order(found)
    except ValueError as error:
        raise UserError(f"predictions: column p_...: {error}") from None


def sequence_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row per sequence (and repeat), judged by the mean probability of its frames.

    The columns are `sequence_id, repeat, subject, expression, predicted, correct`; rows are sorted by the first two. A
    tie goes to the expression that comes first in class-index order.

    Raises:
        UserError: if a frame occurs twice (a sequence tested in two folds), or a sequence has two labels or subjects.
    """
    expressions = probability_columns(predictions)
    if "repeat" not in predictions:
        predictions = predictions.assign(repeat=1)
    twice = predictions.duplicated(["sequence_id", "repeat", "frame"])
    if twice.any():
        sequence = predictions.loc[twice, "sequence_id"].iloc[0]
        raise UserError(f"predictions: sequence {sequence} is tested more than once; the folds overlap")
    grouped = predictions.groupby(["sequence_id", "repeat"], sort=True)
    if (predictions.groupby("sequence_id")[["subject", "expression"]].nunique() > 1).any(axis=None):
        raise UserError("predictions: a sequence has two subjects or labels; make the index again")
    sequences = grouped[["subject", "expression"]].first()
    means = grouped[[f"p_{expression}" for expression in expressions]].mean()
    if means.isna().any(axis=None):
        raise UserError(f"predictions: sequence {means.index[means.isna().any(axis=1)][0][0]} has an empty probability")
    sequences["predicted"] = np.asarray(expressions, dtype=object)[means.to_numpy().argmax(axis=1)]
    sequences["correct"] = sequences["predicted"] == sequences["expression"]
    return sequences.reset_index()


def confusion_matrix(truth: pd.Series, predicted: pd.Series, expressions: tuple[str, ...]) -> pd.DataFrame:
    """Counts, rows the true and columns the predicted expressions."""
    from sklearn.metrics import confusion_matrix as count

    labels = list(expressions)
    counts = count(truth.to_numpy(dtype=object), predicted.to_numpy(dtype=object), labels=labels)
    return pd.DataFrame(counts, index=labels, columns=labels)


def unweighted_average_recall(truth: pd.Series, predicted: pd.Series) -> float:
    """Mean recall over the expressions that occur in `truth`."""
    from sklearn.metrics import recall_score

    return float(recall_score(truth, predicted, labels=sorted(set(truth)), average="macro", zero_division=0))


def macro_f1(truth: pd.Series, predicted: pd.Series) -> float:
    """Mean F1 over the expressions that occur in `truth`."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, predicted, labels=sorted(set(truth)), average="macro", zero_division=0))


def clustered_bootstrap(
    values: np.ndarray, subjects: np.ndarray, samples: int, confidence: float, seed: int
) -> Interval:
    """Percentile interval of the mean of `values`, resampling whole subjects with replacement.

    Sequences of one subject are not independent, so an interval over single sequences would be too narrow (and one
    over frames far too narrow). With a single subject there is nothing to resample: both ends are NaN.
    """
    return _percentiles(bootstrap_means(values, subjects, samples, seed), confidence)


def paired_bootstrap(
    first: np.ndarray, second: np.ndarray, subjects: np.ndarray, samples: int, confidence: float, seed: int
) -> Interval:
    """Interval of mean(first) - mean(second) for two sets of values on the same items, resampling subjects."""
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    return clustered_bootstrap(difference, subjects, samples, confidence, seed)


def compare_paired(
    first: np.ndarray, second: np.ndarray, subjects: np.ndarray, samples: int, confidence: float, seed: int
) -> Comparison:
    """mean(first) - mean(second) on the same items, with its interval, and the difference that could have been seen.

    That is found from the same samples of subjects, see `visible_difference`.
    """
    values = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    difference = float(values.mean())
    drawn = bootstrap_means(values, subjects, samples, seed)
    visible = float("nan") if drawn is None else visible_difference(drawn, difference, confidence)
    return Comparison(difference, _percentiles(drawn, confidence), visible)


def visible_difference(runs: np.ndarray, difference: float, confidence: float) -> float:
    """The true difference at which four of five runs would have an interval above zero; NaN where none differs.

    As runs scatter about their mean, an interval lies above zero where the run's own difference exceeds the interval's
    lower arm, and four of five runs do so once the true difference exceeds that arm by as much as the lowest fifth of
    runs falls short.

    Args:
        runs: differences that such runs find, as many samples of one or of its plan give them.
        difference: their mean.
        confidence: level of the interval.
    """
    if np.ptp(runs) == 0:
        return float("nan")
    low, fifth = np.percentile(runs, [50 * (1 - confidence), 20])
    return float((difference - low) + (difference - fifth))


def bootstrap_means(
    values: np.ndarray, subjects: np.ndarray, samples: int, seed: int, people: int | None = None
) -> np.ndarray | None:
    """Means of `values` in samples of whole subjects, drawn with replacement; None of a single subject.

    Args:
        people: how many are drawn; None draws as many as there are.
    """
    codes, names = pd.factorize(np.asarray(subjects), sort=True)
    if len(names) < 2:
        return None
    counts = np.bincount(codes, minlength=len(names)).astype(np.float64)
    sums = np.bincount(codes, np.asarray(values, dtype=np.float64), minlength=len(names))
    rng = np.random.default_rng(seed)
    # How often each subject is drawn; one row a sample.
    drawn = rng.multinomial(people or len(names), np.full(len(names), 1 / len(names)), size=samples)
    return (drawn @ sums) / (drawn @ counts)


def _percentiles(means: np.ndarray | None, confidence: float) -> Interval:
    if means is None:
        return Interval(float("nan"), float("nan"))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(low), float(high))


def mcnemar_exact(first_correct: np.ndarray, second_correct: np.ndarray) -> float:
    """Two-sided p value of the exact McNemar test on paired right/wrong answers; 1 where they never differ."""
    from scipy.stats import binomtest

    first, second = np.asarray(first_correct, dtype=bool), np.asarray(second_correct, dtype=bool)
    if first.shape != second.shape:
        raise ValueError("the two methods must be judged on the same items")
    only_first = int(np.sum(first & ~second))
    discordant = only_first + int(np.sum(second & ~first))
    return 1.0 if discordant == 0 else float(binomtest(only_first, discordant, 0.5).pvalue)


def holm(p_values: pd.Series) -> pd.Series:
    """p values of tests that stand together, corrected after Holm; an empty one belongs to no test and stays empty.

    The smallest of n is multiplied by n, the next by n - 1, and none comes out below one that was smaller.
    """
    ordered = p_values.dropna().sort_values(kind="stable")
    corrected = (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1.0)
    return corrected.reindex(p_values.index)


def paired_mcnemar(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Exact McNemar test of two methods by sequence, on the sequences that both judged; NaN without any.

    The test asks for one answer per sequence: of methods with several trainings it takes the first.
    """
    one, other = (frame[frame["repeat"] == 1] for frame in map(sequence_predictions, (first, second)))
    both = one.merge(other, on="sequence_id", suffixes=("_first", "_second"), validate="one_to_one")
    if both.empty:
        return float("nan")
    return mcnemar_exact(both["correct_first"].to_numpy(), both["correct_second"].to_numpy())


def paired_difference(
    first: pd.DataFrame, second: pd.DataFrame, samples: int, confidence: float, seed: int
) -> tuple[float, Interval]:
    """Accuracy of one method minus that of another on the sequences that both judged, with its bootstrap interval.

    All trainings of both enter: a sequence's value is the share of them that read it right. NaN without a sequence.
    """
    one, other = (
        sequence_predictions(frame)
        .groupby("sequence_id")
        .agg(subject=("subject", "first"), correct=("correct", "mean"))
        for frame in (first, second)
    )
    both = one.join(other, how="inner", lsuffix="_first", rsuffix="_second")
    if both.empty:
        return float("nan"), Interval(float("nan"), float("nan"))
    shares = both["correct_first"].to_numpy(), both["correct_second"].to_numpy()
    interval = paired_bootstrap(*shares, both["subject_first"].to_numpy(), samples, confidence, seed)
    return float((shares[0] - shares[1]).mean()), interval


def recognition_scores(predictions: pd.DataFrame, samples: int, confidence: float, seed: int) -> RecognitionScores:
    """All figures of one method on one dataset, pooled over folds and repeats."""
    sequences = sequence_predictions(predictions)
    repeats = sequences["repeat"].nunique()
    correct = sequences["correct"].to_numpy()
    return RecognitionScores(
        accuracy=float(correct.mean()),
        interval=clustered_bootstrap(correct, sequences["subject"].to_numpy(), samples, confidence, seed),
        frame_accuracy=float((predictions["predicted"] == predictions["expression"]).mean()),
        uar=unweighted_average_recall(sequences["expression"], sequences["predicted"]),
        macro_f1=macro_f1(sequences["expression"], sequences["predicted"]),
        n_sequences=sequences["sequence_id"].nunique(),
        n_frames=len(predictions) // repeats,
        repeats=repeats,
    )

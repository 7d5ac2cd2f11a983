"""Support vector machines on given kernels, their choice on validation clips, and the files of a fit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fersnet.training.task import TrainingRun

Parameter = float | str

SLOPES = np.geomspace(0.25, 64, 33)
"""Steepnesses of the sigmoid between a pairwise margin and a probability; one is chosen on the validation clips."""
DEFAULT_SLOPE = 4.0
"""Steepness where there are no validation clips."""


@dataclass(frozen=True)
class PairwiseSvm:
    """A two-class machine for every pair of the P = K (K - 1) / 2 pairs among the K classes seen in training."""

    classes: int
    """Number of columns of the probabilities, seen in training or not."""
    seen: np.ndarray
    """int64 (K,): class indices seen in training, ascending."""
    pairs: np.ndarray
    """int64 (P, 2): positions in `seen`; a positive decision speaks for the first."""
    weights: np.ndarray
    """float64 (n, P): of the kernel's columns (or of the features, for a linear machine)."""
    intercepts: np.ndarray
    """float64 (P,)."""
    slope: float = DEFAULT_SLOPE
    """Steepness of the sigmoid between decision and probability."""

    def decide(self, kernel: np.ndarray) -> np.ndarray:
        """Decisions (N, P) from the kernel (N, n) between the clips and the training clips."""
        return kernel @ self.weights + self.intercepts

    def predict_proba(self, kernel: np.ndarray) -> np.ndarray:
        """Class probabilities float32 (N, classes); rows sum to 1, a class not seen in training gets 0."""
        probabilities = np.zeros((len(kernel), self.classes), dtype=np.float32)
        probabilities[:, self.seen] = np.exp(self._log_probabilities(self.decide(kernel), self.slope))
        return probabilities

    def linear(self, features: np.ndarray) -> "PairwiseSvm":
        """The same machine with weights on features, given those (n, d) of which the kernel is the inner product."""
        return replace(self, weights=features.astype(np.float64).T @ self.weights)

    def state(self) -> dict[str, np.ndarray]:
        """The arrays of the machine."""
        slope = np.array(self.slope)
        return {"seen": self.seen, "weights": self.weights, "intercepts": self.intercepts, "slope": slope}

    def calibrated(self, kernel: np.ndarray, labels: np.ndarray) -> tuple["PairwiseSvm", float, float]:
        """The machine with the slope of the least mean log loss on these clips, their accuracy and that log loss.

        Clips of classes not seen in training count as errors, and not towards the log loss.
        """
        decisions = self.decide(kernel)
        known = np.isin(labels, self.seen)
        place = np.searchsorted(self.seen, labels[known])
        if not known.any():
            return self, 0.0, 0.0
        own = (np.arange(len(place)), place)
        losses = [-self._log_probabilities(decisions[known], slope)[own].mean() for slope in SLOPES]
        machine = replace(self, slope=float(SLOPES[int(np.argmin(losses))]))
        accuracy = float(np.mean(machine.predict_proba(kernel).argmax(axis=1) == labels))
        return machine, accuracy, float(min(losses))

    def _log_probabilities(self, decisions: np.ndarray, slope: float) -> np.ndarray:
        # The product of a class's pairwise probabilities, normalised: log sigma(x) = -log(1 + exp(-x)).
        scores = np.zeros((len(decisions), len(self.seen)))
        for pair, (first, second) in enumerate(self.pairs):
            scores[:, first] -= np.logaddexp(0, -slope * decisions[:, pair])
            scores[:, second] -= np.logaddexp(0, slope * decisions[:, pair])
        scores -= scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def fit_svm(
    kernel: np.ndarray, labels: np.ndarray, cost: float, classes: int, slope: float = DEFAULT_SLOPE
) -> PairwiseSvm:
    """Fits a machine per pair of classes, as LIBSVM does, on the kernel (n, n) of the training clips."""
    from sklearn.svm import SVC

    seen = np.unique(labels)
    pairs = np.array(list(combinations(range(len(seen)), 2)), dtype=np.int64).reshape(-1, 2)
    weights, intercepts = np.zeros((len(labels), len(pairs))), np.zeros(len(pairs))
    for pair, (first, second) in enumerate(pairs):
        members = np.flatnonzero((labels == seen[first]) | (labels == seen[second]))
        sign = np.where(labels[members] == seen[first], 1, -1)
        machine = SVC(C=cost, kernel="precomputed", cache_size=50).fit(kernel[np.ix_(members, members)], sign)
        weights[members[machine.support_], pair] = machine.dual_coef_[0]
        intercepts[pair] = machine.intercept_[0]
    return PairwiseSvm(classes, seen, pairs, weights, intercepts, slope)


@dataclass(frozen=True)
class Option:
    """One setting of the features: what it is, and its kernels on the clips of the choice."""

    parameters: dict[str, Parameter]
    fitted: np.ndarray
    """(n, n) among the clips that candidates are fitted on."""
    validation: np.ndarray
    """(m, n) between the validation clips and those."""


@dataclass(frozen=True)
class Choice:
    """The parameters that did best on the validation clips, and how all did."""

    parameters: dict[str, Parameter]
    """Of the features, and `cost`."""
    slope: float = DEFAULT_SLOPE
    candidates: list[dict[str, Parameter]] = field(default_factory=list)
    """A row per candidate: parameters, `validation_accuracy`, `validation_log_loss`."""


def choose(
    options: Iterable[Option],
    labels: np.ndarray,
    validation_labels: np.ndarray,
    costs: Sequence[float],
    classes: int,
) -> Choice:
    """The candidate of the highest validation accuracy; among equals that of the least log loss, then the first."""
    best: tuple[tuple[float, float], Choice] | None = None
    rows: list[dict[str, Parameter]] = []
    for option in options:
        for cost in costs:
            machine = fit_svm(option.fitted, labels, cost, classes)
            machine, accuracy, log_loss = machine.calibrated(option.validation, validation_labels)
            parameters = option.parameters | {"cost": cost}
            rows.append(parameters | {"validation_accuracy": accuracy, "validation_log_loss": log_loss})
            if best is None or (accuracy, -log_loss) > best[0]:
                best = (accuracy, -log_loss), Choice(parameters, machine.slope)
    if best is None:
        raise ValueError("no option to choose from")
    return replace(best[1], candidates=rows)


def write_fit(run: "TrainingRun", method: str, choice: Choice, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes `checkpoint.pt` (the fitted arrays and the chosen parameters) and `history.csv` (a row per candidate).

    Without validation clips the history is the one row of the parameters that counted.
    """
    import pandas as pd
    import torch

    from fersnet.training.checkpoint import save_checkpoint, write_atomically

    metadata: dict[str, Any] = {"method": method, "parameters": choice.parameters, "slope": choice.slope}
    state = {name: torch.from_numpy(np.array(values)) for name, values in arrays.items()}
    save_checkpoint(run.folder / "checkpoint.pt", {method: state}, run.metadata | metadata)
    history = pd.DataFrame(choice.candidates or [choice.parameters])
    write_atomically(run.folder / "history.csv", history.to_csv(index_label="candidate").encode())

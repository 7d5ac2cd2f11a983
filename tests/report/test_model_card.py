"""The card of a trained model."""

import numpy as np
import pandas as pd
import pytest

from fersnet.expressions import SIX
from fersnet.report.description import RunDescription
from fersnet.report.model_card import model_card
from fersnet.report.statistics import recognition_scores
from fersnet.seeds import derive_seed
from fersnet.settings.report import ReportSettings

REPORT = ReportSettings(bootstrap_samples=100)
METADATA = {
    "version": "1.2.3",
    "expressions": list(SIX),
    "network": {"width": 4, "image_size": 32, "sharing": "convflu"},
    "faces": {"backend": "dlib", "size": 36},
}


def described(embedded: bool, selection: str = "last") -> RunDescription:
    return RunDescription("test", {"mmi": embedded}, selection, "strided", {"mmi": 3}, 1, names={"mmi": "MMI"})


@pytest.fixture
def folds() -> pd.DataFrame:
    rows = [(f"s{number}", f"P{number % 6}", SIX[number % 6], number % 3 + 1) for number in range(36)]
    return pd.DataFrame(rows, columns=["sequence_id", "subject", "expression", "fold"])


@pytest.fixture
def predictions(folds: pd.DataFrame) -> pd.DataFrame:
    table = folds.assign(frame=0, method="fersnet", dataset="mmi", repeat=1)
    wrong = np.arange(len(table)) % 5 == 0
    table["predicted"] = np.where(wrong, "fear", table["expression"])
    for name in SIX:
        table[f"p_{name}"] = np.where(table["predicted"] == name, 1.0, 0.0)
    return table


def card_of(folds: pd.DataFrame, predictions: pd.DataFrame, description: RunDescription) -> str:
    recipe = {"training": {"epochs": 7}, "losses": {"gan": "log"}}
    return model_card("mmi", "fersnet", 2, METADATA, folds, predictions, recipe, description, REPORT)


def test_the_card_says_all_that_a_user_must_know(folds: pd.DataFrame, predictions: pd.DataFrame) -> None:
    card = card_of(folds, predictions, described(embedded=True))
    for title in ("Data", "Classes", "Settings", "Test figures", "Intended use", "Limits"):
        assert f"\n## {title}\n" in card
    assert "Rendered faces in the layout of MMI" in card and "photograph means nothing" in card and "MIT" in card
    assert "2 subjects (P1, P4)" in card and "Training: 4 subjects, 24 sequences" in card
    assert (
        "0. anger" in card
        and "| training: epochs | 7 |" in card
        and "| losses: gan | log |" in card
        and "last epoch" in card
        and "1.2.3" in card
    )
    seed = derive_seed(1, "bootstrap", "mmi", "fersnet")
    pooled = recognition_scores(predictions, 100, 0.95, seed)
    own = recognition_scores(predictions[predictions["fold"] == 2], 100, 0.95, seed)
    for scores in (pooled, own):
        assert f"| {scores.accuracy:.1%} | {scores.interval.low:.1%} to {scores.interval.high:.1%} |" in card


def test_real_faces_keep_their_terms_and_held_out_subjects_are_not_training_ones(
    folds: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    card = card_of(folds, predictions, described(embedded=False, selection="validation"))
    assert "Real faces of MMI" in card and "terms of the dataset's owner" in card and "Rendered" not in card
    assert "Training: 2 subjects, 12 sequences" in card and "held-out validation subjects" in card


def test_a_fold_without_a_test_sequence_says_so(folds: pd.DataFrame, predictions: pd.DataFrame) -> None:
    card = card_of(folds, predictions[predictions["fold"] != 2], described(embedded=True))
    assert "no test sequence" in card

"""Prediction tables and their sequence-level reading."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fersnet.errors import UserError
from fersnet.training.batches import FaceSet
from fersnet.training.predictions import (
    accuracies,
    face_probabilities,
    prediction_table,
    sequence_predictions,
    table_of_predictions,
)

FACES = FaceSet(
    images=torch.randint(0, 256, (4, 1, 10, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    labels=torch.tensor([1, 1, 0, 0]),
    subjects=torch.tensor([0, 0, 1, 1]),
    subject_names=("ann", "zoe"),
    rows=torch.arange(4),
    sequence_ids=("s2", "s2", "s1", "s1"),
    frames=torch.tensor([7, 6, 3, 4]),
    expressions=("anger", "fear", "sadness"),
    synthetic=torch.zeros(4, dtype=torch.bool),
)
PROBABILITIES = np.array([[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.1, 0.7], [0.5, 0.4, 0.1]])


def test_the_table_has_a_row_per_face_in_a_fixed_order() -> None:
    table = prediction_table(FACES, PROBABILITIES)
    keys = ["sequence_id", "subject", "expression", "frame", "predicted"]
    assert list(table.columns) == [*keys, "p_anger", "p_fear", "p_sadness"]
    assert table[keys].to_numpy().tolist() == [
        ["s1", "zoe", "anger", 3, "sadness"],
        ["s1", "zoe", "anger", 4, "anger"],
        ["s2", "ann", "fear", 6, "anger"],
        ["s2", "ann", "fear", 7, "fear"],
    ]
    assert table["p_fear"].tolist() == [0.1, 0.4, 0.3, 0.8]


def test_a_sequence_is_read_by_its_mean_probability() -> None:
    table = prediction_table(FACES, PROBABILITIES)
    sequences = sequence_predictions(table)
    assert sequences["predicted"].tolist() == ["sadness", "fear"]
    assert sequences.loc[1, ["p_anger", "p_fear", "p_sadness"]].tolist() == pytest.approx([0.35, 0.55, 0.1])
    assert accuracies(table) == {"sequence_accuracy": 0.5, "frame_accuracy": 0.5}


@pytest.mark.parametrize("bad", [np.full((4, 3), np.nan), np.full((4, 3), 1.5), np.full((4, 3), -0.1), np.ones((4, 2))])
def test_probabilities_that_are_none(bad: np.ndarray) -> None:
    with pytest.raises(UserError, match="predictions: probabilities"):
        prediction_table(FACES, bad)


def test_methods_that_read_clips_give_a_row_per_sequence() -> None:
    table = table_of_predictions(["b", "a"], ["x", "y"], ["fear", "anger"], [-1, -1], np.eye(2), ["anger", "fear"])
    assert table["sequence_id"].tolist() == ["a", "b"]
    assert accuracies(table)["sequence_accuracy"] == 0.0


def test_probabilities_come_from_the_centre_crop_in_evaluation_mode() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 3))
    network.train()
    values = face_probabilities(network, FACES, 8, batch_size=3)
    assert network.training
    direct = network.eval()(FACES.images[:, :, 1:9, 1:9].float() / 255).softmax(dim=1)
    assert values == pytest.approx(direct.detach().numpy(), abs=1e-6)
    assert values.sum(axis=1) == pytest.approx(np.ones(4))


def test_equal_predictions_are_equal_files(tmp_path) -> None:
    paths = [tmp_path / "one.parquet", tmp_path / "other.parquet"]
    prediction_table(FACES, PROBABILITIES).to_parquet(paths[0])
    shuffled = FACES.select(torch.tensor([2, 0, 3, 1]))
    prediction_table(shuffled, PROBABILITIES[[2, 0, 3, 1]]).to_parquet(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert isinstance(pd.read_parquet(paths[0]), pd.DataFrame)

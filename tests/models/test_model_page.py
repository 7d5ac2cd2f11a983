"""The figures of docs/model.md are those of the networks."""

import re
from pathlib import Path

import pytest

from fersnet.models.describe import describe

PAGE = (Path(__file__).parents[2] / "docs" / "model.md").read_text(encoding="utf-8")
ROWS = {
    "FERSNet, both branches": ("convflu", "fersnet"),
    "recognition alone (no decoder)": ("convflu", "recognition only"),
    "FERSNet w/o ConvFLU": ("hard", "fersnet"),
    "FERSNet w/o MTL": ("none", "fersnet"),
    "discriminator": ("convflu", "discriminator"),
    "LightCNN-9, up to its last convolution": ("convflu", "identity network"),
    "standard FER model": ("convflu", "standard FER model"),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_page_states_size_and_cost(row: str) -> None:
    stated = re.search(rf"^\| {re.escape(row)} \| ([\d.]+) M \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    sharing, network = ROWS[row]
    cost = describe(64, 96, 3, 6, sharing)[network]
    assert stated is not None
    assert stated.groups() == (f"{cost.parameters / 1e6:.2f}", f"{cost.flop / 1e9:.2f}")

"""LightCNN-9: the published sizes, its max-feature-map, and the public checkpoint."""

import hashlib
import os
from pathlib import Path

import pytest
import torch

from fersnet.errors import UserError
from fersnet.models.light_cnn import LightCNN9, MaxFeatureMap, load_public_checkpoint, to_luma


def public_state(width: int = 3, subjects: int = 5) -> dict[str, torch.Tensor]:
    """A state dict with the key names and shapes of the authors' file, scaled down."""
    torch.manual_seed(0)
    last, hidden = 8 * width // 3, 16 * width // 3
    sizes = {"features.0.filter": (2 * width, 1, 5, 5)}
    for layer, inputs, outputs in (
        (2, width, 2 * width),
        (4, 2 * width, 4 * width),
        (6, 4 * width, last),
        (7, last, last),
    ):
        sizes[f"features.{layer}.conv_a.filter"] = (2 * inputs, inputs, 1, 1)
        sizes[f"features.{layer}.conv.filter"] = (2 * outputs, inputs, 3, 3)
    sizes["fc1.filter"] = (2 * hidden, last * 64)
    sizes["fc2"] = (subjects, hidden)
    state = {}
    for layer, size in sizes.items():
        state[f"module.{layer}.weight"] = torch.randn(size)
        state[f"module.{layer}.bias"] = torch.randn(size[0])
    return state


def test_published_network() -> None:
    with torch.device("meta"):
        network = LightCNN9(48, 128, 79077)
        assert network.features(torch.empty(1, 1, 128, 128)).shape == (1, 128, 16, 16)
        assert network.embedding(torch.empty(1, 1, 128, 128)).shape == (1, 256)
    # "5.6 M" of the paper: all but the subject layer.
    features = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("classifier"))
    assert features == pytest.approx(5.5e6, rel=0.02)


def test_the_maps_of_a_new_network_do_not_vanish() -> None:
    """Otherwise L_idt is nothing, and a short training stays at chance."""
    torch.manual_seed(0)
    assert LightCNN9(16, 32, 24).features(torch.rand(64, 1, 32, 32)).std() > 0.5


def test_max_feature_map() -> None:
    layer = MaxFeatureMap(2, 3, 3)
    features = torch.randn(1, 2, 4, 4)
    both = layer.filter(features)
    wanted = torch.where(both[:, :3] > both[:, 3:], both[:, :3], both[:, 3:])
    assert torch.equal(layer(features), wanted)
    gradients = [
        torch.autograd.grad(output.square().sum(), layer.filter.weight) for output in (layer(features), wanted)
    ]
    torch.testing.assert_close(*gradients)


def test_colour_becomes_luma_and_any_size_is_taken() -> None:
    network = LightCNN9(3, 32, 4).eval()
    colour = torch.rand(2, 3, 50, 50)
    grey = (0.299 * colour[:, 0] + 0.587 * colour[:, 1] + 0.114 * colour[:, 2])[:, None]
    torch.testing.assert_close(to_luma(colour), grey)
    torch.testing.assert_close(network.features(colour), network.features(grey), rtol=1e-4, atol=1e-5)
    assert network(colour).shape == (2, 4)
    assert network.features(grey).shape == (2, 8, 4, 4)


@pytest.mark.parametrize("wrapped", [True, False])
def test_public_checkpoint(tmp_path: Path, wrapped: bool) -> None:
    state = public_state()
    file = tmp_path / "light_cnn.pth"
    torch.save({"state_dict": state, "epoch": 80} if wrapped else state, file)
    network = load_public_checkpoint(file, hashlib.sha256(file.read_bytes()).hexdigest().upper())
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert torch.equal(network.convolutions[11].filter.weight, state["module.features.7.conv.filter.weight"])
    assert torch.equal(network.convolutions[2].filter.bias, state["module.features.2.conv_a.filter.bias"])
    assert torch.equal(network.hidden.weight, state["module.fc1.filter.weight"])
    assert network(torch.rand(1, 3, 60, 60)).shape == (1, 5)


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch executed",)


def test_bad_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    good, hostile, other, cut = (tmp_path / f"{name}.pth" for name in ("good", "hostile", "other", "cut"))
    torch.save(public_state(), good)
    torch.save({"state_dict": Hostile()}, hostile)
    torch.save({"layer.weight": torch.zeros(2)}, other)
    cut.write_bytes(good.read_bytes()[:500])
    with pytest.raises(UserError, match="SHA-256"):
        load_public_checkpoint(good, "0" * 64)
    for file in (hostile, other, cut, tmp_path / "none.pth"):
        with pytest.raises(UserError, match=file.name):
            load_public_checkpoint(file, None)
    assert not (tmp_path / "executed").exists()
    state = public_state()
    del state["module.features.6.conv.filter.bias"]
    torch.save(state, good)
    with pytest.raises(UserError, match="not those of LightCNN-9"):
        load_public_checkpoint(good, None)

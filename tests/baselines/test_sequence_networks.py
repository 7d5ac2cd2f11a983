"""The sequence networks: what they are fed, and what is particular to each."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from fersnet.baselines.clips import ClipSet
from fersnet.baselines.cnn3d import Cnn3dSettings
from fersnet.baselines.cnn3d import training as cnn3d
from fersnet.baselines.dtagn import DtagnSettings
from fersnet.baselines.dtagn import training as dtagn
from fersnet.baselines.landmarks import MIRROR_68
from fersnet.baselines.lbvcnn import LbvcnnSettings
from fersnet.baselines.lbvcnn import training as lbvcnn
from fersnet.baselines.networks import clip_tensor, mirrored
from fersnet.errors import UserError
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.task import TrainingRun

TINY_DTAGN = DtagnSettings(
    epochs=1, joint_epochs=1, batch_size=6, width=4, appearance_hidden=8, geometry_hidden=(8, 8), milestones=()
)


def test_clips_are_standardised_one_by_one() -> None:
    clips = np.random.default_rng(0).integers(0, 200, (2, 3, 8, 8), dtype=np.uint8)
    clips[1] = 9
    values = clip_tensor(clips)
    assert values[0].mean().item() == pytest.approx(0, abs=1e-5)
    assert values[0].std(correction=0).item() == pytest.approx(1, rel=1e-4)
    assert (values[1] == 0).all()


def test_mirroring_flips_whole_clips() -> None:
    torch.manual_seed(0)
    clips = torch.rand(20, 2, 4, 4)
    result = mirrored(clips)
    same = (result == clips).flatten(1).all(dim=1)
    turned = (result == clips.flip(-1)).flatten(1).all(dim=1)
    assert (same | turned).all()
    assert 0 < int(turned.sum()) < 20


def pooled(values: np.ndarray, steps: tuple[int, int, int]) -> np.ndarray:
    """Maxima of (channels, T, H, W) over boxes of these steps, whose last one may be smaller."""
    for axis, step in enumerate(steps, start=1):
        starts = range(0, values.shape[axis], step)
        values = np.stack(
            [values.take(range(at, min(at + step, values.shape[axis])), axis=axis).max(axis=axis) for at in starts],
            axis=axis,
        )
    return values


def convolved(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums over channels of (channels, T, H, W) slid over by (filters, channels, t, h, w), zeros beyond the border."""
    margins = [(extent // 2, extent // 2) for extent in weights.shape[2:]]
    padded = np.pad(values, [(0, 0), *margins])
    return np.stack([correlate(padded, each, mode="valid")[0] for each in weights])


def test_three_dimensional_convolutions_by_another_library() -> None:
    torch.manual_seed(0)
    network = cnn3d.Cnn3d(Cnn3dSettings(width=2, hidden=5), (5, 20, 16), 3).double().eval()
    clip = torch.randn(1, 5, 20, 16, dtype=torch.float64)
    weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
    values = clip.numpy()
    for layer, step, pool in ((0, 2, (1, 2, 2)), (3, 1, (2, 2, 2)), (6, 1, (2, 2, 2))):
        bias = weights[f"convolutions.{layer}.bias"][:, None, None, None]
        values = convolved(values, weights[f"convolutions.{layer}.weight"])[:, :, ::step, ::step] + bias
        values = pooled(np.maximum(values, 0), pool)
    hidden = np.maximum(weights["classifier.1.weight"] @ values.ravel() + weights["classifier.1.bias"], 0)
    logits = weights["classifier.4.weight"] @ hidden + weights["classifier.4.bias"]
    np.testing.assert_allclose(network(clip)[0].detach().numpy(), logits, atol=1e-10)


def test_a_local_binary_volume_by_another_library() -> None:
    torch.manual_seed(0)
    settings = LbvcnnSettings(fixed_filters=5, density=0.4)
    layer = lbvcnn.LocalBinaryVolume(2, 3, settings).double().eval()
    volume = torch.randn(1, 2, 4, 6, 5, dtype=torch.float64)
    responses = convolved(volume[0].numpy() / np.sqrt(1 + layer.normalisation.eps), layer.filters.numpy())
    kept = np.maximum(responses / np.sqrt(27 * 2 * 0.4), 0)
    mixture, bias = (value.detach().numpy() for value in (layer.mixture.weight, layer.mixture.bias))
    expected = np.einsum("wf,fthx->wthx", mixture[:, :, 0, 0, 0], kept) + bias[:, None, None, None]
    np.testing.assert_allclose(layer(volume)[0].detach().numpy(), expected, atol=1e-10)
    # Beside normalisation, the mixture alone is trained.
    trained = sum(value.numel() for name, value in layer.named_parameters() if "normalisation" not in name)
    assert trained == 5 * 3 + 3


def test_the_joint_loss_and_the_prediction_of_dtagn_by_hand(
    spots: Callable[..., ClipSet], new_run: Callable[[], TrainingRun]
) -> None:
    settings = TINY_DTAGN.model_copy(update={"dropout": 0.0, "flip": False, "rotations": (0.0,), "landmark_noise": 0.0})
    clips, run = spots(2), new_run()
    torch.manual_seed(0)
    appearance = dtagn.AppearanceNetwork(settings, clips.clips.shape[1:], 3)
    geometry = dtagn.GeometryNetwork(settings, clips.clips.shape[1], 3)
    task = dtagn.DtagnTask(clips, settings, {"appearance": appearance, "geometry": geometry}, run)
    task.stage = "joint"
    losses = task.losses(torch.arange(len(clips)))
    with torch.no_grad():
        seen = appearance(clip_tensor(clips.clips)).double().numpy()
        felt = geometry(torch.from_numpy(dtagn.normalised_landmarks(clips.landmarks))).double().numpy()
    for name, logits, weight in (("appearance", seen, 1), ("geometry", felt, 1), ("joint", seen + felt, 0.1)):
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        expected = -np.log(shares[np.arange(len(clips)), clips.labels]).mean() * weight
        assert losses[name].item() == pytest.approx(expected, rel=1e-4)
    model = dtagn.fit(clips, clips.select(np.arange(0)), settings, run, 3)
    states, _ = load_checkpoint(run.folder / "checkpoint.pt")
    appearance.load_state_dict(states["appearance"])
    geometry.load_state_dict(states["geometry"])
    with torch.no_grad():
        points = torch.from_numpy(dtagn.normalised_landmarks(clips.landmarks))
        total = (appearance(clip_tensor(clips.clips)) + geometry(points)).double().numpy()
    np.testing.assert_allclose(
        model.predict_proba(clips), np.exp(total) / np.exp(total).sum(axis=1, keepdims=True), atol=1e-5
    )


@pytest.mark.parametrize("method", ["cnn3d", "dtagn", "lbvcnn"])
def test_an_untrained_network_tells_clips_apart(method: str, spots: Callable[..., ClipSet]) -> None:
    torch.manual_seed(0)
    shape = (8, 32, 32)
    network = {
        "cnn3d": lambda: cnn3d.Cnn3d(Cnn3dSettings(), shape, 3),
        "dtagn": lambda: dtagn.AppearanceNetwork(DtagnSettings(), shape, 3),
        "lbvcnn": lambda: lbvcnn.PlaneNetwork("xt", LbvcnnSettings(), 3),
    }[method]()
    # In training mode normalisation takes the batch's own statistics; dropout is left out.
    for module in network.modules():
        module.train(not isinstance(module, torch.nn.Dropout))
    with torch.no_grad():
        scores = network(clip_tensor(spots(4).clips))
    assert scores.std(dim=0).mean() > 0.3


def test_landmarks_are_centred_on_the_nose_and_scaled_by_their_spread() -> None:
    points = np.random.default_rng(0).normal(size=(1, 2, 68, 2)).astype(np.float32) * [7, 3] + [30, 20]
    result = dtagn.normalised_landmarks(points.astype(np.float32))
    used = np.concatenate([points[0, 1, 17:60], points[0, 1, 61:64], points[0, 1, 65:]])
    assert result.shape == (1, 2, 49, 2)
    np.testing.assert_allclose(result[0, 1], (used - points[0, 1, 30]) / used.std(axis=0), rtol=1e-4, atol=1e-5)
    points[0, 0, 5 + 17] = np.nan
    assert (dtagn.normalised_landmarks(points)[0, 0] == 0).all()
    assert (dtagn.normalised_landmarks(np.ones((1, 1, 68, 2), np.float32)) == 0).all()


def test_the_mirror_of_landmarks() -> None:
    assert sorted(MIRROR_68) == list(range(68))
    assert [MIRROR_68[MIRROR_68[point]] for point in range(68)] == list(range(68))
    # Jaw ends, outer brows, outer eye corners, lower lids, mouth corners, nose tip.
    for left, right in ((0, 16), (17, 26), (36, 45), (41, 46), (48, 54), (30, 30), (61, 63), (67, 65)):
        assert MIRROR_68[left] == right


@pytest.mark.parametrize(("angle", "flip"), [(0.0, True), (15.0, False), (-10.0, True)])
def test_clips_and_landmarks_turn_together(angle: float, flip: bool) -> None:
    y, x = np.mgrid[:65, :65]
    spot = torch.tensor(np.exp(-((x - 44) ** 2 + (y - 20) ** 2) / 8), dtype=torch.float32)
    # Landmarks about the middle of the frame; all 49 lie on the spot, so mirroring may exchange them.
    points = torch.tensor([44.0 - 32, 20.0 - 32]).expand(1, 1, 49, 2)
    values, moved = dtagn.turned(spot[None, None], points, torch.tensor([angle]), torch.tensor([flip]))
    row, column = np.unravel_index(values[0, 0].argmax().item(), (65, 65))
    np.testing.assert_allclose(moved[0, 0, 0].numpy() + 32, [column, row], atol=1)


def test_dtagn_needs_some_landmarks_and_the_joint_stage_keeps_the_lower_layers(
    spots: Callable[..., ClipSet], new_run: Callable[[], TrainingRun]
) -> None:
    clips = spots(2)
    nothing = clips.select(np.arange(0))
    without = ClipSet(
        clips.clips, np.full_like(clips.landmarks, np.nan), clips.labels, clips.subjects, clips.sequence_ids
    )
    with pytest.raises(UserError, match="landmarks"):
        dtagn.fit(without, nothing, TINY_DTAGN, new_run(), 3)
    short, long = new_run(), new_run()
    dtagn.fit(clips, nothing, TINY_DTAGN, short, 3)
    dtagn.fit(clips, nothing, TINY_DTAGN.model_copy(update={"joint_epochs": 3}), long, 3)
    first, second = (load_checkpoint(run.folder / "checkpoint.pt")[0] for run in (short, long))
    for network in ("appearance", "geometry"):
        for name, value in first[network].items():
            assert torch.equal(value, second[network][name]) == name.startswith("lower"), (network, name)


def test_fixed_filters_are_sparse_signs_of_the_stated_density_and_are_not_trained(
    spots: Callable[..., ClipSet], new_run: Callable[[], TrainingRun]
) -> None:
    torch.manual_seed(0)
    layer = lbvcnn.LocalBinaryVolume(8, 16, LbvcnnSettings(density=0.3))
    assert set(layer.filters.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert (layer.filters != 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert "filters" not in dict(layer.named_parameters())
    settings = LbvcnnSettings(epochs=1, joint_epochs=1, width=2, layers=1, fixed_filters=4, hidden=4)
    clips = spots(2)
    filters = []
    for epochs in (1, 2):
        run = new_run()
        longer = settings.model_copy(update={"epochs": epochs})
        lbvcnn.fit(clips, clips.select(np.arange(0)), longer, run, 3)
        filters.append(load_checkpoint(run.folder / "checkpoint.pt")[0]["xt"]["layers.1.filters"])
    assert torch.equal(*filters)


def test_each_plane_network_sees_its_plane() -> None:
    settings = LbvcnnSettings(width=2, layers=1, fixed_filters=4, hidden=4)
    clips = torch.rand(1, 6, 16, 8)
    for plane, shape in (("xy", (6, 16, 8)), ("xt", (16, 6, 8)), ("yt", (8, 6, 16))):
        assert clips.permute(lbvcnn.PlaneNetwork(plane, settings, 3).axes).shape[1:] == shape

"""EAC: its consistency by hand, its views, and that without the consistency it is the plain network."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from fersnet.baselines.eac import EacSettings
from fersnet.baselines.eac import training as eac
from fersnet.seeds import derive_seed
from fersnet.training import loop
from fersnet.training.batches import FaceSet
from fersnet.training.checkpoint import load_checkpoint
from fersnet.training.classification import ClassificationTask
from fersnet.training.task import TrainingRun

TINY = EacSettings(width=2, epochs=1, batch_size=8, milestones=())


def test_the_consistency_by_hand() -> None:
    attention = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    assert eac.consistency_loss(attention, attention) == 1.0
    assert eac.consistency_loss(attention, torch.tensor([[2.0, 1.0], [4.0, 3.0]])[None, None]) == 0.0


def test_a_mirrored_face_in_a_mirror_symmetric_network_is_consistent() -> None:
    torch.manual_seed(0)
    network = eac.Eac(2, 1, 3).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data = (layer.weight.data + layer.weight.data.flip(-1)) / 2
    # Strides keep a symmetry where they meet an odd side: 26 -> 13 -> 7 -> 4.
    half = torch.rand(1, 1, 26, 13)
    maps = network.maps(torch.cat((half, half.flip(-1)), dim=3))
    assert maps.shape[-1] == 4
    attention = network.attention(maps)
    assert attention.std() > 0
    assert eac.consistency_loss(attention, attention) < 1e-12
    asymmetric = network.attention(network.maps(torch.rand(1, 1, 26, 26)))
    assert eac.consistency_loss(asymmetric, asymmetric) > 1e-8


def test_the_attention_averages_to_the_logits_and_leaves_the_classifier_alone() -> None:
    network = eac.Eac(2, 1, 3)
    maps = network.maps(torch.rand(2, 1, 16, 16)).requires_grad_()
    attention = network.attention(maps)
    torch.testing.assert_close(attention.mean(dim=(2, 3)) + network.classifier.bias, network.scores(maps))
    attention.square().mean().backward()
    assert network.classifier.weight.grad is None
    assert network.stem[0].weight.grad.abs().sum() > 0


def test_without_the_consistency_it_is_the_plain_network_on_the_same_views(
    faces: Callable[..., FaceSet], new_run: Callable[[], TrainingRun]
) -> None:
    settings = TINY.model_copy(update={"consistency": 0.0, "noise_variance": 0.0, "erasing": 0.0})
    train, runs = faces(3), (new_run(), new_run())
    eac.fit(train, train.select(torch.arange(0)), settings, runs[0], 4)
    torch.manual_seed(derive_seed(runs[1].seed, "eac"))
    plain = ClassificationTask(eac.Eac(2, 1, 4), train, train.labels, 16, settings, runs[1])
    loop.train(plain, eac.stages(settings, len(train)), runs[1])
    ours, theirs = (load_checkpoint(run.folder / "checkpoint.pt")[0]["network"] for run in runs)
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name
    with_it = new_run()
    eac.fit(train, train.select(torch.arange(0)), settings.model_copy(update={"consistency": 5.0}), with_it, 4)
    other = load_checkpoint(with_it.folder / "checkpoint.pt")[0]["network"]
    assert not torch.equal(other["classifier.weight"], ours["classifier.weight"])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_rectangles_of_the_stated_area_are_erased(share: float) -> None:
    torch.manual_seed(0)
    images = torch.ones(400, 3, 48, 48)
    gone = eac.erased(images, share) == eac.GREY
    assert torch.equal(gone[:, 0], gone[:, 2])
    rows, columns = gone[:, 0].any(dim=2).sum(dim=1), gone[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(rows * columns, gone[:, 0].sum(dim=(1, 2))), "each is one rectangle"
    hit = rows > 0
    assert hit.float().mean().item() == pytest.approx(share, abs=0.1)
    areas = (rows * columns)[hit] / 48**2
    assert not len(areas) or (0.01 < areas.min() < 0.05 and 0.2 < areas.max() < 0.27)


def test_noise_of_the_stated_variance_lies_on_half_of_the_faces() -> None:
    torch.manual_seed(0)
    grey = torch.full((400, 1, 8, 8), 0.5)
    noise = (eac.noisy(grey, 30.0) - grey) * 255
    hit = (noise != 0).flatten(1).any(dim=1)
    assert hit.float().mean().item() == pytest.approx(0.5, abs=0.1)
    assert noise[hit].var().item() == pytest.approx(30, rel=0.1)


def test_the_second_view_is_a_mirror_of_the_face_or_of_the_first_view(
    faces: Callable[..., FaceSet], new_run: Callable[[], TrainingRun]
) -> None:
    seen: list[torch.Tensor] = []

    class Recorded(eac.Eac):
        def maps(self, faces: torch.Tensor) -> torch.Tensor:
            seen.append(faces)
            return super().maps(faces)

    for mirrors_erased in (True, False):
        settings = TINY.model_copy(update={"mirrors_erased": mirrors_erased, "erasing": 1.0, "noise_variance": 0.0})
        task = eac.EacTask(Recorded(2, 1, 4), faces(3), settings, new_run())
        seen.clear()
        task.terms(torch.arange(18))
        first, second = seen[0], seen[1].flip(-1)
        assert torch.equal(first, second) == mirrors_erased
        both_kept = (first != eac.GREY) & (second != eac.GREY)
        assert torch.equal(first[both_kept], second[both_kept])

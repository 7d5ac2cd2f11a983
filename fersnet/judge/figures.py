"""What a judge is worth: how much it reads in clear and in changed faces, and how sure it is where nothing is seen."""

import torch
from torch import Tensor, nn

from fersnet.judge.changes import BLINDING, CHANGES, Change, noise_images
from fersnet.seeds import derive_seed

Figures = dict[str, float]
PICTURES = 256
"""Pictures of noise that the judge is asked about."""


def figures(judge: nn.Module, faces: Tensor, labels: Tensor, seed: int = 0) -> Figures:
    """Accuracies in percent, and mean largest probabilities.

    Args:
        judge: in evaluation mode.
        faces: float (N, 1, S, S) in [0, 1], as many pixels as the judge takes.
        labels: int64 (N,), columns of its logits.
        seed: of the changes, each made by itself to every face.
    """
    found = {"accuracy": _accuracy(judge, faces, labels), "confidence": _confidence(judge, faces)}
    for name, change in CHANGES.items():
        found[f"accuracy under {name}"] = _accuracy(judge, _seeded(change, faces, seed, name), labels)
    for name, blind in BLINDING.items():
        found[f"confidence {name}"] = _confidence(judge, _seeded(blind, faces, seed, name))
    noise = _seeded(lambda like: noise_images(PICTURES, like.shape[-1]), faces, seed, "noise images")
    return {key: round(value, 4) for key, value in (found | {"confidence on noise": _confidence(judge, noise)}).items()}


def _seeded(change: Change, images: Tensor, seed: int, name: str) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed("judge figures", seed, name))
        return change(images)


def _accuracy(judge: nn.Module, images: Tensor, labels: Tensor) -> float:
    return 100 * float((_probabilities(judge, images).argmax(dim=1) == labels).float().mean())


def _confidence(judge: nn.Module, images: Tensor) -> float:
    return float(_probabilities(judge, images).amax(dim=1).mean())


@torch.inference_mode()
def _probabilities(judge: nn.Module, images: Tensor) -> Tensor:
    return torch.cat([judge(part).softmax(dim=1) for part in images.split(PICTURES)])

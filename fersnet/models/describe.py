"""Sizes and costs of the networks: parameters and floating-point operations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.models.light_cnn import LightCNN9
from fersnet.models.standard_fer import StandardFER
from fersnet.settings.training import Sharing


@dataclass(frozen=True)
class Cost:
    """Size and cost of one network."""

    parameters: int
    """Number of trained values."""
    flop: int
    """Floating-point operations of one forward pass on one image: twice the multiply-adds of convolutions and
    matrix products; normalisation and activations do not count."""


def count_parameters(network: nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in network.parameters())


class OperationCounter(TorchDispatchMode):
    """Counts the floating-point operations and the tensor calls of what runs within it, backward passes included.

    PyTorch's own counter stumbles over a gradient within a gradient, as in a gradient penalty.
    """

    def __init__(self) -> None:
        from torch.utils.flop_counter import flop_registry

        super().__init__()
        self.total = 0
        self.calls = 0
        self.registry = flop_registry

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        # A detached tensor is the same memory, and hooks on what is saved for the backward pass add them.
        self.calls += func._overloadpacket is not torch.ops.aten.detach
        count = self.registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


def count_flop(call: Callable[[], object]) -> int:
    """Floating-point operations of what `call` does; with tensors on the meta device nothing is computed."""
    with OperationCounter() as counter, torch.no_grad():
        call()
    return counter.total


def describe(
    width: int,
    image_size: int,
    channels: int,
    classes: int,
    sharing: Sharing = "convflu",
    convflu_kernel: int = 1,
    identity_width: int = 48,
    identity_image_size: int = 128,
    standard_fer_width: int = 64,
) -> dict[str, Cost]:
    """Parameters and cost per image of `fersnet`, its parts that have a name of their own, and what it trains with.

    Runs on the meta device, so it takes no memory and gives the same answer everywhere. The identity network's head
    (one logit per subject) is left out; its cost is that of its last convolutional map, which L_idt uses.
    """
    with torch.device("meta"):
        network = FERSNet(width, image_size, channels, classes, sharing, convflu_kernel).eval()
        discriminator = Discriminator(width, channels, classes).eval()
        identity = LightCNN9(identity_width, identity_image_size, 1).eval()
        judge = StandardFER(standard_fer_width, channels, classes).eval()
        images = torch.empty(1, channels, image_size, image_size)
        target: Tensor = torch.empty(1, classes)
    costs = {
        "fersnet": Cost(count_parameters(network), count_flop(lambda: network(images, target))),
        "recognition only": Cost(_recognition_parameters(network), count_flop(lambda: network(images))),
    }
    if network.synthesises:
        costs["discriminator"] = Cost(
            count_parameters(discriminator), count_flop(lambda: discriminator(images, target))
        )
        costs["identity network"] = Cost(
            count_parameters(identity.convolutions), count_flop(lambda: identity.features(images))
        )
    costs["standard FER model"] = Cost(count_parameters(judge), count_flop(lambda: judge(images)))
    return costs


def _recognition_parameters(network: FERSNet) -> int:
    return count_parameters(network) - (count_parameters(network.decoder) if network.decoder is not None else 0)

"""Starting from a network that was trained on another dataset."""

from pathlib import Path

from torch import nn

from fersnet.errors import UserError
from fersnet.models.discriminator import Discriminator
from fersnet.models.fersnet import FERSNet
from fersnet.training.checkpoint import load_checkpoint, restore_all_but
from fersnet.training.inference import build


def load_pretrained(
    checkpoint: Path, network: FERSNet, discriminator: Discriminator | None, expressions: tuple[str, ...]
) -> None:
    """Takes the weights of a checkpoint into new networks, in place.

    Where the classes differ (in number, kind or order), what reads or writes them keeps its fresh weights: the
    classifier, the label layers of the decoder, and the discriminator's first convolution.

    Raises:
        UserError: if the checkpoint cannot be read, or is of another width, channel number or sharing.
    """
    states, metadata = load_checkpoint(checkpoint)
    build(metadata, checkpoint)
    same = tuple(metadata["expressions"]) == expressions
    pairs: list[tuple[str, nn.Module | None, tuple[str, ...]]] = [
        ("fersnet", network, _label_layers(network)),
        ("discriminator", discriminator, ("layers.0.",)),
    ]
    for name, module, heads in pairs:
        if module is None:
            continue
        if name not in states:
            raise UserError(f"{checkpoint}: holds no {name}; pre-train the same variant first")
        restore_all_but(() if same else heads, module, states[name], checkpoint)


def _label_layers(network: FERSNet) -> tuple[str, ...]:
    layers = [name for name, _ in network.named_modules() if name.endswith(".label")]
    return ("classifier.", *(f"{name}." for name in layers))

"""Starting from a network that was trained on another dataset."""

from collections.abc import Mapping
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


def start_from(
    checkpoint: Path | None,
    method: str,
    networks: Mapping[str, nn.Module],
    expressions: tuple[str, ...],
    *,
    by_class: tuple[str, ...],
    by_subject: tuple[str, ...] = (),
) -> None:
    """Takes the weights of a training on another dataset into new networks, in place; without one they stay as drawn.

    Args:
        checkpoint: of the same method, or None.
        method: its key.
        networks: by their names in the checkpoint.
        expressions: the classes here, in class-index order.
        by_class: beginnings of the names of what tells the classes apart, which stays fresh where they are others.
        by_subject: likewise of what tells subjects apart, which always stays fresh.

    Raises:
        UserError: if the checkpoint cannot be read, is of another method, or of networks of another make.
    """
    if checkpoint is None:
        return
    states, metadata = load_checkpoint(checkpoint)
    if metadata.get("method") != method or not set(networks) <= set(states):
        raise UserError(f"{checkpoint}: no pre-training of {method}; delete it and run again")
    fresh = by_subject if tuple(metadata["expressions"]) == expressions else (*by_class, *by_subject)
    for name, network in networks.items():
        restore_all_but(fresh, network, states[name], checkpoint)


def _label_layers(network: FERSNet) -> tuple[str, ...]:
    layers = [name for name, _ in network.named_modules() if name.endswith(".label")]
    return ("classifier.", *(f"{name}." for name in layers))

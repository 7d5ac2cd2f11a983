"""Files of tensors and JSON: written whole or not at all, and read without executing anything."""

import errno
import json
import os
import pickle
import sys
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fersnet import __version__
from fersnet.errors import UserError

FORMAT = "fersnet checkpoint 1"

StateDict = dict[str, Tensor]


def save_checkpoint(
    path: Path,
    networks: Mapping[str, nn.Module | StateDict],
    metadata: Mapping[str, Any],
    averaged: Mapping[str, StateDict] | None = None,
) -> None:
    """Writes networks (modules or their state dicts) and JSON metadata to one file, atomically.

    Equal contents give equal bytes, whatever the device, the file name or the process. The metadata gets the `version`
    of this project beside what is given.

    Args:
        averaged: averages of networks, which are to be used in their place.

    Raises:
        UserError: if the disk does not take the file.
    """
    text = json.dumps({**metadata, "version": __version__}, sort_keys=True, allow_nan=False)
    content = {"format": FORMAT, "networks": _states(networks), "metadata": text}
    write_tensors(path, content | ({"averaged": _states(averaged)} if averaged else {}))


def load_checkpoint(path: Path, *, last: bool = False) -> tuple[dict[str, StateDict], dict[str, Any]]:
    """The state dicts by network name (on the CPU) and the metadata of a checkpoint.

    Args:
        last: whether to give the last weights where there are averaged ones, which are those to be used.

    Raises:
        UserError: if the file is missing, truncated, not a checkpoint of this project, or holds anything but tensors
            and plain values (which is refused, not executed).
    """
    content = read_tensors(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path}: not a FERSNet checkpoint; give a checkpoint.pt that this software wrote")
    states, averaged, text = content.get("networks"), content.get("averaged", {}), content.get("metadata")
    if not all(isinstance(part, dict) and all(map(_is_state, part.values())) for part in (states, averaged)):
        raise UserError(f"{path}: the checkpoint holds no readable networks; train again to replace it")
    try:
        metadata = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        metadata = None
    if not isinstance(metadata, dict):
        raise UserError(f"{path}: the checkpoint's metadata is not readable; train again to replace it")
    return states if last else states | averaged, metadata


def restore(network: nn.Module, state: StateDict, path: Path | str) -> None:
    """Loads a state dict into a network of the same make, in place.

    Raises:
        UserError: if names or shapes differ, with the first difference; `path` names the file in the message.
    """
    expected = network.state_dict()
    for name in [*expected, *state]:
        found = tuple(state[name].shape) if name in state else "nothing"
        wanted = tuple(expected[name].shape) if name in expected else "nothing"
        if found != wanted:
            raise UserError(
                f"{path}: made for another network: {name} is {found} in the file and {wanted} here; "
                "use the settings (width, image size, classes) that the checkpoint was trained with"
            )
    network.load_state_dict(state)


def restore_all_but(heads: tuple[str, ...], network: nn.Module, state: StateDict, path: Path | str) -> None:
    """Loads a state dict as `restore` does, but for what has a name that begins with one of `heads`."""
    own = {name: value for name, value in network.state_dict().items() if name.startswith(heads)}
    others = {name: value for name, value in state.items() if not name.startswith(heads)}
    restore(network, others | own, path)


def write_tensors(path: Path, content: Any) -> None:
    """Saves tensors and plain values to `path` through a temporary file beside it.

    Raises:
        UserError: if the disk does not take the file; whatever stood there before is left as it was.
    """
    # A buffer keeps the file's name out of the archive, so that equal contents are equal bytes.
    buffer = BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getbuffer())


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Writes a whole file or none, through `<name>.part` beside it, which a later write of the same file replaces.

    Raises:
        UserError: if the disk does not take the file; whatever stood there before is left as it was.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        problem = error.strerror or error
        raise UserError(
            f"{path}: cannot be written ({problem}); make room or mend the folder, then run again"
        ) from None


def read_tensors(path: Path) -> Any:
    """What `write_tensors` wrote, on the CPU; only tensors and plain values are accepted.

    Raises:
        UserError: if the file is missing, truncated or foreign.
    """
    damaged = f"{path}: truncated or not a file of tensors; delete it and make it again"
    try:
        with warnings.catch_warnings():
            # Torch's advice to report an unusual pickle is of no use to who holds a foreign file.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; train the model first or correct the path") from None
    except pickle.UnpicklingError:
        raise UserError(f"{path}: holds more than tensors and plain values, so it was not loaded") from None
    except OSError as error:
        # Torch looks for an archive's end before the beginning of a file that was cut short.
        if error.errno == errno.EINVAL:
            raise UserError(damaged) from None
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); mend the disk or the rights") from None
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, ImportError):
        # What torch raises for a damaged archive depends on where it is damaged.
        raise UserError(damaged) from None


def _states(networks: Mapping[str, nn.Module | StateDict]) -> dict[str, StateDict]:
    states = {}
    for name, network in networks.items():
        state = network.state_dict() if isinstance(network, nn.Module) else network
        states[sys.intern(name)] = {sys.intern(key): _plain(value) for key, value in state.items()}
    return states


def _plain(tensor: Tensor) -> Tensor:
    # A clone owns storage of its own size: views and shared storages would make the bytes depend on their origin.
    return tensor.detach().to("cpu", copy=True).contiguous().clone()


def _is_state(state: Any) -> bool:
    return isinstance(state, dict) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items())

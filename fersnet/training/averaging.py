"""The moving average of networks' weights, which draws and recognises in the place of the last weights."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from fersnet.training.checkpoint import StateDict


class Averages:
    """Exponential moving averages of networks, beside them on their devices.

    BatchNorm's running statistics are averaged with the weights: they belong to the networks of the past that the
    averaged weights are made of, and the last ones alone would be those of another network. Statistics measured anew
    with the averaged weights would need one more pass over the data. Whole numbers are the last ones.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        """
        Args:
            networks: by name; moved to their device already, and from then on changed in place only.
            decay: share that an average keeps at each step, once it is warmed up.
        """
        self.decay = decay
        self._last = {name: network.state_dict() for name, network in networks.items()}
        self.states = {name: _copied(state) for name, state in self._last.items()}

    def update(self, names: Collection[str], step: int) -> None:
        """Takes the present weights of the named networks in.

        The decay of step t (from 0) is min(decay, t / (9 + t)): the first step's weights are taken whole, since a stage
        may begin with others than it was given, and first weights are forgotten in short trainings, too.
        """
        take_in = get_ema_multi_avg_fn(min(self.decay, step / (9 + step)))
        for name in names:
            averages, last = self.states[name], self._last[name]
            moving = [key for key, value in last.items() if value.is_floating_point()]
            take_in([averages[key] for key in moving], [last[key] for key in moving], step)
            for key in last.keys() - moving:
                averages[key].copy_(last[key])

    def load(self, states: Mapping[str, StateDict]) -> None:
        """Takes averages back, as `states` gave them.

        Raises:
            KeyError, RuntimeError: if they are of other networks.
        """
        _fill(self.states, states)

    def put_in_place(self) -> None:
        """Gives the networks their averages for good."""
        _fill(self._last, self.states)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it the networks have their averages."""
        last = {name: _copied(state) for name, state in self._last.items()}
        self.put_in_place()
        try:
            yield
        finally:
            _fill(self._last, last)


def _copied(state: Mapping[str, Tensor]) -> StateDict:
    return {key: value.detach().clone() for key, value in state.items()}


@torch.no_grad()
def _fill(states: Mapping[str, StateDict], source: Mapping[str, StateDict]) -> None:
    for name, state in states.items():
        for key, value in state.items():
            value.copy_(source[name][key])

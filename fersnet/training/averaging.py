"""The moving average of networks' weights, which draws and recognises in the place of the last weights."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn, update_bn

from fersnet.training.checkpoint import StateDict


class Averages:
    """Exponential moving averages of networks, beside them on their devices.

    BatchNorm's running statistics are averaged with the weights. They belong to the networks of the past, not to the
    average of these: a decoder changes a face too little with them. So those of a network that draws are measured anew
    where it is used (`measure`). Whole numbers are the last ones.
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

    def measure(
        self, name: str, network: nn.Module, forward: Callable[[Tensor], object], batches: Iterable[Tensor]
    ) -> None:
        """Makes BatchNorm's statistics of one average means over batches, measured with the averaged weights.

        Source: Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018, Sec. 3.2.

        Args:
            name: whose average.
            network: that network.
            forward: takes a batch and passes it through the network.
        """
        with self.in_place():
            update_bn(batches, _Passed(network, forward))
            _fill({name: self.states[name]}, self._last)

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


class _Passed(nn.Module):
    """A network with the way in which a batch passes through it."""

    def __init__(self, network: nn.Module, forward: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.network, self.pass_through = network, forward

    def forward(self, batch: Tensor) -> None:
        self.pass_through(batch)


def _copied(state: Mapping[str, Tensor]) -> StateDict:
    return {key: value.detach().clone() for key, value in state.items()}


@torch.no_grad()
def _fill(states: Mapping[str, StateDict], source: Mapping[str, StateDict]) -> None:
    for name, state in states.items():
        for key, value in state.items():
            value.copy_(source[name][key])

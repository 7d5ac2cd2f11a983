"""A training step as a CUDA graph: recorded once on a GPU, and played back as one call."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

Losses = dict[str, Tensor]
PLAIN_STEPS = 3
"""Steps of a kind that run plainly before one is recorded, while libraries and optimizers set themselves up."""


@dataclass(frozen=True)
class _Recorded:
    graph: torch.cuda.CUDAGraph
    tensors: tuple[Tensor, ...]
    names: tuple[str, ...]
    losses: Tensor


class RecordedSteps:
    """Training steps whose thousands of kernels a GPU runs without the host launching each.

    A step of a small network computes for a few milliseconds and is launched in tens. What is played back are the same
    kernels on the same memory, so that losses and weights are those of plain steps.
    """

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)
        self.plain: dict[Hashable, int] = {}
        self.recorded: dict[Hashable, _Recorded] = {}

    def forget(self) -> None:
        """Drops what is recorded, since a number in it that is no tensor, such as a learning rate, has changed."""
        self.recorded.clear()

    def run(self, step: Callable[..., Losses], *tensors: Tensor, **options: Hashable) -> Losses:
        """One step, recorded and played back from the fourth of its kind on.

        Args:
            step: computes on its tensors alone, which lie on the GPU, draws from the GPU's generator alone, and never
                waits for the GPU; its optimizers are `capturable`.
            tensors: what differs from one step to the next; steps of other shapes are of another kind.
            options: of the step; those of other options are of another kind.
        """
        kind = (step, tuple(sorted(options.items())), tuple(tensor.shape for tensor in tensors))
        if self.plain.setdefault(kind, 0) < PLAIN_STEPS:
            self.plain[kind] += 1
            return self._plainly(step, *tensors, **options)
        if kind not in self.recorded:
            self.recorded[kind] = self._record(step, *tensors, **options)
        recorded = self.recorded[kind]
        for own, given in zip(recorded.tensors, tensors, strict=True):
            own.copy_(given)
        recorded.graph.replay()
        # The next step writes its losses to the same place.
        return dict(zip(recorded.names, recorded.losses.clone().unbind(), strict=True))

    def _plainly(self, step: Callable[..., Losses], *tensors: Tensor, **options: Hashable) -> Losses:
        """On the stream of the recording, so that no gradient is bound to another one."""
        present = torch.cuda.current_stream()
        self.stream.wait_stream(present)
        with torch.cuda.stream(self.stream):
            losses = step(*tensors, **options)
        present.wait_stream(self.stream)
        return losses

    def _record(self, step: Callable[..., Losses], *tensors: Tensor, **options: Hashable) -> _Recorded:
        own = tuple(tensor.clone() for tensor in tensors)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            losses = step(*own, **options)
            values = torch.stack([value.float() for value in losses.values()])
        return _Recorded(graph, own, tuple(losses), values)

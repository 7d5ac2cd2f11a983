"""What surrounds a training: reproducible kernels, and memory errors that say what to do."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fersnet.errors import UserError


def without_compiler() -> None:
    """Spares the import of PyTorch's compiler, 1.8 s of CPU in every job that trains.

    Adam imports it on first use, only to mark its methods as not to be compiled. Nothing here is compiled, so the
    methods are marked beforehand, and `step` is the plain one without gradients, which is all that the wrapped one
    does where `differentiable` is off. A PyTorch without these wrappers is left as it is.
    """
    for method in vars(torch.optim.Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None:
            vars(plain).setdefault("__dynamo_disable", plain)
    for optimizer in (torch.optim.Adam, torch.optim.AdamW):
        plain = getattr(optimizer.step, "__wrapped__", None)
        if plain is not None:
            optimizer.step = torch.no_grad()(plain)  # type: ignore[method-assign]


@contextmanager
def reproducible() -> Iterator[None]:
    """Deterministic kernels where PyTorch has them; the earlier settings return at the end.

    The number of CPU threads is the caller's: sums depend on it.
    """
    earlier = (
        torch.get_deterministic_debug_mode(),
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.backends.cudnn.benchmark,
    )
    # A GPU kernel without a deterministic form warns instead of ending the job; on the CPU all that is used have one.
    # `use_deterministic_algorithms` does the same, and imports PyTorch's compiler to tell it, for 2 s of CPU.
    torch.set_deterministic_debug_mode("warn")
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(earlier[0])
        torch.utils.deterministic.fill_uninitialized_memory = earlier[1]
        torch.backends.cudnn.benchmark = earlier[2]


def seed_generators(seed: int, device: torch.device) -> None:
    """Seeds the torch global RNG of the CPU and, where the training runs on one, of the GPU.

    The same as `torch.manual_seed`, which on a machine without a GPU spends a quarter of a millisecond per call on
    noting where it was called from.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


@contextmanager
def memory_errors_explained() -> Iterator[None]:
    """Turns running out of memory into a UserError that names the settings to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        gc.collect()
        where = "GPU" if isinstance(error, torch.OutOfMemoryError) else "main"
        raise UserError(
            f"out of {where} memory: lower this method's batch_size first, then model.width or model.image_size"
        ) from None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory, of the host or of a GPU, ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)

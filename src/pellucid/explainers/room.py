"""How many rows go through a network at once: as many as memory has room for, and no more than are any faster."""

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pellucid.memory import no_room, out_of_memory

# Beyond these a pass over more rows is no faster per row; on a CPU it soon is slower, where caches overflow.
_MOST_ON_A_CPU = 64
_MOST_ON_AN_ACCELERATOR = 1024
_ROOM_ON_A_CPU = 256 * 2**20


class Room:
    """Room for `rows` rows: a few until a pass has been weighed, then as many as fit, half of that if they do not.

    `memory` is how many bytes passes may keep; without it they may keep half of what an accelerator has free, or
    256 MiB of a CPU's.
    """

    def __init__(self, memory: int | None, device: torch.device) -> None:
        self.rows = 8
        self._memory = memory
        self._device = device
        self._settled = False

    @contextmanager
    def weighing(self, model: nn.Module, rows: int) -> Generator[None]:
        """Forward passes over so many rows in this block tell how much one keeps for its backward pass."""
        if self._settled:
            yield
            return
        own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
        kept: dict[int, int] = {}

        def weigh(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
            # without its graph: an operation that keeps what it put out would else be kept alive by that for ever
            return tensor.detach()

        with torch.autograd.graph.saved_tensors_hooks(weigh, lambda tensor: tensor):
            yield
        self.rows = max(1, min(full_pass(self._device), self._bytes() * rows // max(1, sum(kept.values()))))
        self._settled = True

    def halve(self, error: Exception) -> bool:
        """Whether a smaller room may help where a pass ended with this error; it then is half as large."""
        if not out_of_memory(error):
            return False
        if self.rows == 1:
            raise no_room(error) from error
        self.rows //= 2
        self._settled = True
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return True

    def _bytes(self) -> int:
        if self._memory is not None:
            return self._memory
        return torch.cuda.mem_get_info(self._device)[0] // 2 if self._device.type == "cuda" else _ROOM_ON_A_CPU


def full_pass(device: torch.device) -> int:
    """How many rows make a pass that more would make no faster per row."""
    return _MOST_ON_A_CPU if device.type == "cpu" else _MOST_ON_AN_ACCELERATOR

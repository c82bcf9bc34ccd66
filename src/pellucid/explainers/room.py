"""How many rows go through a network at once: as many as memory has room for, and no more than are any faster."""

import math
from collections.abc import Callable, Generator
from typing import TypeVar

import torch
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.kinds import in_single
from pellucid.memory import no_room, out_of_memory
from pellucid.probe import Probe, evaluated, frozen

T = TypeVar("T")

# Beyond these a pass over more rows is no faster per row; on a CPU it soon is slower, where caches overflow.
_MOST_ON_A_CPU = 64
_MOST_ON_AN_ACCELERATOR = 1024
# Of large images fewer are enough on a CPU, where more would only take memory.
_ENOUGH_ON_A_CPU = 16
_VALUES_ON_A_CPU = 2**21
_ROOM_ON_A_CPU = 256 * 2**20
# Images of the pass that is weighed.
_FEW = 8
_VALUES_OF_FEW = 2**19


class Room:
    """Room for `rows` images: few until a pass has been weighed, then as many as fit, half of that if they do not.

    How many are few hangs on how large images like `x` are. `memory` is how many bytes passes may keep; without it
    they may keep half of what an accelerator has free, or 256 MiB of a CPU's.
    """

    def __init__(self, memory: int | None, x: Tensor) -> None:
        self.rows = max(1, min(_FEW, _VALUES_OF_FEW // _values(x)))
        self._memory, self._most = memory, full_pass(x)
        self._device = x.device
        self._settled = False

    def weigh(self, model: nn.Module, logits: Tensor) -> None:
        """Settle it by what a pass that gave these logits keeps for its way back."""
        if self._settled:
            return
        own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
        kept: dict[int, int] = {}
        for tensor in _kept(logits):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
        fit = self._bytes() * len(logits) // max(1, sum(kept.values()))
        self.rows = max(1, min(self._most, fit))
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


ROOM = 2**29
"""Bytes that a pass of an audit may keep for the way back, on any device."""


def rows_at_once(model: nn.Module, x: Tensor) -> int:
    """How many images like the first a pass may keep for the way back; as many as are any faster if nobody knows."""
    one = Batch.trusted(x[:1].detach(), torch.zeros(1, dtype=torch.long, device=x.device), {})
    room = Room(ROOM, x)
    try:
        model = in_single(model, one.x)
        with frozen(model), torch.enable_grad():
            room.weigh(model, Probe(model, one, second_order=False).logits)
    except Exception:
        return full_pass(x)  # what asks says what the network fails at
    return room.rows


def _kept(logits: Tensor) -> Generator[Tensor]:
    """What a graph keeps. Hooks for it would see the same, and make a second derivative several times as slow."""
    nodes, seen = [logits.grad_fn], set[object]()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        nodes += [following for following, _ in node.next_functions]
        for name in dir(type(node)):
            if name == "saved_tensors" or name.startswith("_saved_"):
                try:
                    saved = getattr(node, name)
                except RuntimeError:  # it was written over since; what goes back that way says so
                    continue
                each = saved if isinstance(saved, tuple | list) else (saved,)
                yield from (tensor for tensor in each if isinstance(tensor, Tensor))


def full_pass(x: Tensor) -> int:
    """How many images like these make a pass that more would make no faster per image."""
    if x.device.type != "cpu":
        return _MOST_ON_AN_ACCELERATOR
    return max(_ENOUGH_ON_A_CPU, min(_MOST_ON_A_CPU, _VALUES_ON_A_CPU // _values(x)))


def _values(x: Tensor) -> int:
    return max(1, math.prod(x.shape[1:]))


def in_parts(
    model: nn.Module,
    batch: Batch,
    make: Callable[[Probe, slice, int], T],
    *,
    seed: int = 0,
    memory: int | None = None,
    graph: bool = False,
) -> list[T]:
    """What `make` finds in each part of a batch: as many images as there is room for, which shows at the first few.

    It gets a probe of the part, which rows of the batch that is, and how many rows may go through the network at
    once. With `graph` what it gives can be differentiated.
    """
    if not len(batch):
        raise ShapeError("this batch has no images; an explainer needs one or more")
    if memory is not None and memory < 1:
        raise ConfigError(f"memory is {memory}; give a number of bytes, 1 or more")
    model = model if graph else in_single(model, batch.x)
    room, found, done = Room(memory, batch.x), list[T](), 0

    def one(part: slice) -> T:
        probe = Probe(model, batch.rows(part), second_order=graph, third_order=False, seed=seed)
        room.weigh(model, probe.logits)
        return make(probe, part, room.rows)

    with evaluated(model) if graph else frozen(model), torch.enable_grad():
        while done < len(batch):
            part = slice(done, min(done + room.rows, len(batch)))
            try:
                found.append(one(part))
            except Exception as error:
                if not room.halve(error):
                    raise
                continue
            done = part.stop
    return found

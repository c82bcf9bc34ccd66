"""Watching the modules of a network in a pass of one's own, whoever else uses the network meanwhile."""

import copy
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from torch import nn

_lock = threading.RLock()  # a hook's number is not drawn safely by torch, nor may a module be copied meanwhile


@contextmanager
def hooked(modules: Iterable[nn.Module], hook: Callable[..., Any], *, before: bool = False) -> Generator[None]:
    """Call `hook` after each of the modules, or `before` it, in passes that this thread makes in this block."""
    me = threading.get_ident()

    def own(*given: Any) -> Any:
        return hook(*given) if threading.get_ident() == me else None

    with _lock:
        handles = [
            module.register_forward_pre_hook(own) if before else module.register_forward_hook(own)
            for module in modules
        ]
    try:
        yield
    finally:
        with _lock:
            for handle in handles:
                handle.remove()


def deep_copy(model: nn.Module, known: dict[int, Any] | None = None) -> nn.Module:
    """A network of one's own; of what is `known` by its number, that is taken."""
    with _lock:
        return copy.deepcopy(model, known)

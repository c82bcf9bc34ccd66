"""Modes and gradients of networks that several threads use at once.

Whoever wants a module or a parameter to be in some state holds it there. As long as anybody holds it, it stays as it
is; when the last one lets go, it is as it was before the first. Holds belong to modules and parameters, not to
networks, so that networks which share some of them share these holds too. A thread may hold what it holds already in
another state, as a metric does that looks at a network in the mode it was given in; another thread may not.
"""

import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from pellucid.errors import NetworkBusy

Wish = tuple[Any, str, Any]
"""A module or a parameter, the name of a setting of its, and what that is to be."""

MODULES = ""
"""The setting that stands for which modules a network is made of; nobody but `pellucid.models.swapped` changes it."""

_lock = threading.RLock()


@dataclass(eq=False)
class _Hold:
    thread: int
    value: Any


@dataclass(eq=False)
class _Held:
    """A setting that somebody holds; `before` is what it was before the first did."""

    owner: Any  # kept alive, since it is known by its number
    name: str
    before: Any
    holds: list[_Hold] = field(default_factory=list[_Hold])

    def make(self, value: Any) -> None:
        if self.name != MODULES and getattr(self.owner, self.name) != value:
            setattr(self.owner, self.name, value)


_held: dict[tuple[int, str], _Held] = {}


@contextmanager
def holding(wishes: Iterable[Wish], before: Mapping[int, Any] | None = None) -> Generator[None]:
    """Settings as they are wished for, in this block; `before` is what those of some owners were, by their number."""
    taken = _take(list(wishes), before or {})
    try:
        yield
    finally:
        _release(taken)


@contextmanager
def evaluating(model: nn.Module, *, at_rest: bool) -> Generator[None]:
    """A network in evaluation mode; afterwards every module is in its own mode.

    Its parameters are `at_rest`, without gradients, or as they are, which no other thread may change.
    """
    with _lock:
        modules = list(model.modules())
        before = {id(module): module.training for module in modules}
        if any(before.values()):
            _check([(module, "training", False) for module in modules if module.training])
            with suppress(NotImplementedError):  # of exported programs, which have one mode
                model.eval()  # which may do more, or leave some as they are
        taken = _take([*_structure(modules), *((one, "training", one.training) for one in modules)], before)
        try:
            # those made in inference mode have no gradients, and cannot be told to
            parameters = [one for one in model.parameters() if not one.is_inference()]
            taken += _take([(one, "requires_grad", False) for one in parameters] if at_rest else _own(parameters), {})
        except NetworkBusy:
            _leave(model, modules, before, taken)
            raise
    try:
        yield
    finally:
        with _lock:
            _leave(model, modules, before, taken)


@contextmanager
def training(model: nn.Module) -> Generator[None]:
    """A network in training mode, in which it stays; nobody else may look at it meanwhile but this thread."""
    with _lock:
        modules, parameters = list(model.modules()), list(model.parameters())
        wishes = [(module, "training", True) for module in modules]
        _check([*wishes, *_own(parameters)])
        model.train()
        wishes = [*_structure(modules), *((module, "training", module.training) for module in modules)]
        taken = _take([*wishes, *_own(parameters)], {})
    try:
        yield
    finally:
        _release(taken)


class Kept:
    """Tensors that a network may write over in a block, such as its buffers; they are put back when nobody looks.

    What the first of several threads found is put back when the last of them leaves.
    """

    def __init__(self, model: nn.Module) -> None:
        self._buffers = [
            (module, name, buffer)
            for module in model.modules()
            for name, buffer in module.named_buffers(recurse=False)
        ]
        self._gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
        with _lock:
            found: list[Wish] = [(module, name, (buffer, buffer.clone())) for module, name, buffer in self._buffers]
            found += [(parameter, "grad", (gradient, None)) for parameter, gradient in self._gradients]
            self._taken = _take(found, {}, stored=True)

    def put_back(self) -> None:
        """Let go of them."""
        with _lock:
            for held, hold in self._taken:
                held.holds.remove(hold)
                others = any(other.thread != hold.thread for other in held.holds)
                tensor, copy = hold.value if held.holds else held.before
                if not held.holds:
                    del _held[id(held.owner), held.name]
                if not others:
                    _put_back(held.owner, held.name, tensor, copy)


def _put_back(owner: Any, name: str, tensor: Tensor | None, copy: Tensor | None) -> None:
    if getattr(owner, name) is not tensor:
        setattr(owner, name, tensor)
    if copy is not None and tensor is not None:
        # `data`, since a graph made before may have saved the buffer and would take any other write for a change
        tensor.data.copy_(copy)


def _structure(modules: Iterable[nn.Module]) -> list[Wish]:
    return [(module, MODULES, "own") for module in modules]


def _own(parameters: Iterable[nn.Parameter]) -> list[Wish]:
    """Whether parameters have gradients, but for what other threads make of them."""
    me, wishes = threading.get_ident(), list[Wish]()
    for parameter in parameters:
        held = _held.get((id(parameter), "requires_grad"))
        mine = [hold.value for hold in held.holds if hold.thread == me] if held else []
        wishes.append(
            (parameter, "requires_grad", mine[-1] if mine else held.before if held else parameter.requires_grad)
        )
    return wishes


def _check(wishes: Iterable[Wish], *, stored: bool = False) -> None:
    me = threading.get_ident()
    for owner, name, value in wishes:
        held = _held.get((id(owner), name))
        if held is None or stored or name == "grad":
            continue
        for hold in held.holds:
            if hold.thread != me and hold.value != value:
                raise NetworkBusy(
                    f"another thread uses this network, or a part of it, with {_said(name, hold.value)}, and here it "
                    f"is wanted with {_said(name, value)}; give each thread a copy, or let one follow the other"
                )


def _said(name: str, value: Any) -> str:
    match name:
        case "training":
            return f"'{'training' if value else 'evaluation'}' mode"
        case "requires_grad":
            return "gradients of its parameters" if value else "its parameters at rest"
        case "":
            return "its own modules" if value == "own" else "other activations"
        case _:
            return f"{name}={value}"


def _take(wishes: list[Wish], before: Mapping[int, Any], *, stored: bool = False) -> list[tuple[_Held, _Hold]]:
    me = threading.get_ident()
    with _lock:
        _check(wishes, stored=stored)
        taken: list[tuple[_Held, _Hold]] = []
        for owner, name, value in wishes:
            key = id(owner), name
            held = _held.get(key)
            if held is None:
                was = value if stored or name == MODULES else before.get(id(owner), getattr(owner, name))
                held = _held[key] = _Held(owner, name, was)
            hold = _Hold(me, value)
            held.holds.append(hold)
            taken.append((held, hold))
            if not stored:
                held.make(value)
        return taken


def _release(taken: list[tuple[_Held, _Hold]]) -> None:
    with _lock:
        for held, hold in reversed(taken):
            held.holds.remove(hold)
            if held.holds:
                held.make(held.holds[-1].value)
            else:
                del _held[id(held.owner), held.name]
                held.make(held.before)


def _leave(
    model: nn.Module, modules: Sequence[nn.Module], before: Mapping[int, Any], taken: list[tuple[_Held, _Hold]]
) -> None:
    """Let go; a network that does more than note its mode is told of it, as it was told by `eval`."""
    _release(taken)
    if before[id(model)] and model.training and any(_own_way(module) for module in modules):
        modes = [(module, module.training) for module in modules]
        model.train()
        for module, mode in modes:
            module.training = mode


def _own_way(module: nn.Module) -> bool:
    kind = type(module)
    return kind.train is not nn.Module.train or kind.eval is not nn.Module.eval

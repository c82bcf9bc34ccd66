"""A record of a network's forward pass, along which signals other than gradients go back to the pixels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.graph import get_gradient_edge
from torch.overrides import TorchFunctionMode

from pellucid.autograd.attention import EXPLICIT
from pellucid.errors import ConfigError
from pellucid.explainers.propagation.calls import Back, Call, Edge, Signals, Values, exchanged, name_of, tensors
from pellucid.explainers.propagation.names import AFFINE, BEFORE_LAYERS, ELEMENTWISE, PIECING
from pellucid.looking import no_gradients
from pellucid.probe import Probe

Logits = Float[Tensor, "b classes"]
Images = Float[Tensor, "b *shape"]
Treatment: TypeAlias = Callable[[Call], Back]

_ABOVE = frozenset({"gt", "ge", "greater", "greater_equal"})
_BELOW = frozenset({"lt", "le", "less", "less_equal"})
_CASTS = frozenset({"to", "type", "type_as", "float", "double", "half", "bfloat16", "clone", "detach"})
_OPPOSITES = frozenset({"logical_not", "bitwise_not", "invert"})


def propagated(
    probe: Probe, of: Tensor, treatment: Treatment, weight: Callable[[Logits], Logits]
) -> Float[Tensor, "b *shape"]:
    """What arrives at the pixels of a signal at the logit of each image's class; `weight` says how strong it is."""
    tape = Tape(probe.x, treatment)
    inside = probe.on(probe.batch, under=lambda: tape)
    logits = inside.logits
    with torch.set_grad_enabled(probe.second_order):
        signal = torch.zeros_like(logits).scatter(1, of[:, None], 1.0) * weight(logits)
        return tape.back(logits, signal)


@dataclass(frozen=True, eq=False)
class _Passage:
    """Where signals arrive, and how they go back."""

    outputs: tuple[Edge, ...]
    back: Back


class Tape(TorchFunctionMode):
    """Records, for the images `x`, the forward pass in its block; nothing that is computed there changes.

    Operations are recorded and not exchanged for some with another backward pass: what signals are multiplied by are
    values of this forward pass, and those then have their true derivatives.
    """

    def __init__(self, x: Images, treatment: Treatment) -> None:
        super().__init__()
        self.steps: list[_Passage] = []
        self._treatment = treatment
        self._x = x
        self._start = get_gradient_edge(x)
        self._seen: dict[tuple[object, int], Edge] = {}
        self._nodes: set[object] = {self._start.node}
        self._apart: set[object] = set()
        self._origins: dict[Edge, Edge] = {}
        self._signs = _Signs()
        bare = x.detach()
        black, white = torch.zeros_like(bare).requires_grad_(), torch.ones_like(bare).requires_grad_()
        self._ends: dict[Edge, tuple[Tensor, Tensor]] = {self._start: (black, white)}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and write down what hangs on the images."""
        kwargs = kwargs or {}
        inputs = self._tracked((args, kwargs))
        name, writes = name_of(func)
        if not inputs:
            given = func(*args, **kwargs)
            self._signs.see(name, args, given, inputs)
            return given
        if name in EXPLICIT:
            with self:
                return EXPLICIT[name](*args, **kwargs)
        # a tensor that is written over is kept as it was before
        kept = {edge: tensor.clone() if writes and tensor is args[0] else tensor for edge, tensor in inputs.items()}
        given, doors = self._through_doors(func, args, kwargs, inputs, writes)
        outputs: dict[Edge, Tensor] = {}
        for tensor in [args[0]] if name == "setitem" else tensors(given):
            edge = self._edge(tensor)
            if edge is not None and edge not in inputs:
                outputs[edge] = tensor
        if outputs:
            origins = {self._origins.get(edge, edge) for edge in inputs}
            origin = origins.pop() if len(origins) == 1 else None
            low, high = self._ends.get(next(iter(inputs)), (None, None)) if len(inputs) == 1 else (None, None)
            signs = self._signs.of(next(iter(inputs)), (args, kwargs)) if len(inputs) == 1 else {}
            self._write(Call(name, func, args, kwargs, kept, outputs, doors, origin, low, high, signs))
            after = self._after(name, func, args, kwargs, inputs)
            self._ends.update({} if after is None else dict.fromkeys(outputs, after))
        else:
            self._signs.see(name, args, given, inputs)
        return given

    def back(self, logits: Logits, signal: Logits) -> Images:
        """The signal that arrives at the pixels of a signal at the logits."""
        signals: dict[Edge, Tensor] = dict.fromkeys(self._tracked(logits), signal)
        if not signals:
            raise no_gradients("its logits hang on nothing that was computed of them")
        for step in reversed(self.steps):
            arrived = {edge: signals.pop(edge) for edge in step.outputs if edge in signals}
            if arrived:
                for edge, part in step.back(arrived).items():
                    signals[edge] = signals[edge] + part if edge in signals else part
        return signals[self._start] if self._start in signals else torch.zeros_like(self._x)

    def _through_doors(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        inputs: Signals,
        writes: bool,
    ) -> tuple[Any, dict[Edge, Edge]]:
        """What the function gives, and for each input an edge from which nothing but this call leads on.

        Where one summand hangs on the other, as in a residual block, the gradient for the other would else be taken
        through both.
        """
        if len(inputs) == 1:
            return func(*args, **kwargs), {edge: edge for edge in inputs}
        own = {
            edge: tensor.clone() if writes and tensor is args[0] else tensor.view_as(tensor)
            for edge, tensor in inputs.items()
        }
        doors = {edge: get_gradient_edge(tensor) for edge, tensor in own.items()}
        others = {id(tensor): own[edge] for edge, tensor in inputs.items()}
        given = func(*exchanged(args, others), **exchanged(kwargs, others))
        if writes and id(args[0]) in others:
            given = args[0].copy_(others[id(args[0])])
        return given, doors

    def _write(self, call: Call) -> None:
        self.steps.append(_Passage(tuple(call.outputs), self._treatment(call)))
        self._seen.update({(edge.node, edge.output_nr): edge for edge in call.outputs})
        self._nodes.update(edge.node for edge in call.outputs)
        if call.origin is not None and call.name in ELEMENTWISE and (call.numbers_only or call.name in PIECING):
            self._origins.update(dict.fromkeys(call.outputs, call.origin))

    def _after(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], inputs: Signals
    ) -> tuple[Values, Values] | None:
        """What has become of black and of white, as long as nothing but constants has met the pixels."""
        if (
            name not in BEFORE_LAYERS
            or (name in AFFINE and len(inputs) > 1)
            or not self._ends.keys() >= inputs.keys()
        ):
            return None
        ends: list[Any] = []
        for end in (0, 1):
            others = {id(tensor): self._ends[edge][end].clone() for edge, tensor in inputs.items()}
            ends.append(func(*exchanged(args, others), **exchanged(kwargs, others)))
        if not all(isinstance(end, Tensor) for end in ends):
            return None
        return torch.minimum(*ends), torch.maximum(*ends)

    def _tracked(self, nest: Any) -> dict[Edge, Tensor]:
        """The tensors that hang on the images, each once."""
        tracked: dict[Edge, Tensor] = {}
        for tensor in tensors(nest):
            edge = self._edge(tensor)
            if edge is None:
                continue
            if edge == self._start or (edge.node, edge.output_nr) in self._seen:
                tracked[edge] = tensor
            else:
                self._check_apart(edge.node)
        return tracked

    def _edge(self, tensor: Tensor) -> Edge | None:
        """The same edge each time that a tensor is asked about; those that PyTorch makes may differ."""
        if tensor is self._x:
            return self._start
        if tensor.grad_fn is None:
            return None
        return self._seen.get((tensor.grad_fn, tensor.output_nr)) or get_gradient_edge(tensor)

    def _check_apart(self, node: Any) -> None:
        """Whether a tensor that nobody recorded hangs on parameters only, as normalized weights do."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if node in self._nodes:
                raise ConfigError(
                    "the network computes with its images out of sight, as a custom autograd function, a compiled "
                    "module or a write through a view does; write it in functions of torch, not in place"
                )
            if node is not None and node not in self._apart:
                self._apart.add(node)
                waiting.extend(parent for parent, _ in node.next_functions)


class _Signs:
    """Remembers comparisons with zero, which have no gradient, and what they were cast to."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Tensor, Edge, bool]] = {}

    def see(self, name: str, args: Sequence[Any], given: Any, inputs: Mapping[Edge, Tensor]) -> None:
        """A call that gave something without a gradient."""
        if not isinstance(given, Tensor) or not args:
            return
        if name in _ABOVE | _BELOW and len(inputs) == 1 and len(args) == 2 and is_zero(args[1]):
            self._known[id(given)] = given, next(iter(inputs)), name in _ABOVE
        elif id(args[0]) in self._known and name in _CASTS | _OPPOSITES:
            _, edge, above = self._known[id(args[0])]
            self._known[id(given)] = given, edge, above == (name in _CASTS)

    def of(self, edge: Edge, nest: Any) -> dict[int, bool]:
        """Which tensors in arguments, by their `id`, say where this one is positive, or else where it is negative."""
        found = ((id(tensor), self._known.get(id(tensor))) for tensor in tensors(nest))
        return {number: known[2] for number, known in found if known is not None and known[1] == edge}


def is_zero(value: Any) -> bool:
    """Whether a number, or every element of a constant, is zero."""
    if isinstance(value, Tensor):
        return not value.requires_grad and not bool(value.any())
    return isinstance(value, int | float) and value == 0

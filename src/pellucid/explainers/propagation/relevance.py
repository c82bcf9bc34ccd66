"""How relevance goes back over each function that a network may call."""

from collections import Counter
from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from pellucid.errors import ConfigError, count_of
from pellucid.explainers.propagation import names
from pellucid.explainers.propagation.calls import Back, Call, Edge, Signals, tensors
from pellucid.explainers.propagation.composites import Composite
from pellucid.explainers.propagation.rules import Layer, LayerRule, stabilized
from pellucid.explainers.propagation.transposing import as_gradients_do, transposed

Normalizing: TypeAlias = Literal["merged", "unchanged"]
"""What BatchNorm is: a part of the layer before it, or nothing to relevance, as in published code."""

_RULES = {"Epsilon": "epsilon", "AlphaBeta": "alpha-beta", "Gamma": "gamma", "Box": "box", "Flat": "flat"}


class Relevance:
    """Goes back over one forward pass by the rules of a composite; it remembers that pass's layers."""

    def __init__(self, composite: Composite, epsilon: float, batch_norm: Normalizing) -> None:
        self._composite = composite
        self._epsilon = epsilon
        self._batch_norm = batch_norm
        self._layers: dict[Edge, tuple[Edge, Layer, LayerRule]] = {}  # by what they give; first, what they take
        self._uses = Counter[Edge]()
        self._scales = set[Edge]()  # what values are divided by
        self._has_first_layer = False
        self._rules = Counter[tuple[str, str]]()
        self._mixing = set[str]()

    def __call__(self, call: Call) -> Back:
        """The way back over one call. A function that is not known is an error where relevance arrives there."""
        self._uses.update(list(call.inputs))
        if call.name in names.SCALES or (call.name in names.ROUTING and self._scales.issuperset(call.inputs)):
            self._scales.update(call.outputs)
        name, alone = call.name, len(call.inputs) == 1
        if name in names.LAYERS and alone and call.argument(0, "input") in call:
            return self._layer(call)
        if name == "batch_norm" and alone and not call.argument(5, "training", False):
            return self._normalized(call)
        if name in names.PIECING and not alone and call.origin is not None:
            return _unchanged(call, call.origin)
        if alone and (name in names.ACTIVATIONS or _powers(call)):
            return _unchanged(call, *call.inputs)
        if name in names.AFFINE and alone and (call.numbers_only or call.low is not None) and not _inverse(call):
            return _unchanged(call, *call.inputs)
        if name in names.LINEAR or (alone and name in names.AFFINE and not _inverse(call)):
            return self._shared(call)
        if name in names.SUMS:
            return self._shared(call)
        if name in names.ROUTING:
            return lambda arrived: as_gradients_do(call, arrived)
        mixed = self._mixed(call)
        if mixed is not None:
            self._mixing.add(name)
        return mixed or _unknown(call)

    def _mixed(self, call: Call) -> Back | None:
        """The way back over what mixes values with each other, as transformers and gates do."""
        name, alone = call.name, len(call.inputs) == 1
        if name in names.PRODUCTS or (name in names.ADDED_PRODUCTS and call.args[0] not in call):
            return self._shared(call, factors=sum(tensor in call for tensor in tensors((call.args, call.kwargs))))
        if name in names.QUOTIENTS and call.args[0] in call:
            return _unchanged(call, _edge_of(call, call.args[0]))
        if name in names.GATES:
            return self._gated(call)
        if name == "softmax":
            return _softmax(call)
        if name in names.RESCALING and alone:
            return _unchanged(call, *call.inputs)
        return self._centered(call) if name in names.CENTERING and alone else None

    @property
    def words(self) -> str:
        """By which rule relevance goes back over how many layers of the pass, and over what else mixes values."""
        rules = [f"{rule} in {count_of(count, kind)}" for (rule, kind), count in self._rules.items()]
        own = [f"rules of their own in {', '.join(sorted(self._mixing))}"] if self._mixing else []
        return ", ".join([*rules, *own]) or "no layer that shares anything out"

    def check(self) -> None:
        """Refuse a composite whose rule for first layers has met none."""
        if self._composite.first is not None and not self._has_first_layer:
            raise ConfigError(
                "this composite has a rule for the layer that sees the pixels, and the network has none that sees "
                "pixels or pixels normalized by constants; choose one without box or flat, such as 'epsilon-plus'"
            )

    def _layer(self, call: Call) -> Back:
        ((edge, x),) = call.inputs.items()
        (output,) = call.outputs
        weight, bias = call.argument(1, "weight"), call.argument(2, "bias")
        options = {name: value for name, value in call.kwargs.items() if name not in ("input", "weight", "bias")}
        layer = Layer(call.function, x, weight, bias, call.args[3:], options, call.low, call.high)
        rule = self._composite.dense if call.name == "linear" else self._composite.convolution
        if layer.low is not None:
            self._has_first_layer = True
            rule = self._composite.first or rule
        kind = "dense layer" if call.name == "linear" else "convolution"
        self._rules[_RULES.get(type(rule).__name__, type(rule).__name__), kind] += 1
        if call.name in names.CONVOLUTIONS or (call.name == "linear" and x.dim() == 2):  # its channels come second
            self._layers[output] = edge, layer, rule
        check = _written_over(call)

        def back(arrived: Signals) -> Signals:
            check()
            return {edge: rule(layer, arrived[output])}

        return back

    def _normalized(self, call: Call) -> Back:
        ((edge, x),) = call.inputs.items()
        (output,) = call.outputs
        if self._batch_norm == "unchanged" or call.low is not None:
            return _unchanged(call, edge)
        as_layer_of_its_own = self._shared(call)
        if edge not in self._layers:
            return as_layer_of_its_own
        before, layer, rule = self._layers[edge]
        merged = layer.scaled(*_scale_and_shift(call, x))

        def back(arrived: Signals) -> Signals:
            if self._uses[edge] > 1:  # others read the layer as it is
                return as_layer_of_its_own(arrived)
            return {before: rule(merged, arrived[output])}

        return back

    def _shared(self, call: Call, factors: int = 1) -> Back:
        """In proportion to what each input contributes to a sum; constants keep their share.

        Where the summands are products of several `factors` that hang on the images, each of these has an equal part.
        """
        (output,) = call.outputs
        z = stabilized(call.output, self._epsilon)  # a new tensor, for the network may write over this one
        check = _written_over(call)

        def back(arrived: Signals) -> Signals:
            check()
            found = transposed([output], list(call.doors.values()), [arrived[output] / z])
            parts = zip(call.inputs.items(), found, strict=True)
            return {edge: x * part / factors for (edge, x), part in parts if part is not None}

        return back

    def _gated(self, call: Call) -> Back:
        """Half to each of two factors; all of it to a value that is divided by its scale."""
        values = [edge for edge in call.inputs if edge not in self._scales]
        shapes = {edge: tensor.shape for edge, tensor in call.inputs.items()}
        receiving = values or list(call.inputs)

        def back(arrived: Signals) -> Signals:
            (relevance,) = arrived.values()
            return {edge: relevance.sum_to_size(shapes[edge]) / len(receiving) for edge in receiving}

        return back

    def _centered(self, call: Call) -> Back | None:
        """In proportion to what each value contributes, its deviation being a constant; none where it is learned."""
        ((edge, x),) = call.inputs.items()
        with torch.enable_grad():
            door = x.view_as(x)
            found = _standardized(call, x, door)
        if found is None:
            return None
        check = _written_over(call)
        epsilon = self._epsilon

        def back(arrived: Signals) -> Signals:
            check()
            (relevance,) = arrived.values()
            (part,) = transposed([found], [door], [relevance / stabilized(found, epsilon)])
            assert part is not None, "outputs hang on inputs"
            return {edge: x * part}

        return back


def _unchanged(call: Call, edge: Edge) -> Back:
    """All of it to one of the inputs."""
    shape = call.inputs[edge].shape if edge in call.inputs else call.shape

    def back(arrived: Signals) -> Signals:
        (relevance,) = arrived.values()
        return {edge: relevance.sum_to_size(shape)}

    return back


def _softmax(call: Call) -> Back:
    """By the derivatives of the softmax at its inputs, which the rule of Achtibat et al. (2024) expands it to.

    What is left is the share of the terms that no input has to do with.
    """
    ((edge, x),) = call.inputs.items()
    dim, shares = call.argument(1, "dim"), call.output.view_as(call.output)
    check = _written_over(call)

    def back(arrived: Signals) -> Signals:
        check()
        (relevance,) = arrived.values()
        relevance = relevance - shares * relevance.sum(dim, keepdim=True)
        return {edge: torch.where(shares > 0, x, 0) * relevance}  # what is masked is minus infinity, and has none

    return back


def _standardized(call: Call, x: Tensor, door: Tensor) -> Tensor | None:
    """What a normalization makes of the values behind the door, with its deviation as a constant to that door."""
    if call.name == "layer_norm":
        shape, weight, bias = (
            call.argument(at, name) for at, name in enumerate(("normalized_shape", "weight", "bias"), 1)
        )
        folded, eps = (*x.shape[: x.dim() - len(shape)], -1), call.argument(4, "eps", 1e-5)
    elif call.name == "group_norm":
        groups, weight, bias = (
            call.argument(at, name) for at, name in enumerate(("num_groups", "weight", "bias"), 1)
        )
        folded, eps = (len(x), groups, -1), call.argument(4, "eps", 1e-5)
    elif call.argument(5, "use_input_stats", True):
        weight, bias = call.argument(3, "weight"), call.argument(4, "bias")
        folded, eps = (len(x), x.shape[1], -1), call.argument(7, "eps", 1e-5)
    else:
        return None
    variance = x.reshape(folded).var(-1, keepdim=True, correction=0)
    values = door.reshape(folded)
    found = ((values - values.mean(-1, keepdim=True)) * (variance + eps).rsqrt()).reshape(x.shape)
    if call.name != "layer_norm":  # a weight for each channel
        weight, bias = (None if one is None else one.reshape(-1, *[1] * (x.dim() - 2)) for one in (weight, bias))
    found = found if weight is None else found * weight
    return found if bias is None else found + bias


def _edge_of(call: Call, value: object) -> Edge:
    return next(edge for edge, tensor in call.inputs.items() if tensor is value)


def _scale_and_shift(call: Call, x: Tensor) -> tuple[Tensor, Tensor]:
    mean, variance = call.argument(1, "running_mean"), call.argument(2, "running_var")
    weight, bias = call.argument(3, "weight"), call.argument(4, "bias")
    scale = (variance + call.argument(7, "eps", 1e-5)).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    return scale.to(x.dtype), shift.to(x.dtype)


def _inverse(call: Call) -> bool:
    """Whether a constant is divided by what hangs on the images."""
    return call.name in names.QUOTIENTS and call.args[0] not in call


def _powers(call: Call) -> bool:
    """Whether each value is raised to a constant power, as squared ReLU does; scales have powers below 1."""
    if call.name == "square":
        return True
    exponent = call.argument(1, "exponent") if call.name == "pow" and call.argument(0, "input") in call else None
    return isinstance(exponent, int | float) and exponent >= 1


def _written_over(call: Call) -> Callable[[], None]:
    versions = [(tensor, tensor._version) for tensor in call.inputs.values()]

    def check() -> None:
        if any(tensor._version != version for tensor, version in versions):
            raise ConfigError(
                f"the network writes over what '{call.name}' has read, and relevance needs it; "
                "make what comes after it not in-place"
            )

    return check


def _unknown(call: Call) -> Back:
    shape = " and ".join(str(tuple(tensor.shape)) for tensor in call.inputs.values())

    def back(arrived: Signals) -> Signals:
        raise ConfigError(
            f"relevance cannot pass the function '{call.name}' of {shape}; it passes convolutions, dense layers, "
            "attention, sums and products, normalizations, pooling, activations, and what only moves values; "
            "choose another explainer, or write the network in these"
        )

    return back

"""What the tokens of a transformer attend to, and where in the image each of them lies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pellucid.autograd.attention import EXPLICIT
from pellucid.errors import ConfigError, count_of
from pellucid.explainers.explainer import Classes, Images
from pellucid.explainers.feature_layer import at_image_size
from pellucid.explainers.plane import sides
from pellucid.explainers.propagation.calls import name_of
from pellucid.explainers.quarters import BASES, bases, follows, grids, touched, with_a_quarter_changed
from pellucid.hooks import hooked
from pellucid.looking import look
from pellucid.probe import Probe

Weights = Float[Tensor, "b heads t t"]

Places = tuple[Int[Tensor, " n"], tuple[int, int]]

_known = WeakKeyDictionary[nn.Module, dict[tuple[int, ...], Places]]()
_INSTEAD = "choose 'lrp', or an explainer that reads no layer, such as 'integrated-gradients'"


@dataclass(frozen=True, eq=False)
class Attention:
    """How tokens attend to each other in each layer, from the first on; weights are those after the softmax.

    `slopes` are the derivatives of the logit of each image's class for them. `places` are the tokens that lie on a
    `grid` over the image, row by row; class tokens and registers are none of them.
    """

    weights: Sequence[Weights]
    slopes: Sequence[Weights]
    places: Int[Tensor, " n"]
    grid: tuple[int, int]

    @property
    def words(self) -> str:
        """How many layers there are, with how many heads, and how their tokens lie in the image."""
        heads = " or ".join(map(str, sorted({one.shape[1] for one in self.weights})))
        high, wide = self.grid
        beside = self.weights[0].shape[-1] - len(self.places)
        others = f", and {beside} beside it" if beside else ""
        return f"{len(self.weights)} x attention of {heads} heads, tokens on a grid of {high} x {wide}{others}"

    def at_image_size(self, flow: Float[Tensor, "b t t"], x: Images) -> Images:
        """What flows from each place to the tokens that the logit is read from, at the size of the image.

        Those are the tokens on whose attention, in the last layer, the logit hangs: the class token, say, or all.
        """
        read = self.slopes[-1].detach().abs().sum((1, 3))
        read = (read > 0).to(flow)
        read = read / read.sum(1, keepdim=True).clamp_min(1)
        found = torch.einsum("bt,btn->bn", read, flow[:, :, self.places])
        # a softmax may be computed in another precision than the rest
        return at_image_size(found.unflatten(1, self.grid).to(x.dtype), x)


def attention(owner: str, probe: Probe, of: Classes) -> Attention:
    """How a network attends to a probe's images: a pass forward, a pass back, and one to find the tokens' places."""
    sides(owner, probe.x)
    watching = _Watching()
    inside = probe.on(probe.batch, under=lambda: watching)
    inside.logits  # noqa: B018 - the pass that is watched
    weights = _checked(owner, watching.weights, len(probe.x))
    slopes = inside.slopes(of, watching.weights)
    places, grid = _places(owner, probe, weights[0].shape[-1])
    if not probe.second_order:
        weights = [one.detach() for one in weights]
    shaped = [slope.reshape(one.shape) for slope, one in zip(slopes, weights, strict=True)]
    return Attention(weights, shaped, places.to(probe.x.device), grid)


class _Watching(TorchFunctionMode):
    """Remembers what each softmax over tokens gives; fused attention is computed in plain products meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and keep what it gives where that is attention."""
        kwargs = kwargs or {}
        name, _ = name_of(func)
        if name in EXPLICIT:
            with self:
                return EXPLICIT[name](*args, **kwargs)
        given = func(*args, **kwargs)
        if name == "softmax" and isinstance(given, Tensor) and given.dim() > 2:
            dim = args[1] if len(args) > 1 else kwargs.get("dim")
            if dim in (-1, given.dim() - 1):
                self.weights.append(given)
        return given


def _checked(owner: str, weights: Sequence[Tensor], images: int) -> list[Weights]:
    """The weights with an axis for heads; an error where they are not of all tokens among each other."""
    if not weights:
        raise ConfigError(
            f"{owner} reads by which weights tokens attend to each other, and this network has no attention; "
            "choose another explainer, such as 'grad-cam'"
        )
    found = list[Tensor]()
    for one in weights:
        heads = one.unflatten(0, (images, -1)) if one.dim() == 3 and len(one) % images == 0 else one
        tokens = weights[0].shape[-1]
        if heads.dim() != 4 or len(heads) != images or heads.shape[2:] != (tokens, tokens):
            before = "" if one.shape == weights[0].shape else f", after {tuple(weights[0].shape)}"
            raise ConfigError(
                f"{owner} follows what flows among the same tokens from layer to layer, and this network attends "
                f"within windows, to fewer tokens, or over channels (weights of {tuple(one.shape)} "
                f"for {count_of(images, 'image')}{before}); {_INSTEAD}"
            )
        found.append(heads)
    return found


def _places(owner: str, probe: Probe, count: int) -> Places:
    """What `_looked_for` finds, which is the same for all images of a size."""
    known = _known.setdefault(probe.network, {})
    size = (count, *probe.x.shape[1:])
    if size not in known:
        known[size] = _looked_for(owner, probe, count)
    return known[size]


def _looked_for(owner: str, probe: Probe, count: int) -> Places:
    """Which tokens lie in the image, and how many in a column and in a row.

    Tokens are looked at before they attend for the first time, where each hangs on its own pixels and on no others.
    """
    base = bases(probe, BASES)
    rows = torch.cat([base, *with_a_quarter_changed(base)])
    watching, seen = _Watching(), list[Tensor]()

    def told(_module: nn.Module, _inputs: object, output: object) -> None:
        if not watching.weights and isinstance(output, Tensor) and output.dim() == 3:
            if output.shape[:2] == (len(rows), count):
                seen[:] = [output]
            elif output.shape[:2] == (count, len(rows)):
                seen[:] = [output.transpose(0, 1)]

    with hooked(list(probe.network.modules()), told), torch.no_grad(), watching:
        look(probe.model, rows)
    if seen:
        before, *after = seen[0].double().chunk(5)
        changes = torch.stack([(changed - before).square().sum((0, 2)) for changed in after])
        places = touched(changes)
        for grid in grids(len(places), probe.x):
            if follows(changes[:, places].unflatten(1, grid)):
                return places, grid
    raise ConfigError(
        f"{owner} draws what flows from places of the image, and the {count} tokens of this network do not lie on a "
        f"grid over it; {_INSTEAD}"
    )

"""Which layers of a network put out features of places, and what one of them says of the images.

A shape tells nothing: attention has four axes, and so have features with their channels last. What tells is how a
tensor was made, by convolutions and what else keeps the axes of images as they are; or, of all others, where a tensor
changes when a quarter of the image does.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pellucid.errors import ConfigError, ShapeError, count_of
from pellucid.explainers.explainer import Classes, Images
from pellucid.explainers.plane import sides, to_every_channel
from pellucid.explainers.propagation import names
from pellucid.explainers.propagation.calls import name_of, tensors
from pellucid.explainers.quarters import BASES, bases, follows, grids, touched, with_a_quarter_changed
from pellucid.hooks import hooked
from pellucid.looking import look
from pellucid.probe import Probe

Shape = tuple[int, ...]

_KEEPING = (
    names.ELEMENTWISE
    | {"conv2d", "conv_transpose2d", "avg_pool2d", "max_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
    | {
        "batch_norm",
        "group_norm",
        "instance_norm",
        "interpolate",
        "pad",
        "clone",
        "contiguous",
        "to",
        "float",
        "double",
    }
    # by which an activation written by hand chooses its pieces
    | {"lt", "le", "gt", "ge", "eq", "ne", "logical_and", "logical_or", "logical_not", "isnan", "sign"}
    | {"dropout", "dropout2d", "iadd", "isub", "imul", "itruediv", "truediv", "bfloat16", "half", "detach"}
)
"""Functions whose output has the height and the width of their input, in the same order."""

_READ = 12  # layers of a transformer that are recorded, from the last on
_INSTEAD = "choose an explainer that reads no layer, such as 'integrated-gradients'"


@dataclass(frozen=True)
class _Output:
    """What a layer puts out for an image; `built` is whether it was made of the image in a way that keeps places."""

    shape: Shape
    built: bool
    learned: bool

    @property
    def spread(self) -> bool:
        """Whether it has more than a single list of numbers."""
        return sum(side > 1 for side in self.shape) > 1

    @property
    def candidate(self) -> bool:
        """Whether it could be (channels, height, width), with more than one place."""
        return self.learned and len(self.shape) == 3 and self.shape[1] * self.shape[2] > 1


Layout = Callable[[Tensor], Float[Tensor, "b c h w"]]
"""From what a layer puts out to channels of places."""


@dataclass(frozen=True, eq=False)
class FeatureLayer:
    """A layer that puts out features of places, and a probe that records it; `shape` is that of one image."""

    name: str
    shape: Shape
    layout: Layout
    recorded: Probe

    @property
    def features(self) -> Float[Tensor, "b c h w"]:
        """What the layer puts out, as channels of places."""
        return self.layout(self.recorded.features(self.name))

    @property
    def words(self) -> str:
        """Its name, and how many features it puts out for how many places."""
        channels, high, wide = self.features.shape[1:]
        return f"the layer '{self.name}': {count_of(channels, 'feature')} of {high} x {wide} places"

    def slopes(self, of: Classes) -> Float[Tensor, "b c h w"]:
        """The gradient of each image's logit of its class, for these features."""
        return self.layout(self.recorded.feature_gradient(self.name, of))


def map_layers(probe: Probe) -> dict[str, Shape]:
    """The layers that put out features with places that are the image's, in the order they end.

    With each comes the shape of what it puts out for an image: maps, with channels first or last, or tokens. What
    runs before anything that has parameters, as a normalization of the images does, puts out no features.
    """
    seen = _outputs(probe)
    return {name: seen[name].shape for name in _layouts(probe, seen)}


def feature_layers(owner: str, probe: Probe, layer: str) -> Sequence[FeatureLayer]:
    """The layer that puts out features of places; where none is named, the last of them.

    Of a transformer those that come before it follow, the later ones first: where a class token is read in the end,
    no logit hangs on what the very last layer says of places.
    """
    sides(owner, probe.x)
    seen = _outputs(probe)
    name = layer or next((name for name in reversed(seen) if seen[name].learned and seen[name].spread), "")
    if name in seen and seen[name].built and seen[name].candidate:
        return [FeatureLayer(name, seen[name].shape, _as_it_is, probe.on(probe.batch, layers=(name,)))]
    # a closer look, which takes a pass over more images, only at networks that are not plainly convolutional
    layouts = _layouts(probe, seen)
    last = _last(owner, probe, layer, seen, layouts)
    names = [last] if layer or layouts[last] is _as_it_is else _of_the_stream(probe, seen, layouts, last)
    recorded = probe.on(probe.batch, layers=tuple(names))
    return [FeatureLayer(name, seen[name].shape, layouts[name], recorded) for name in names]


def _last(owner: str, probe: Probe, layer: str, seen: Mapping[str, _Output], layouts: Mapping[str, Layout]) -> str:
    known = {name: seen[name].shape for name in layouts}
    if layer and layer not in known:
        raise ConfigError(f"the layer '{layer}' {_wrong(probe, layer, seen)}; {_choice(known)}")
    if not known:
        raise ShapeError(
            f"no layer of this network puts out a map of features; {owner} reads one of (channels, height, width), "
            f"or tokens that lie in the image; {_INSTEAD}"
        )
    last = layer or list(known)[-1]
    if layer:
        return last
    later = [name for name in list(seen)[list(seen).index(last) + 1 :] if seen[name].spread]
    if later:
        raise ConfigError(
            f"after the layer '{last}' this network keeps its features otherwise than in maps of places "
            f"('{later[-1]}' puts out {_times(seen[later[-1]].shape)}), so that {owner} has no last map to read; "
            f"{_INSTEAD}, or name a layer that puts out maps: {_shown(known)}"
        )
    return last


def _of_the_stream(probe: Probe, seen: Mapping[str, _Output], layouts: Mapping[str, Layout], last: str) -> list[str]:
    """The layers up to the last that hold whole tokens: blocks and normalizations, the last first."""
    modules = dict(probe.network.named_modules())
    whole = [
        name
        for name in reversed(list(layouts))
        if seen[name].shape == seen[last].shape
        and (next(modules[name].children(), None) is not None or "norm" in type(modules[name]).__name__.lower())
    ]
    return [last, *(name for name in whole if name != last)][:_READ]


def _layouts(probe: Probe, seen: Mapping[str, _Output]) -> dict[str, Layout]:
    """How the places of layers lie in what they put out, of those layers that have places."""
    open_ = [name for name, output in seen.items() if output.learned and output.spread and not output.built]
    found = _following(probe, open_) if open_ else dict[str, Layout]()
    built: dict[str, Layout] = {name: _as_it_is for name, output in seen.items() if output.built and output.candidate}
    return {name: (built | found)[name] for name in seen if name in built or name in found}


def _as_it_is(features: Tensor) -> Tensor:
    return features


def _channels_last(features: Tensor) -> Tensor:
    return features.movedim(-1, 1)


@dataclass(frozen=True, eq=False)
class _Tokens:
    """Tokens of which some lie on a grid over the image, row by row."""

    places: Int[Tensor, " n"]
    grid: tuple[int, int]

    def __call__(self, features: Tensor) -> Tensor:
        """The tokens of the grid, as channels of places."""
        return features[:, self.places.to(features.device)].mT.unflatten(2, self.grid)


def at_image_size(values: Float[Tensor, "b h w"], x: Images) -> Images:
    """A layer's map at the size of the image: bilinear, the corners of the one on those of the other."""
    # `align_corners=False`: it is the corners of the images that coincide, not the centers of the outermost places
    wide = F.interpolate(values[:, None], x.shape[2:], mode="bilinear", align_corners=False)
    return to_every_channel(wide[:, 0], x)


def _wrong(probe: Probe, layer: str, seen: Mapping[str, _Output]) -> str:
    if layer not in dict(probe.network.named_modules()):
        return "does not exist"
    if layer not in seen:
        return "puts out no tensor with a row for each image"
    given = seen[layer]
    if len(given.shape) != 3:
        return f"puts out {_times(given.shape)}, and no channels x height x width"
    if not given.learned:
        return "puts out the pixels, which have met no weight yet"
    if given.shape[1] * given.shape[2] == 1:
        return f"puts out {_times(given.shape)}, which is a single place"
    return (
        f"puts out {_times(given.shape)}, of which no two axes follow the height and the width of the image in turn"
    )


def _choice(known: dict[str, Shape]) -> str:
    return f"the last layers that put out maps are: {_shown(known)}" if known else f"no layer does; {_INSTEAD}"


def _shown(known: dict[str, Shape]) -> str:
    return ", ".join(f"{name} ({_times(shape)})" for name, shape in list(known.items())[-8:])


def _times(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def _outputs(probe: Probe) -> dict[str, _Output]:
    """What each layer puts out for an image, in the order they end; one that is used again counts by its last use."""
    image = bases(probe, 1)
    tags, found, learned = _Tags(image), dict[str, _Output](), False

    def note(name: str, module: nn.Module, output: object) -> None:
        nonlocal learned
        learned = learned or next(module.parameters(), None) is not None
        found.pop(name, None)
        if isinstance(output, Tensor) and output.dim() > 1 and len(output) == 1:
            found[name] = _Output(tuple(output.shape[1:]), tags.placed(output), learned or tags.learned(output))

    _watch(probe, image, note, tags)
    return found


def _following(probe: Probe, names: Sequence[str]) -> dict[str, Layout]:
    """Which of these layers change where the image does, so that their places are those of the image, and how."""
    base = bases(probe, BASES)
    rows = torch.cat([base, *with_a_quarter_changed(base)])
    found, wanted, tokens = dict[str, Layout](), set(names), dict[int, _Tokens]()

    def note(name: str, module: nn.Module, output: object) -> None:
        found.pop(name, None)
        if name not in wanted or not isinstance(output, Tensor) or len(output) != len(rows):
            return
        before, *after = output.detach().double().chunk(5)
        changes = torch.stack([(changed - before).square().sum(0) for changed in after])
        if output.dim() == 4 and follows(changes.sum(1)):
            found[name] = _as_it_is
        elif output.dim() == 4 and follows(changes.sum(3)):
            found[name] = _channels_last
        elif output.dim() == 3 and (layout := _on_a_grid(changes.sum(2), tokens, probe)):
            found[name] = tokens[output.shape[1]] = layout

    _watch(probe, rows, note)
    return found


def _on_a_grid(changes: Float[Tensor, "4 t"], known: Mapping[int, _Tokens], probe: Probe) -> _Tokens | None:
    """How tokens lie in the image: as others did of as many, or as those do that hang on pixels."""
    count = changes.shape[1]
    if count in known:
        layouts = [known[count]]
    else:
        places = touched(changes)
        layouts = [_Tokens(places, grid) for grid in grids(len(places), probe.x)]
        # behind or before class tokens that have joined them since
        for one in known.values():
            own = torch.arange(len(one.places))
            layouts += [_Tokens(own + first, one.grid) for first in (count - len(own), 0) if count > len(own)]
    return next((one for one in layouts if follows(changes[:, one.places].unflatten(1, one.grid))), None)


def _watch(
    probe: Probe, x: Tensor, note: Callable[[str, nn.Module, object], None], mode: TorchFunctionMode | None = None
) -> None:
    """A forward pass at which every layer that ends is noted."""
    layers = {module: name for name, module in probe.network.named_modules() if name}

    def told(module: nn.Module, _inputs: object, output: object) -> None:
        note(layers[module], module, output)

    with hooked(layers, told), torch.no_grad(), nullcontext() if mode is None else mode:
        look(probe.model, x)


class _Tags(TorchFunctionMode):
    """Follows the image through a forward pass: what hangs on it, keeps its places, has met weights."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        # tensors are kept, so that no other comes by the number of one
        self._known: dict[int, tuple[Tensor, bool]] = {id(x): (x, True)}
        self._met: dict[int, Tensor] = {}

    def placed(self, tensor: Tensor) -> bool:
        """Whether a tensor's last two axes are the image's."""
        return self._known.get(id(tensor), (tensor, False))[1]

    def learned(self, tensor: Tensor) -> bool:
        """Whether weights have entered a tensor."""
        return id(tensor) in self._met

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and tag what it gives."""
        kwargs = kwargs or {}
        given = func(*args, **kwargs)
        name, _ = name_of(func)
        taken = list(tensors((args, kwargs)))
        written = args[0] if name == "setitem" else given
        learned = any(isinstance(tensor, nn.Parameter) or id(tensor) in self._met for tensor in taken)
        hanging = [tensor for tensor in taken if id(tensor) in self._known]
        for tensor in tensors(written):
            if learned:
                self._met[id(tensor)] = tensor
            if hanging:
                self._known[id(tensor)] = tensor, self._keeps(name, args, kwargs, hanging, tensor)
        return given

    def _keeps(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], hanging: Sequence[Tensor], given: Tensor
    ) -> bool:
        """Whether what was given has its places from the image; what is the same at every place does no harm."""
        wide = [tensor for tensor in hanging if tensor.shape[2:].numel() > 1 or tensor.dim() != 4]
        keeps = name in _KEEPING
        if name in ("cat", "concat", "concatenate", "chunk", "split"):
            position = 2 if name in ("chunk", "split") else 1
            keeps = (args[position] if len(args) > position else kwargs.get("dim", 0)) == 1
        return keeps and given.dim() == 4 and bool(wide) and all(map(self.placed, wide))

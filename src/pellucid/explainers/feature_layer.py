"""Which layers of a network put out maps in space, and what one of them says of the images."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError, ShapeError
from pellucid.explainers.explainer import Classes, Images
from pellucid.explainers.explanation import Remark
from pellucid.explainers.places import Output, Shape, following, outputs
from pellucid.explainers.plane import sides, to_every_channel
from pellucid.probe import Probe

_ROUNDING = 16  # units in the last place of the sum of a place's magnitudes
_INSTEAD = "choose an explainer that reads no layer, such as 'integrated-gradients'"


def map_layers(probe: Probe) -> dict[str, Shape]:
    """The layers that put out (channels, height, width) with places that are the image's, in the order they end.

    With each comes the shape of what it puts out for an image. What runs before anything that has parameters, as a
    normalization of the images does, puts out no features.
    """
    return _maps(probe, outputs(probe))


def at_layer(owner: str, probe: Probe, layer: str) -> tuple[Probe, str]:
    """A like probe that records a layer that puts out maps; the last such layer, where none is named."""
    sides(owner, probe.x)
    seen = outputs(probe)
    name = layer or next((name for name in reversed(seen) if seen[name].learned and seen[name].spread), "")
    if not (name in seen and seen[name].built and seen[name].candidate):
        # a closer look, which takes a pass over more images, only at networks that are not plainly convolutional
        name = _looked_for(owner, probe, layer, seen)
    return probe.on(probe.batch, layers=(name,)), name


def _looked_for(owner: str, probe: Probe, layer: str, seen: dict[str, Output]) -> str:
    known = _maps(probe, seen)
    if layer and layer not in known:
        raise ConfigError(f"the layer '{layer}' {_wrong(probe, layer, seen)}; {_choice(known)}")
    if not known:
        raise ShapeError(
            f"no layer of this network puts out a map of features; {owner} reads one of (channels, height, width); "
            f"{_INSTEAD}"
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


def _maps(probe: Probe, seen: dict[str, Output]) -> dict[str, Shape]:
    candidates = {name: output for name, output in seen.items() if output.candidate}
    open_ = {name: output for name, output in candidates.items() if not output.built}
    follow = following(probe, open_) if open_ else set[str]()
    return {name: output.shape for name, output in candidates.items() if output.built or name in follow}


@dataclass(frozen=True, eq=False)
class Weighed:
    """A layer's features times their weights for the class, `summed` over channels, and so their magnitudes."""

    layer: str
    summed: Float[Tensor, "b h w"]
    magnitude: Float[Tensor, "b h w"]

    def remarks(self, positive: bool) -> list[Remark]:
        """Whether anything is left of a map, and whether what is left is more than rounding."""
        largest = self.magnitude.flatten(1).amax(1)
        rounding = _ROUNDING * torch.finfo(self.summed.dtype).eps * largest
        canceled = (self.summed.abs().flatten(1).amax(1) <= rounding) & (largest > 0)
        against = (self.summed <= 0).flatten(1).all(1) & ~canceled & (largest > 0) & positive
        found = [
            ("the map is zero everywhere: the class does not hang on the layer '{}'", largest == 0),
            ("the map is no more than rounding: for and against the class, features of '{}' cancel", canceled),
            (
                "the map is zero everywhere: nothing at the layer '{}' speaks for the class; "
                "what speaks against it is shown with positive=false",
                against,
            ),
        ]
        return [Remark(text.format(self.layer), about) for text, about in found]


def weighed(
    owner: str, probe: Probe, of: Classes, layer: str, weights: Callable[[Tensor, Tensor], Tensor]
) -> Weighed:
    """A layer's features, with weights that `weights` makes of them and of the logit's slopes; made once a probe."""

    def make() -> tuple[Weighed, Classes]:
        recorded, name = at_layer(owner, probe, layer)
        features = recorded.features(name)
        parts = weights(features, recorded.feature_gradient(name, of)) * features
        return Weighed(name, parts.sum(1), parts.abs().sum(1)), of  # kept alive, so that no other comes by its number

    return probe.shared((owner, layer, id(of)), make)[0]


def widened(values: Float[Tensor, "b h w"], x: Images) -> Images:
    """A layer's map at the size of the image: bilinear, the corners of the one on those of the other."""
    # `align_corners=False`: it is the corners of the images that coincide, not the centers of the outermost places
    wide = F.interpolate(values[:, None], x.shape[2:], mode="bilinear", align_corners=False)
    return to_every_channel(wide[:, 0], x)


def _wrong(probe: Probe, layer: str, seen: dict[str, Output]) -> str:
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

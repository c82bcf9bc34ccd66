"""Which layers of a network put out maps in space, and what one of them says of the images."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import ConfigError, ShapeError
from pellucid.explain.explainer import Images, images
from pellucid.explain.plane import sides, to_every_channel
from pellucid.probe import Probe


def map_layers(probe: Probe) -> dict[str, tuple[int, ...]]:
    """The layers that put out (images, channels, height, width) with more than one place, in the order they end.

    Found by one forward pass over the first image. With each comes the shape of what it puts out for that image. What
    runs before anything that has parameters, as a normalisation of the images does, puts out no features.
    """
    found: dict[str, tuple[int, ...]] = {}
    learnt = False
    names = {module: name for name, module in probe.network.named_modules() if name}

    def note(module: nn.Module, _inputs: object, output: object) -> None:
        nonlocal learnt
        name, learnt = names[module], learnt or next(module.parameters(), None) is not None
        found.pop(name, None)  # one that is used again counts where it ends last
        if learnt and isinstance(output, Tensor) and output.dim() == 4 and output.shape[2:].numel() > 1:
            found[name] = tuple(output.shape[1:])

    handles = [module.register_forward_hook(note) for module in names]
    try:
        with torch.no_grad():
            probe.model(images(probe)[:1])
    finally:
        for handle in handles:
            handle.remove()
    return found


def at_layer(owner: str, probe: Probe, layer: str) -> tuple[Probe, str]:
    """A like probe that records a layer that puts out maps; the last such layer, where none is named."""
    sides(owner, probe.x)
    known = map_layers(probe)
    if layer and layer not in known:
        wrong = "puts out no map of features" if layer in dict(probe.network.named_modules()) else "does not exist"
        raise ConfigError(f"the layer '{layer}' {wrong}; {_choice(known)}")
    if not known:
        raise ShapeError(
            f"no layer of this network puts out a map of features; {owner} reads one of (channels, height, width)"
        )
    name = layer or list(known)[-1]
    return probe.on(probe.batch, layers=(name,)), name


def widened(values: Float[Tensor, "b h w"], x: Images) -> Images:
    """A layer's map at the size of the image: bilinear, the corners of the one on those of the other."""
    # `align_corners=False`: it is the corners of the images that coincide, not the centres of the outermost places
    wide = F.interpolate(values[:, None], x.shape[2:], mode="bilinear", align_corners=False)
    return to_every_channel(wide[:, 0], x)


def _choice(known: dict[str, tuple[int, ...]]) -> str:
    shown = [f"{name} ({channels} x {high} x {wide})" for name, (channels, high, wide) in list(known.items())[-8:]]
    return f"the last layers that put out maps are: {', '.join(shown)}" if shown else "no layer of this network does"

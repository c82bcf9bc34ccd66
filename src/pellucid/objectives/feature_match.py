"""Features that stay what they were under attack."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.autograd import processes
from pellucid.errors import ConfigError
from pellucid.objectives.attacked import Attacked
from pellucid.objectives.gradients import cosine
from pellucid.objectives.last_features import last_features
from pellucid.objectives.objective import Term
from pellucid.papers import DONG, cites
from pellucid.probe import Probe

Distance = Literal["l2", "mean-l2", "normalized", "cosine"]


@cites(DONG)
@dataclass(frozen=True)
class FeatureMatch(Term):
    """How far the features at a layer move under attack (Dong et al. 2019), as a mean over images.

    Distances between the features of an image and those of its attacked self:

    - `l2`: the sum of the squared differences.
    - `mean-l2`: their mean, which does not grow with the width of the layer.
    - `normalized`: their sum, divided by the clean features' squared length, which counts as a constant.
    - `cosine`: one less the cosine.

    The first two shrink where the features shrink, and may be bought that way; the others see through it. With
    `stop_gradient` only the attacked features are drawn to the clean ones, not the other way round. An empty `layer`
    is what the last linear layer or convolution reads: training fills it in, and `on` does so elsewhere.
    """

    place: Attacked
    layer: str = ""
    distance: Distance = "l2"
    stop_gradient: bool = False

    @property
    def layers(self) -> tuple[str, ...]:
        """The one layer, once it has a name."""
        return (self.layer,) if self.layer else ()

    @property
    def second_order(self) -> bool:
        """Whether the term differentiates a gradient: it does not."""
        return False

    @property
    def vague(self) -> bool:
        """Whether the layer has no name yet."""
        return not self.layer

    def on(self, network: nn.Module, x: Float[Tensor, "b *shape"]) -> "FeatureMatch":
        """The same term with its layer named; `x` are images to find it with."""
        return self if self.layer else replace(self, layer=last_features(network, x))

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over images."""
        if not self.layer:
            raise ConfigError("this FeatureMatch names no layer; name one, or let term.on(network, x) find the last")
        clean = probe.features(self.layer).flatten(1)
        attacked = self.place.probe(probe).features(self.layer).flatten(1)
        return processes.mean(self._apart(clean.detach() if self.stop_gradient else clean, attacked))

    def _apart(self, clean: Float[Tensor, "b n"], attacked: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        if self.distance == "cosine":
            return 1 - cosine(clean, attacked)
        squares = (clean - attacked).square()
        if self.distance == "mean-l2":
            return squares.mean(1)
        if self.distance == "l2":
            return squares.sum(1)
        # an image that no unit answers to has features of length zero
        return squares.sum(1) / clean.detach().square().sum(1).clamp_min(torch.finfo(clean.dtype).eps)

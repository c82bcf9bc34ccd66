"""Whether a map's pixels add up to what they explain."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.explain.baseline import Baseline, baseline_of
from pellucid.explain.explainer import Explanation, Images
from pellucid.probe import frozen

_ROWS = 64


@dataclass(frozen=True, eq=False)
class Completeness:
    """For each image the sum of its map, and how far its class's logit rises from the baseline to the image."""

    total: Float[Tensor, " b"]
    rise: Float[Tensor, " b"]

    @property
    def gap(self) -> Float[Tensor, " b"]:
        """What the map adds up to beyond the rise; of a complete map it is 0."""
        return self.total - self.rise


def completeness(model: nn.Module, x: Images, found: Explanation, baseline: Baseline | Tensor = 0.0) -> Completeness:
    """How complete the maps of images are; a tensor of baselines stands for the mean of their logits."""
    with frozen(model), torch.no_grad():
        rise = _logits(model, x).gather(1, found.of[:, None])[:, 0]
        if isinstance(baseline, Tensor):
            rise = rise - _logits(model, baseline.to(x)).mean(0)[found.of]
        else:
            rise = rise - _logits(model, baseline_of(x, baseline)).gather(1, found.of[:, None])[:, 0]
    return Completeness(found.map.detach().flatten(1).sum(1), rise)


def _logits(model: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([model(part) for part in x.detach().split(_ROWS)])

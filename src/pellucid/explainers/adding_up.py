"""Whether a map's pixels add up to what they explain."""

import torch
from torch import Tensor, nn

from pellucid.explainers.baseline import Baseline, baseline_of
from pellucid.explainers.explanation import Completeness, Explanation, Images
from pellucid.looking import look
from pellucid.probe import frozen

_ROWS = 64


def completeness(model: nn.Module, x: Images, found: Explanation, baseline: Baseline | Tensor = 0.0) -> Completeness:
    """How far the maps of images add up to the rise of the logit from any baseline; from a tensor, from its mean."""
    with frozen(model), torch.no_grad():
        due = _logits(model, x).gather(1, found.of[:, None])[:, 0]
        if isinstance(baseline, Tensor):
            due = due - _logits(model, baseline.to(x)).mean(0)[found.of]
        else:
            due = due - _logits(model, baseline_of(x, baseline, model)).gather(1, found.of[:, None])[:, 0]
    return Completeness(found.map.detach().flatten(1).sum(1), due)


def _logits(model: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([look(model, part) for part in x.detach().split(_ROWS)])

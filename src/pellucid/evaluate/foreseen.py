"""How many passes explaining takes, told before it begins."""

import math
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.data import Split, TensorSplit
from pellucid.evaluate.counting import passes_of
from pellucid.evaluate.explanations import Metric, Passes, judge
from pellucid.explainers import Explainer, Gradient
from pellucid.explainers.explainer import Classes, Images
from pellucid.probe import Probe


def passes_to_explain(explainer: Explainer, x: Float[Tensor, "1 *shape"], classes: int) -> Passes | None:
    """The passes that an image like this takes for one class; none where they hang on the network.

    What an explainer learns from is left out.
    """
    if (declared := explainer.forwards(x)) is not None:
        return Passes(declared)

    def ask(model: nn.Module, split: Split) -> None:
        (batch,) = split.batches([torch.arange(1)])
        ready = explainer.fit(model, batch.x) if explainer.learns else explainer
        ready.on(model, batch, "predicted")

    return _known(x, classes, ask)


def passes_to_learn(explainer: Explainer, x: Float[Tensor, "1 *shape"], classes: int, images: int) -> Passes:
    """The passes that learning from so many images takes; none where it takes none, or nobody knows."""
    if not explainer.learns:
        return Passes()

    def ask(model: nn.Module, split: Split) -> None:
        (batch,) = split.batches([torch.arange(1)])
        explainer.fit(model, batch.x)

    one = _known(x, classes, ask) or Passes()
    return Passes(one.forwards * images, one.backwards * images, one.differentiated * images)


def passes_to_judge(
    metrics: Mapping[str, Metric], explainer: Explainer | None, x: Float[Tensor, "1 *shape"], classes: int
) -> Passes | None:
    """The passes that an image takes to be explained and judged by all metrics; none where nobody knows.

    Without an explainer there are maps already.
    """
    declared = None if explainer is None else explainer.forwards(x)
    standing = None if explainer is None or declared is None else _StandIn(explainer)

    def ask(model: nn.Module, split: Split) -> None:
        (batch,) = split.batches([torch.arange(1)])
        ready = explainer.fit(model, batch.x) if explainer is not None and explainer.learns else explainer
        if standing is not None:
            standing.begin()
        judge(model, split, metrics, explainer=standing or ready or _StandIn(Gradient()))

    found = _known(x, classes, ask)
    if found is None or standing is None or declared is None:
        return found
    # of each explanation one pass, over the image, has been counted
    return Passes(
        found.forwards + standing.asked * (declared - 1),
        found.backwards + standing.differentiated * declared,
        found.differentiated,
    )


def _known(x: Tensor, classes: int, ask: Callable[[nn.Module, Split], object]) -> Passes | None:
    if x.dim() != 4:
        return None
    pixels = (255 * x[:1].detach().float().clamp(0, 1)).round().byte()
    names = tuple(map(str, range(classes)))
    found = passes_of(TensorSplit(pixels, torch.zeros(1, dtype=torch.long, device=x.device), names), 1, ask)
    return None if found == Passes() else found


class _StandIn(Explainer):
    """Asked instead of an explainer that takes thousands of passes: it counts how often."""

    def __init__(self, like: Explainer) -> None:
        self._like = like
        self.begin()

    def begin(self) -> None:
        """Count from 0."""
        self.asked = self.differentiated = 0

    @property
    def random(self) -> bool:
        """As it is of the explainer itself."""
        return self._like.random

    @property
    def differentiable(self) -> bool:
        """As it is of the explainer itself."""
        return self._like.differentiable

    @property
    def signed(self) -> bool:
        """As it is of the explainer itself."""
        return self._like.signed

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The images, which differ from place to place and can be differentiated."""
        self.asked += len(of)
        self.differentiated += len(of) * probe.second_order
        return probe.x * math.pi

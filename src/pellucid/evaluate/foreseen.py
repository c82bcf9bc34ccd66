"""How many passes explaining takes, told before it begins."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from pellucid.data import Split, sequential
from pellucid.evaluate.counting import passes_of, passes_of_maps, passes_of_scores
from pellucid.evaluate.explanations import Metric, Passes
from pellucid.explainers import Explainer, Gradient


def passes_to_explain(explainer: Explainer, x: Float[Tensor, "1 *shape"], classes: int) -> Passes | None:
    """The passes that an image like this takes for one class; none where they hang on the network.

    What an explainer learns from is left out.
    """
    if (declared := explainer.forwards(x)) is not None:
        return Passes(declared)
    return None if x.dim() != 4 else passes_of_maps(explainer, _shape(x), classes) or None


def passes_to_learn(explainer: Explainer, x: Float[Tensor, "1 *shape"], classes: int, images: int) -> Passes:
    """The passes that learning from so many images takes; none where it takes none, or nobody knows."""
    if not explainer.learns or x.dim() != 4:
        return Passes()

    def ask(model: nn.Module, split: Split) -> None:
        (batch,) = split.batches(sequential(split, len(split)))
        explainer.fit(model, batch.x)

    return passes_of(_shape(x), classes, ask) * images


def passes_to_judge(
    metrics: Mapping[str, Metric], explainer: Explainer | None, x: Float[Tensor, "1 *shape"], classes: int
) -> Passes | None:
    """The passes that an image takes to be explained and judged by all metrics; none where nobody knows.

    Without an explainer there are maps already.
    """
    maps = Passes(1) if explainer is None else passes_to_explain(explainer, x, classes)
    if maps is None or x.dim() != 4:
        return None
    asked = explainer or Gradient()
    return sum((passes_of_scores(metric, asked, _shape(x), classes) for metric in metrics.values()), maps)


def _shape(x: Tensor) -> tuple[int, int, int]:
    channels, high, wide = x.shape[1:]
    return channels, high, wide

"""Explaining images in one call."""

from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.explainers.by_name import named
from pellucid.explainers.explainer import Explainer
from pellucid.explainers.explanation import Explanation, Images


def explain(
    model: nn.Module,
    images: Images | Batch,
    explainer: Explainer | str = "gradient",
    of: int | Tensor | str = "predicted",
    *,
    seed: int = 0,
    memory: int | None = None,
) -> Explanation:
    """Maps of which pixels speak for a class, one for each image.

    `explainer` is a value such as `SmoothGrad(samples=50)`, or a name that `pellucid list explainers` shows, with its
    usual settings. `of` is the class to explain: one for all images, a tensor with one for each, "predicted" (the
    largest logit), "runner-up" (the next), or, for a batch, "label". `memory` is how many bytes the network's passes
    may keep at once. What comes back has a `map` of each image, in the shape of the image, and `notes` on it. The
    network is explained in evaluation mode and left as it was.

        explanation = explain(network, x, "integrated-gradients")
    """
    chosen = named(explainer) if isinstance(explainer, str) else explainer
    if isinstance(images, Batch):
        return chosen.on(model, images, of, seed=seed, memory=memory)
    return chosen(model, images, of, seed=seed, memory=memory)

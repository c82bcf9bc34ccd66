"""Whether a prediction rests on neurons that usually mean the class that is predicted."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.metrics.neurons.class_similarity import ClassSimilarity, Identity
from pellucid.metrics.neurons.reading import Reading
from pellucid.metrics.neurons.top_sets import check_activations, top_sets, weights_of


def meanings(
    activations: Float[Tensor, "images neurons"],
    labels: Int[Tensor, " labels"],
    similarity: ClassSimilarity = Identity(),
    *,
    classes: tuple[str, ...],
    how: Reading = Reading(),
) -> Float[Tensor, "neurons classes"]:
    """How much each neuron usually means each class: how like it are the classes of the images that activate it.

    A dead neuron means nothing: its row is zero.
    """
    activations, labels = activations.detach().cpu(), labels.cpu()
    check_activations(activations, labels, len(classes))
    count = how.count(len(labels), len(labels.unique()))
    sets = top_sets(activations, labels, len(classes), count)
    shares = sets.shares(weights_of(labels, len(classes), balance=how.balance))
    alive = activations.amax(0) > activations.amin(0)
    return (shares @ similarity.matrix(classes)) * alive[:, None]


def support(
    differences: Float[Tensor, "images neurons"],
    predicted: Int[Tensor, " images"],
    meanings: Float[Tensor, "neurons classes"],
) -> tuple[Float[Tensor, " images"], Bool[Tensor, " images"]]:
    """How far the neurons that a prediction rests on mean the class predicted, from 0 to 1; and where that is known.

    `differences` say how much of the prediction's probability goes without each neuron. Only neurons count that mean
    anything and speak for the prediction; an image without any has 0, and is not known.
    """
    weights = differences.detach().cpu().double().clamp_min(0) * (meanings.sum(1) > 0)
    largest = weights.amax(1, keepdim=True)  # tiny differences of sure predictions must not vanish in the sum
    weights = weights / torch.where(largest > 0, largest, 1)
    total = weights.sum(1)
    said = (weights * meanings[:, predicted.cpu()].T).sum(1)
    return said / torch.where(total > 0, total, 1), total > 0

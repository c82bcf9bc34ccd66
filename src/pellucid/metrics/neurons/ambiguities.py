"""Whether neurons stay with what is in a picture, or go along with what an attack makes the network say."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.errors import MeasurementError
from pellucid.metrics.estimates import Estimate
from pellucid.metrics.neurons.reading import Reading
from pellucid.metrics.neurons.top_sets import TopSets, check_activations, permuted, top_sets, weights_of


@dataclass(frozen=True, eq=False)
class Ambiguity:
    """A row for each neuron that is not dead: cosines between the classes of the images that activate it.

    `content` compares real images with the true classes of attacked ones (CS1 of Dong et al.), `target` with the
    classes that the attack was after (CS2). `content_null` and `target_null` are the same with the attacked images'
    classes permuted, on average: what two broad histograms have in common for nothing.
    """

    neuron: Int[Tensor, " n"]
    content: Float[Tensor, " n"]
    target: Float[Tensor, " n"]
    content_null: Float[Tensor, " n"]
    target_null: Float[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.neuron)

    @property
    def difference(self) -> Float[Tensor, " n"]:
        """Above 0 where a neuron stays with the content."""
        return self.content - self.target

    def means(self) -> dict[str, Estimate]:
        """Each figure over neurons: raw, above permuted labels, and the difference."""
        if not len(self):
            raise MeasurementError("all neurons of this layer are dead; nothing can be said of them")
        return {
            "content": Estimate.mean(self.content),
            "target": Estimate.mean(self.target),
            "content_above": Estimate.mean(self.content - self.content_null),
            "target_above": Estimate.mean(self.target - self.target_null),
            "difference": Estimate.mean(self.difference),
        }


def ambiguity(
    real: Float[Tensor, "images neurons"],
    labels: Int[Tensor, " labels"],
    attacked: Float[Tensor, "attacked neurons"],
    true: Int[Tensor, " attacked"],
    targets: Int[Tensor, " attacked"],
    *,
    classes: int,
    how: Reading = Reading(),
    seed: int = 0,
) -> Ambiguity:
    """What activates each neuron among real and among attacked images.

    `attacked` are the activations on images that the network was made to take for `targets`; give only those where
    that succeeded. A neuron counts as dead that says the same of all real images, or of all attacked ones.
    """
    real, labels = real.detach().cpu(), labels.cpu()
    attacked, true, targets = attacked.detach().cpu(), true.cpu(), targets.cpu()
    check_activations(real, labels, classes)
    check_activations(attacked, true, classes)
    check_activations(attacked, targets, classes)
    # classes that no image is of, nor led to, count nowhere
    present = torch.cat([labels, true, targets]).unique()
    labels, true, targets = (torch.searchsorted(present, column) for column in (labels, true, targets))
    classes = len(present)
    alive = (_varying(real) & _varying(attacked)).nonzero().squeeze(1)
    if not len(alive):
        nothing = torch.zeros(0, dtype=torch.float64)
        return Ambiguity(alive, nothing, nothing, nothing, nothing)
    own = top_sets(real[:, alive], labels, classes, how.count(len(labels), len(labels.unique())))
    shares = own.shares(weights_of(labels, classes, balance=how.balance))
    found: list[Tensor] = []
    by_chance: list[Tensor] = []
    for column in (true, targets):
        count, weights = (
            how.count(len(column), len(column.unique())),
            weights_of(column, classes, balance=how.balance),
        )
        sets = top_sets(attacked[:, alive], column, classes, count)
        found.append(_cosine(shares, sets, weights))
        draws = permuted(sets, column, draws=how.draws, seed=seed)
        by_chance.append(torch.cat([_cosine(shares, drawn, weights) for drawn in draws]).mean(0))
    return Ambiguity(alive, found[0], found[1], by_chance[0], by_chance[1])


def _varying(activations: Tensor) -> Bool[Tensor, " neurons"]:
    return activations.amax(0) > activations.amin(0)


def _cosine(shares: Tensor, sets: TopSets, weights: Tensor) -> Tensor:
    return torch.cosine_similarity(shares, sets.shares(weights), dim=-1)

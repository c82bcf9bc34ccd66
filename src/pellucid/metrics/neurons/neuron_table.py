"""How consistent neurons are: whether the images that activate one are of one class, or of classes alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import MeasurementError
from pellucid.metrics.estimates import Estimate
from pellucid.metrics.neurons.class_similarity import ClassSimilarity, Identity
from pellucid.metrics.neurons.reading import Reading
from pellucid.metrics.neurons.top_sets import TopSets, check_activations, permuted, top_sets, weights_of

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class NeuronTable:
    """A row for each neuron that is not dead, and what the rows depend on.

    `neuron` is its number in the layer, `level` its consistency, `null` what its level is on average when labels
    are permuted, `p` how often permuted labels reach its level, and `shares` how its images divide among the
    classes. `chance` is the level of a neuron that all classes activate alike; `count` images count as activating,
    of `images`. `dead` neurons say the same of every image; they have no row.
    """

    neuron: Int[Tensor, " n"]
    level: Float[Tensor, " n"]
    null: Float[Tensor, " n"]
    p: Float[Tensor, " n"]
    shares: Float[Tensor, "n classes"]
    chance: float
    count: int
    images: int
    dead: int

    def __len__(self) -> int:
        return len(self.neuron)

    @property
    def corrected(self) -> Float[Tensor, " n"]:
        """Levels with chance at 0 and one class at 1."""
        room = 1 - self.chance
        return (self.level - self.chance) / room if room > _ROUNDING else torch.zeros_like(self.level)

    @property
    def favorite(self) -> Int[Tensor, " n"]:
        """The class with the largest share, the first of equal ones."""
        return self.shares.max(1).indices if len(self) else self.neuron

    @property
    def mean(self) -> Estimate:
        """The mean level of the layer, over its neurons."""
        return Estimate.mean(self._some().level)

    @property
    def mean_corrected(self) -> Estimate:
        """The mean over neurons of the level that is corrected for chance."""
        return Estimate.mean(self._some().corrected)

    def beyond(self, alpha: float = 0.05) -> Estimate:
        """The share of neurons whose `p` is at most `alpha`; about `alpha` of them where none means anything."""
        return Estimate.proportion(int((self._some().p <= alpha).sum()), len(self))

    def order(self) -> Int[Tensor, " n"]:
        """Rows from the most consistent neuron to the least; equal ones in their order in the layer."""
        return self.level.argsort(descending=True, stable=True)

    def _some(self) -> "NeuronTable":
        if not len(self):
            raise MeasurementError(f"all {self.dead} neurons of this layer are dead; nothing can be said of them")
        return self


def consistency(
    activations: Float[Tensor, "images neurons"],
    labels: Int[Tensor, " labels"],
    similarity: ClassSimilarity = Identity(),
    *,
    classes: Sequence[str] = (),
    how: Reading = Reading(),
    seed: int = 0,
) -> NeuronTable:
    """How consistent each neuron is, from its activation on labeled images.

    `classes` are the names that labels count along; without them there are as many as the largest label says, called
    by their numbers. What permutations of labels decide follows from `seed`.
    """
    names = tuple(classes) or tuple(map(str, range(int(labels.max()) + 1 if len(labels) else 0)))
    check_activations(activations, labels, len(names))
    present = labels.unique().cpu()
    if len(present) < 2:
        raise MeasurementError(
            "all images are of one class, and so is what activates any neuron; give several classes"
        )
    activations, labels = activations.detach().cpu(), labels.cpu()
    alive = (activations.amax(0) > activations.amin(0)).nonzero().squeeze(1)
    # classes without an image count nowhere: of a thousand there are few in a handful of images
    matrix, labels = similarity.among(names, present), torch.searchsorted(present, labels)
    weights = weights_of(labels, len(present), balance=how.balance)
    count = how.count(len(labels), len(present))
    prior = torch.bincount(labels, minlength=len(present)).double() * weights
    chance = float(level(prior / prior.sum(), matrix))
    dead = activations.shape[1] - len(alive)
    about = (chance**0.5 if how.root else chance, count, len(labels), dead)
    if not len(alive):
        nothing = torch.zeros(0, dtype=torch.float64)
        return NeuronTable(alive, nothing, nothing, nothing, torch.zeros(0, len(names), dtype=torch.float64), *about)
    sets = top_sets(activations[:, alive], labels, len(present), count)
    found = levels(sets, matrix, weights, how)
    total, reached = torch.zeros_like(found), torch.zeros_like(found)
    for drawn in permuted(sets, labels, draws=how.draws, seed=seed):
        by_chance = levels(drawn, matrix, weights, how)
        total += by_chance.sum(0)
        reached += (by_chance >= found - _ROUNDING).sum(0)
    p = (1 + reached) / (1 + how.draws)
    shares = torch.zeros(len(alive), len(names), dtype=torch.float64)
    shares[:, present] = sets.shares(weights)
    return NeuronTable(alive, found, total / how.draws, p, shares, *about)


def level(
    shares: Float[Tensor, "*neurons classes"], similarity: Float[Tensor, "classes classes"]
) -> Float[Tensor, "*neurons"]:
    """The similarity of two classes that are drawn by these shares, on average: the published form, pᵀ A p."""
    return _product(shares.double(), shares.double(), _likened(similarity))


def levels(
    sets: TopSets, similarity: Float[Tensor, "classes classes"], weights: Float[Tensor, " classes"], how: Reading
) -> Float[Tensor, "*draws neurons"]:
    """The level of each neuron's images."""
    like = _likened(similarity)
    if how.estimator == "plain" or sets.count < 2:
        shares = sets.shares(weights)
        found = _product(shares, shares, like)
    else:
        found = _pairs(sets, like, weights) / _pairs(sets, _all_alike, weights)
    return found.clamp(0, 1).sqrt() if how.root else found.clamp(0, 1)


def _pairs(sets: TopSets, like: Callable[[Tensor], Tensor], weights: Tensor) -> Tensor:
    """The similarities of all ordered pairs of two different images, each pair by its chance to be chosen."""
    above, level = sets.above * weights, sets.level * weights
    left, among = sets.places
    # an image is like itself, and is no pair
    both = _product(above, above, like) - (sets.above * weights.square()).sum(-1)
    mixed = _product(above, level, like)
    neither = _product(level, level, like) - (sets.level * weights.square()).sum(-1)
    chosen = left * (left - 1) / (among * (among - 1)).clamp_min(1)
    return both + 2 * left / among * mixed + chosen * neither


def _product(these: Tensor, those: Tensor, like: Callable[[Tensor], Tensor]) -> Tensor:
    return (like(these) * those).sum(-1)


def _likened(similarity: Tensor) -> Callable[[Tensor], Tensor]:
    """Multiplies by the similarities; where no class is like another, there is nothing to multiply."""
    if torch.equal(similarity, torch.eye(len(similarity), dtype=similarity.dtype)):
        return lambda counts: counts
    return lambda counts: counts @ similarity


def _all_alike(counts: Tensor) -> Tensor:
    return counts.sum(-1, keepdim=True)

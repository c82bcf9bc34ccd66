"""The images that activate each neuron most, by class."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import LabelError, NotFinite, ShapeError, count_of
from pellucid.randomness import Noise, derive

_NEURONS = 256  # at a time
_ENTRIES = 2**22  # of a block of permutations


@dataclass(frozen=True, eq=False)
class TopSets:
    """The number of images of each class that lie above each neuron's threshold, and of those just on it.

    `count` images are wanted, and those on the threshold share what places are left: so the result is what choosing
    among equals at random comes to on average, whatever the order of the images.
    """

    above: Float[Tensor, "*draws neurons classes"]
    level: Float[Tensor, "*draws neurons classes"]
    count: int

    @property
    def places(self) -> tuple[Float[Tensor, "*draws neurons"], Float[Tensor, "*draws neurons"]]:
        """How many places are left for those on the threshold, and how many of those there are."""
        return self.count - self.above.sum(-1), self.level.sum(-1)

    def shares(self, weights: Float[Tensor, " classes"]) -> Float[Tensor, "*draws neurons classes"]:
        """The share that each class has of a neuron's images, with a weight for each image of a class."""
        left, among = self.places
        found = (self.above + (left / among)[..., None] * self.level) * weights
        return found / found.sum(-1, keepdim=True)


def top_sets(
    activations: Float[Tensor, "images neurons"], labels: Int[Tensor, " images"], classes: int, count: int
) -> TopSets:
    """The `count` images with the largest activations of each neuron."""
    above, level = [], []
    of = one_hot(labels, classes)
    for some in activations.detach().T.split(_NEURONS):
        threshold = some.contiguous().kthvalue(some.shape[1] - count + 1, dim=1, keepdim=True).values
        above.append((some > threshold).double() @ of)
        level.append((some == threshold).double() @ of)
    return TopSets(torch.cat(above), torch.cat(level), count)


def permuted(sets: TopSets, labels: Int[Tensor, " images"], *, draws: int, seed: int) -> Iterator[TopSets]:
    """The same neurons' images with permuted labels, some draws at a time.

    Of random labels those in any places are as good as the first ones, so a permutation serves all neurons.
    """
    neurons, classes = sets.above.shape
    first = sets.above.sum(1).round().long()
    last = first + sets.level.sum(1).round().long()
    noise = Noise(derive(seed, "labels"), torch.arange(draws))
    at_once = max(1, _ENTRIES // ((len(labels) + neurons) * classes))
    of = one_hot(labels, classes).float().cpu()
    for some in noise.index.split(at_once):
        orders = Noise(noise.seed, some).uniform(len(labels), dtype=torch.float64).argsort(1)
        counted = torch.nn.functional.pad(of[orders].cumsum(1), (0, 0, 1, 0)).double()
        above = counted[:, first.cpu()]
        yield TopSets(above, counted[:, last.cpu()] - above, sets.count)


def one_hot(labels: Int[Tensor, " images"], classes: int) -> Float[Tensor, "images classes"]:
    """A one for each image's class, in double precision."""
    return torch.nn.functional.one_hot(labels.long(), classes).double()


def weights_of(labels: Int[Tensor, " images"], classes: int, *, balance: bool) -> Float[Tensor, " classes"]:
    """What an image of each class counts: less where there are more, or all the same; 0 where there is none."""
    counts = torch.bincount(labels.long(), minlength=classes).double()
    if not balance:
        return (counts > 0).double()
    return torch.where(counts > 0, len(labels) / counts.clamp_min(1), 0)


def check_activations(activations: Tensor, labels: Tensor, classes: int) -> None:
    """Refuse activations and labels that say nothing of neurons."""
    if len(activations) != len(labels):
        raise ShapeError(f"there are activations of {count_of(len(activations), 'image')} and {len(labels)} labels")
    if len(activations) < 2:
        raise ShapeError(f"there are activations of {count_of(len(activations), 'image')}; give 2 or more")
    if not bool(activations.isfinite().all()):
        broken = int((~activations.isfinite()).any(0).sum())
        raise NotFinite(f"activations of {broken} neurons are NaN or infinite")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise LabelError(
            f"there is the label {low if low < 0 else high} with {count_of(classes, 'class')}; "
            f"labels run from 0 to {classes - 1}"
        )

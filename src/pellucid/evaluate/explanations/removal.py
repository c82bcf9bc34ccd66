"""Taking pixels away in an order, and what the network still says."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from pellucid.autograd.layout import channels_last
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Metric
from pellucid.explainers.room import full_pass
from pellucid.looking import as_given, look
from pellucid.memory import out_of_memory
from pellucid.randomness import Noise, derive


class ByPixel:
    """A network that on a CPU is given the channels of a pixel side by side, which its convolutions and pools prefer.

    One that calls `view` on what they put out cannot take that; when it says so it is given images as they were.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self._model = model
        self._takes = device.type == "cpu"

    def __call__(self, rows: Float[Tensor, "rows c h w"]) -> Float[Tensor, "rows classes"]:
        """The logits."""
        if self._takes:
            try:
                return as_given(self._model, channels_last(rows))
            except Exception as error:  # a network of somebody else's fails in its own way
                if out_of_memory(error):
                    raise
                self._takes = False
        return look(self._model, rows)


Ties = Literal["random", "first", "together"]
"""Which of equal pixels comes first: any, the one that comes first in the image, or none before all of them."""
Make = Callable[[Int[Tensor, " rows"], Int[Tensor, " rows"]], Float[Tensor, "rows c h w"]]
"""Changed images: the rows of the images to change, and which of its changes each is to get."""
Read = Callable[[Float[Tensor, "rows classes"], Int[Tensor, " rows"]], Tensor]
"""What is kept of logits and the classes that are asked for: one number a row."""

_APART = derive("copies") | 1  # odd, so that no two numbers of copies share an index


class Curve(Metric):
    """A metric of how the network's answer follows what is taken away: its probability of the class, or its logit."""

    of_probability: bool

    @property
    def low(self) -> float:
        """The class is never thought of."""
        return 0.0 if self.of_probability else -math.inf

    @property
    def high(self) -> float:
        """The network is sure throughout."""
        return 1.0 if self.of_probability else math.inf

    @property
    def undefined(self) -> str:
        """No order of pixels, or none that could be taken away."""
        return "the map is constant, or the image is as the fill throughout"

    @property
    def read(self) -> Read:
        """What of the network's answers is drawn."""
        return probability if self.of_probability else logit


def places(values: Float[Tensor, "b h w"], noise: Noise, ties: Ties = "random") -> Int[Tensor, "b h w"]:
    """How many pixels come before each where the largest values come first.

    Were equal pixels taken as they come, the order would tell of places in the image and not of the map.
    """
    rows = values.flatten(1)
    if ties == "together":
        falling = -rows
        place = torch.searchsorted(falling.sort(1).values, falling.contiguous(), right=True) - 1
        return place.view(values.shape)
    if ties == "random":
        shuffled = noise.stream("ties").uniform(rows.shape[1]).argsort(dim=1, stable=True)
        order = shuffled.gather(1, rows.gather(1, shuffled).argsort(dim=1, descending=True, stable=True))
    else:
        order = rows.argsort(dim=1, descending=True, stable=True)
    count = torch.arange(rows.shape[1], device=rows.device)
    return torch.empty_like(order).scatter_(1, order, count.expand_as(order)).view(values.shape)


def varied(values: Float[Tensor, "b h w"]) -> Bool[Tensor, " b"]:
    """Which maps are not constant; a constant one puts pixels in no order."""
    rows = values.flatten(1)
    return rows.amax(1) > rows.amin(1)


def revealed(
    case: Case, place: Int[Tensor, "b h w"], counts: Sequence[int], hidden: Float[Tensor, "b c h w"], read: Read
) -> Tensor:
    """What the network says where only so many first pixels are shown, and the others are those of `hidden`."""
    return _stepwise(case, place, counts, case.x, hidden, read)


def removed(
    case: Case, place: Int[Tensor, "b h w"], counts: Sequence[int], hidden: Float[Tensor, "b c h w"], read: Read
) -> Tensor:
    """What the network says where so many first pixels are those of `hidden`."""
    return _stepwise(case, place, counts, hidden, case.x, read)


def answers(
    case: Case, copies: int, make: Make, read: Read, changed: Bool[Tensor, "b copies"] | None = None
) -> Shaped[Tensor, "b copies"]:
    """What the network says of so many changed copies of each image.

    Copies of all images go together, so that every pass but the last is full, and nothing else is held. The same
    change of all images comes before the next one. Where a copy is the one before it, as `changed` says, that one's
    answer holds, and the network is not asked again.
    """
    if changed is None:
        changed = torch.ones(len(case), copies, dtype=torch.bool, device=case.x.device)
    number, image = changed.T.nonzero(as_tuple=True)
    size, found = full_pass(case.x), list[Tensor]()
    network = ByPixel(case.model, case.x.device)
    with torch.no_grad():
        for some, which in zip(image.split(size), number.split(size), strict=True):
            found.append(read(network(make(some, which)), case.of[some]))
    answered = found[0].new_zeros(copies, len(case))
    answered[changed.T] = torch.cat(found)
    latest = torch.where(changed, torch.arange(copies, device=changed.device), 0).cummax(1).values
    return answered.T.gather(1, latest)


def copies_noise(noise: Noise, image: Int[Tensor, " rows"], number: Int[Tensor, " rows"]) -> Noise:
    """Random numbers of each changed copy, which follow from its image and its number."""
    return Noise(noise.seed, noise.index[image] + _APART * (number + 1))


def probability(logits: Float[Tensor, "rows classes"], of: Int[Tensor, " rows"]) -> Float[Tensor, " rows"]:
    """The probability of the class."""
    return logit(logits.softmax(1), of)


def logit(logits: Float[Tensor, "rows classes"], of: Int[Tensor, " rows"]) -> Float[Tensor, " rows"]:
    """The logit of the class."""
    return logits.gather(1, of[:, None]).squeeze(1)


def predicted(logits: Float[Tensor, "rows classes"], of: Int[Tensor, " rows"]) -> Bool[Tensor, " rows"]:
    """Whether the network says the class."""
    return logits.argmax(1) == of


def _stepwise(
    case: Case, place: Tensor, counts: Sequence[int], first: Tensor, rest: Tensor, read: Read
) -> Float[Tensor, "b steps"]:
    upto = torch.tensor(counts, device=case.x.device)
    # where a pixel is what it becomes, as much of a digit is, its step changes nothing
    differs = (first != rest).any(1) & (place < counts[-1])
    step = torch.bucketize(place[differs], upto, right=True)
    changed = torch.zeros(len(case), len(counts), dtype=torch.bool, device=case.x.device)
    changed[differs.nonzero()[:, 0], step] = True
    changed[:, 0] = True

    def make(image: Tensor, number: Tensor) -> Tensor:
        early = place[image] < upto[number, None, None]
        return torch.where(early[:, None], first[image], rest[image])

    return answers(case, len(counts), make, read, changed)

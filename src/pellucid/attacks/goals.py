"""What an attack wants of the network's answer."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.errors import ConfigError

Logits = Float[Tensor, "b classes"]
Labels = Int[Tensor, " b"]


class Goal(ABC):
    """A condition on logits, and two ways to climb towards it.

    `y` holds the labels, or the classes to be confirmed.
    """

    registry: ClassVar[str] = "pellucid.attacks:GOALS"

    def reached(self, logits: Logits, y: Labels) -> Bool[Tensor, " b"]:
        """Whether the answer is what is wanted."""
        return self.margin(logits, y) > 0

    @property
    def single(self) -> bool:
        """Whether progress rises where margin does and nowhere else, so that climbing either is climbing both."""
        return False

    @abstractmethod
    def progress(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """A loss that never flattens, higher where the goal is nearer: what gradient attacks climb."""

    @abstractmethod
    def margin(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """How far beyond the goal: positive where it is reached, zero on the boundary."""


@dataclass(frozen=True)
class Misclassified(Goal):
    """Another class has a larger logit than the label's."""

    def progress(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The cross-entropy of the label, which rises towards the goal."""
        return F.cross_entropy(logits, y, reduction="none")

    def margin(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The largest other logit above the label's."""
        return -lead(logits, y)


@dataclass(frozen=True)
class BelowChance(Goal):
    """The label's probability is below one in the number of classes: better than random no more (BTR)."""

    @property
    def single(self) -> bool:
        """Whether margin and progress rise together: both do as the label's probability falls."""
        return True

    def progress(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The cross-entropy of the label, which rises towards the goal."""
        return F.cross_entropy(logits, y, reduction="none")

    def margin(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The log odds against the label above those of guessing, which are all but linear and never flatten."""
        own = logits.gather(1, y[:, None]).squeeze(1)
        others = logits.scatter(1, y[:, None], -math.inf).logsumexp(1)
        return others - own - math.log(logits.shape[1] - 1)


@dataclass(frozen=True)
class Confirmed(Goal):
    """The class given as the label has the largest logit; climbed as far as it goes, this explains the class."""

    def progress(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The log-probability of the class."""
        return -F.cross_entropy(logits, y, reduction="none")

    def margin(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The class's logit above the largest other one."""
        return lead(logits, y)


@dataclass(frozen=True)
class Targeted(Goal):
    """One class, the same for all images, has the largest logit."""

    of: int

    def __post_init__(self) -> None:
        if self.of < 0:
            raise ConfigError(f"of is {self.of}; classes count from 0")

    def progress(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The log-probability of the class."""
        return -F.cross_entropy(logits, self._classes(logits, y), reduction="none")

    def margin(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The class's logit above the largest other one."""
        return lead(logits, self._classes(logits, y))

    def _classes(self, logits: Tensor, y: Tensor) -> Tensor:
        if self.of >= logits.shape[1]:
            raise ConfigError(f"of is {self.of}; the network has the classes 0 to {logits.shape[1] - 1}")
        return y.new_full(y.shape, self.of)


@dataclass(frozen=True)
class HighestLoss(Goal):
    """The cross-entropy is to be as high as it gets: no image is ever done, as adversarial training wants it."""

    def progress(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The cross-entropy of the label, which the attack raises."""
        return F.cross_entropy(logits, y, reduction="none")

    def margin(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """How far beyond the goal an image is: always short of it, since a higher loss may always be found."""
        return -torch.ones_like(logits[:, 0])


@dataclass(frozen=True)
class LowestLoss(Goal):
    """The cross-entropy of a given class is to be as low as it gets; no image is ever done."""

    def progress(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """The log-probability of the class."""
        return -F.cross_entropy(logits, y, reduction="none")

    def margin(self, logits: Logits, y: Labels) -> Float[Tensor, " b"]:
        """How far beyond the goal an image is: always short of it, since a lower loss may always be found."""
        return -torch.ones_like(logits[:, 0])


def lead(logits: Logits, y: Labels) -> Float[Tensor, " b"]:
    """Each class's logit above the largest other one."""
    own = logits.gather(1, y[:, None])
    others = logits.scatter(1, y[:, None], -math.inf)
    return own.squeeze(1) - others.amax(1)

"""How levels of consistency are read off activations."""

from dataclasses import dataclass
from typing import Literal

from pellucid.errors import ConfigError

Estimator = Literal["pairs", "plain"]


@dataclass(frozen=True)
class Reading:
    """Which images count as activating, and what is made of their classes.

    The `share` of images with the largest activations count: at least `least` of them, unless a class has fewer,
    since then no neuron could be of one class only. `pairs` compares different images only, and does not depend on
    how many there are; `plain` is the published form, which also compares each image with itself. `root` takes the
    square root. With `balance` images count by how rare their class is, as though all classes had the same number
    of them. `draws` is how often labels are permuted to see what a neuron would show that knew nothing of them.
    """

    share: float = 0.01
    least: int = 50
    estimator: Estimator = "pairs"
    root: bool = False
    balance: bool = True
    draws: int = 200

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"share is {self.share:g}; it is a part of all images, above 0 and at most 1")
        if self.least < 2:
            raise ConfigError(f"least is {self.least}; a comparison takes 2 images or more")
        if self.draws < 1:
            raise ConfigError(f"draws is {self.draws}; permute the labels once or more")

    def count(self, images: int, classes: int) -> int:
        """How many images count as activating, of so many in so many classes."""
        least = max(2, min(self.least, images // max(classes, 1)))
        return min(images, max(round(self.share * images), least))

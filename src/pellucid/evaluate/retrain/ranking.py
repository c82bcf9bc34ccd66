"""What every ranking is: a frozen value that says how important each place of each image is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.data import Split, sequential
from pellucid.ledger import in_halves_on_oom
from pellucid.looking import look
from pellucid.probe import frozen

_AT_ONCE = 256  # images in a forward pass


@dataclass(frozen=True, eq=False)
class Values:
    """How important places are: a table of maps, with one plane or one per channel, and each image's row in it."""

    table: Float[Tensor, "k p h w"]
    rows: Int[Tensor, " n"]


@dataclass(frozen=True, eq=False)
class Study:
    """What rankings are made from: the network that was trained on unmodified images, and these images.

    A `folder` keeps what is dear to make.
    """

    model: nn.Module
    train: Split
    test: Split
    folder: Path

    @torch.no_grad()
    def predicted(self, split: Split) -> Int[Tensor, " n"]:
        """The class that the network sees in each image."""
        with frozen(self.model):
            looked = [
                in_halves_on_oom(lambda some: look(self.model, some.x).argmax(1), batch)
                for batch in split.batches(sequential(split, _AT_ONCE))
            ]
        return torch.cat([answers for parts in looked for answers in parts])


class Ranking(ABC):
    """A way to order the places of images. Final classes are frozen dataclasses listed in `RANKINGS`."""

    registry: ClassVar[str] = "pellucid.evaluate.retrain:RANKINGS"

    @property
    def varies(self) -> bool:
        """Whether each network's seed has an order of its own; else all seeds share one."""
        return False

    def resolved(self, shape: Sequence[int]) -> "Ranking":
        """The same ranking with numbers for what is "auto", as it ranks places of images of this shape."""
        return self

    @abstractmethod
    def values(self, study: Study, split: Split, seed: int) -> Values:
        """How important each place is in the images of a split, the training or the test images.

        What an image is in truth must not show in it: a network could read the label off what is removed.
        """


def for_all(maps: Float[Tensor, "p h w"], split: Split) -> Values:
    """One map for all images of a split."""
    return Values(maps[None], torch.zeros(len(split), dtype=torch.long, device=maps.device))

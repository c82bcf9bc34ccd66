"""What a metric is given: images, what is asked of them, and what was said."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.explainers import Explainer
from pellucid.explainers.room import full_pass
from pellucid.looking import look
from pellucid.randomness import Noise


@dataclass(frozen=True, eq=False)
class Case:
    """A network, images, the class that each was explained for, and its map.

    `maps` is empty of channels where a metric needs none; `explainer` is there where the metric may ask it more.
    """

    model: nn.Module
    batch: Batch
    of: Int[Tensor, " b"]
    maps: Float[Tensor, "b *shape"]
    explainer: Explainer | None
    seed: int
    memory: int | None = None

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def x(self) -> Float[Tensor, "b *shape"]:
        """The images whose explanations are judged."""
        return self.batch.x

    @property
    def noise(self) -> Noise:
        """Random numbers that belong to each image; a metric takes a `stream` of its own."""
        return Noise(self.seed, self.batch.index)

    def explained(self, x: Float[Tensor, "b *shape"]) -> Float[Tensor, "b *shape"]:
        """What the explainer says of changed images, about the same classes and with the same random numbers.

        So what differs between two answers is the images' doing alone.
        """
        return self.explained_by(self.model, x)

    def explained_by(self, model: nn.Module, x: Float[Tensor, "b *shape"]) -> Float[Tensor, "b *shape"]:
        """The same of another network."""
        assert self.explainer is not None, "a metric that explains says so in `needs`"
        # an explanation of an attacked or noisy image is asked for, whatever its pixels are
        return self.explainer.on(model, self.batch.at(x), self.of, seed=self.seed, memory=self.memory).map

    @torch.no_grad()
    def logits(self, x: Float[Tensor, "n *shape"]) -> Float[Tensor, "n classes"]:
        """What the network says of any number of images, as many at a time as make a full pass."""
        return torch.cat([look(self.model, part) for part in x.split(full_pass(x))])

    def parts(self, copies: int) -> Iterator["Case"]:
        """The rows that are worked on at once: as many images as fill a pass with their copies, and at least one."""
        together = max(1, full_pass(self.x) // copies)
        for first in range(0, len(self), together):
            yield self.rows(slice(first, first + together))

    def rows(self, rows: slice) -> "Case":
        """The same case with some of the images."""
        return replace(self, batch=self.batch.rows(rows), of=self.of[rows], maps=self.maps[rows])

"""The network under attack, as a search sees it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.attacks.engine import Engine, apart
from pellucid.attacks.goals import Goal
from pellucid.autograd import layout
from pellucid.batch import Batch
from pellucid.errors import NotFinite, ShapeError, count_of
from pellucid.probe import Probe, slope
from pellucid.randomness import Noise

Images = Float[Tensor, "b *shape"]
Logits = Float[Tensor, "b classes"]
Score = Callable[[Tensor, Tensor], Tensor]
"""From logits and labels to a number per image."""


@dataclass(frozen=True)
class Spent:
    """What each image of an attack has cost, and which part of a composition found its point (-1: none)."""

    forwards: Int[Tensor, " n"]
    backwards: Int[Tensor, " n"]
    part: Int[Tensor, " n"]

    @classmethod
    def zero(cls, images: int, device: torch.device) -> "Spent":
        """The cost of an attack that has not begun: no passes."""
        forwards, backwards = torch.zeros(2, images, dtype=torch.long, device=device)
        return cls(forwards, backwards, torch.full_like(forwards, -1))


@dataclass(frozen=True, eq=False)
class Victim:
    """A network and those images that are still worked on; every look at it is counted per image.

    A search looks at `searched`, the same network as its engine has prepared it; decisions fall on `model` itself.
    `rows` are the images' places in the batch that the attack began with. With `channels_last` the search lays images
    out as convolutions like them best. It is `exact` where it sees what the decision will see.
    """

    model: nn.Module
    searched: nn.Module
    x: Images
    y: Int[Tensor, " b"]
    noise: Noise
    rows: Int[Tensor, " b"]
    spent: Spent
    engine: Engine
    goal: Goal
    channels_last: bool = False
    exact: bool = True

    def __len__(self) -> int:
        return len(self.x)

    def logits(self, x: Images) -> Logits:
        """One forward pass of the search."""
        self.spent.forwards[self.rows] += 1
        with self.engine.searching(x.device), torch.no_grad():
            return self._forward(self.searched, self._laid_out(x)).to(x.dtype)

    def decision(self, x: Images) -> Logits:
        """One forward pass that counts: in full precision, of the images laid out afresh."""
        self.spent.forwards[self.rows] += 1
        with self.engine.deciding(x.device):
            return usable(self._forward(self.model, layout.channels_first(x)))

    def ascent(self, x: Images, score: Score) -> tuple[Logits, Images]:
        """The logits, and along which change of its pixels each image's score rises."""
        logits, gradients = self.pullback(x, lambda logits: _slope(score, logits, self.y)[None])
        return logits, gradients[0]

    def pullback(self, x: Images, weigh: Callable[[Tensor], Tensor]) -> tuple[Logits, Float[Tensor, "n b *shape"]]:
        """The logits, and the gradients of n weighted sums of them; `weigh` makes (n, b, classes) of the logits."""
        probe = Probe(self.searched, Batch.trusted(self._laid_out(x.detach()), self.y, {}), second_order=False)
        with torch.enable_grad(), self.engine.searching(x.device):
            logits = probe.logits
        weights = weigh(logits.detach().to(x.dtype))
        with apart(x.device):
            gradients = probe.pullback(weights.to(logits.dtype), keep=False).contiguous()
        self.spent.forwards[self.rows] += 1
        self.spent.backwards[self.rows] += len(weights)
        return logits.detach().to(x.dtype), gradients

    def take(self, chosen: Int[Tensor, " k"]) -> "Victim":
        """The same network at fewer images."""
        noise = Noise(self.noise.seed, self.noise.index[chosen])
        return replace(self, x=self.x[chosen], y=self.y[chosen], noise=noise, rows=self.rows[chosen])

    def stream(self, *words: int | str) -> "Victim":
        """The same images with other random numbers."""
        return replace(self, noise=self.noise.stream(*words))

    def _laid_out(self, x: Images) -> Images:
        return layout.channels_last(x) if self.channels_last else x

    def _forward(self, model: nn.Module, x: Images) -> Tensor:
        return Probe(model, Batch.trusted(x, self.y, {}), second_order=False).logits.detach()


def usable(logits: Logits, what: str = "an attack") -> Logits:
    """Logits that are numbers, of two classes or more; anything else would count as robust, or as explained."""
    broken = ~logits.isfinite().all(1)
    if broken.any():
        raise NotFinite(
            f"the network's logits are NaN or infinite for {int(broken.sum())} of {count_of(len(logits), 'image')}; "
            "nothing can be measured on those"
        )
    if logits.shape[1] < 2:
        raise ShapeError(f"the network has {logits.shape[1]} class; {what} needs two to choose from")
    return logits


def _slope(score: Score, logits: Logits, y: Int[Tensor, " b"]) -> Logits:
    """The gradient of each image's score with respect to its logits."""
    leaf = logits.detach().requires_grad_()
    with torch.enable_grad():
        return slope(score(leaf, y), leaf)

"""Square (Andriushchenko et al. 2020): a random search that sees logits only."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attacks.attack import Attack, check_budget
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.search import iterate, where
from pellucid.attacks.square_changes import recolored, striped, swapped, tiled
from pellucid.attacks.square_draws import AHEAD, Draws
from pellucid.attacks.square_windows import shrunk
from pellucid.attacks.victim import Images, Victim
from pellucid.errors import ConfigError, ShapeError
from pellucid.norms import L2, Linf
from pellucid.protocols import Norm


@dataclass(frozen=True)
class Square(Attack):
    """Change a random square window of the best perturbation so far; keep the change if the margin grows.

    `share` is the first window's share of the image; it is halved nine times, when the paper halves it of 10,000
    queries. The start is the first query. Settings and schedule are AutoAttack's; windows and signs are each image's
    own, where AutoAttack puts the windows of a batch at one place and never at the last row or column. For L2 it
    starts from 5 by 5 bumps, as the paper says; AutoAttack has more of them on images of few pixels.
    """

    eps: float = 8 / 255
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)
    queries: int = 5000
    share: float = 0.8

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "Square")
        if not isinstance(self.norm, Linf | L2):
            raise ConfigError(f"Square has norm={self.norm}; its windows are made for Linf and L2")
        if self.queries < 1:
            raise ConfigError(f"Square has queries={self.queries}; a search asks 1 time or more")
        if not 0 < self.share <= 1:
            raise ConfigError(f"Square has share={self.share:g}; a window takes a share of the image in (0, 1]")

    @property
    def budget(self) -> float:
        """The ball that it stays in."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """The point with the largest margin."""
        if victim.x.dim() != 4:
            shape = tuple(victim.x.shape[1:])
            raise ShapeError(f"Square needs images of (channels, height, width); these are {shape}")
        begin = striped if isinstance(self.norm, Linf) else tiled
        start = begin(victim.x, self.eps, victim.noise.stream("start"))
        state = _State(start, *self._asked(victim, start), self._luck(victim, 0))
        return iterate(victim, state, self._step, self.queries - 1)

    def _step(self, victim: Victim, state: "_State", number: int) -> "_State":
        luck = state.luck if number % AHEAD else self._luck(victim, number)
        change = recolored if isinstance(self.norm, Linf) else swapped
        share = shrunk(self.share, number / self.queries)
        new = change(victim.x, state.best, self.eps, share, Draws(luck[:, number % AHEAD]))
        margin, done = self._asked(victim, new)
        better = (margin > state.margin) & ~state.done
        best = where(better, new, state.best)
        return _State(best, torch.where(better, margin, state.margin), torch.where(better, done, state.done), luck)

    def _luck(self, victim: Victim, number: int) -> Float[Tensor, "b queries k"]:
        return Draws.ahead(victim.noise.stream("queries", number), victim.x.shape[1])

    def _asked(self, victim: Victim, x: Images) -> tuple[Float[Tensor, " b"], Bool[Tensor, " b"]]:
        logits = victim.logits(x)
        return self.goal.margin(logits, victim.y), self.goal.reached(logits, victim.y)


@dataclass(frozen=True)
class _State:
    best: Float[Tensor, "b *shape"]
    margin: Float[Tensor, " b"]
    done: Bool[Tensor, " b"]
    luck: Float[Tensor, "b queries k"]

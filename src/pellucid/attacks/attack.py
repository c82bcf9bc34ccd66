"""What every attack is: a frozen value that moves images until the network answers as its goal wants."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pellucid.attacks.engine import Engine, takes_channels_last
from pellucid.attacks.goals import Goal
from pellucid.attacks.search import where
from pellucid.attacks.victim import Images, Spent, Victim
from pellucid.batch import Batch, check_labels, count_and_shape
from pellucid.errors import ConfigError, ShapeError
from pellucid.kinds import in_single, ready
from pellucid.norms import RMS, Linf
from pellucid.probe import frozen, parameters_at_rest
from pellucid.protocols import Norm
from pellucid.randomness import Noise


@dataclass(frozen=True, eq=False)
class Perturbed:
    """What an attack came to, a row per image.

    `reached` was decided by a forward pass of its own on `x`; `distance` is how far `x` lies from the original.
    `forwards` and `backwards` are the passes that the image took part in, `part` which part of a composition found
    its point (-1 where the goal was not reached). `before` and `after` are the logits at the original and at `x`;
    `reached_at_start` says where the goal was reached from the start.
    """

    x: Images
    reached: Bool[Tensor, " b"]
    distance: Float[Tensor, " b"]
    forwards: Int[Tensor, " b"]
    backwards: Int[Tensor, " b"]
    part: Int[Tensor, " b"]
    before: Float[Tensor, "b classes"]
    after: Float[Tensor, "b classes"]
    reached_at_start: Bool[Tensor, " b"]

    def __repr__(self) -> str:
        reached = self.distance[self.reached]
        far = f", at distances from {float(reached.min()):.4g} to {float(reached.max()):.4g}" if len(reached) else ""
        return f"Perturbed({count_and_shape(self.x, 'image')}, {len(reached)} of them reached the goal{far})"


class Attack(ABC):
    """A search for images that make a network fail. Final classes are frozen dataclasses listed in `ATTACKS`.

    `norm` measures perturbations and `goal` says what is wanted.
    """

    registry: ClassVar[str] = "pellucid.attacks:ATTACKS"
    norm: Norm
    goal: Goal

    @property
    def budget(self) -> float:
        """The longest perturbation that may be returned."""
        return math.inf

    @property
    def nearest(self) -> bool:
        """Whether it looks for the nearest point, so that its distances tell of every budget."""
        return math.isinf(self.budget)

    @property
    def levels(self) -> tuple[float, ...]:
        """The budgets that the attack was carried out with; none where it knows no bound."""
        return () if math.isinf(self.budget) else (self.budget,)

    @property
    def clips(self) -> bool:
        """Whether what is returned must be an image, with pixels in [0, 1]."""
        return True

    @property
    def settles(self) -> bool:
        """Whether an image whose goal is reached from the start is left as it is."""
        return True

    @property
    def absolute(self) -> str:
        """Which of its lengths are the same for every network, where that makes its distances hang on their scale."""
        return ""

    @abstractmethod
    def search(self, victim: Victim) -> Images:
        """A point for each image, as good as the attack can find one."""

    @final
    def __call__(self, model: nn.Module, x: Images, y: Tensor, *, seed: int = 0) -> Perturbed:
        """Attack images; each one's random numbers follow from the seed and its place in the batch."""
        return self.on(model, Batch(x, y), seed=seed)

    @final
    def on(self, model: nn.Module, batch: Batch, *, seed: int = 0, engine: Engine = Engine()) -> Perturbed:
        """Attack a batch; each image's random numbers follow from the seed and its number in the split."""
        if not len(batch):
            raise ShapeError("this batch has no images; an attack needs one or more")
        if batch.y.dtype.is_floating_point or batch.y.dim() != 1:
            raise ShapeError(f"labels are {tuple(batch.y.shape)} of {batch.y.dtype}; give one whole number per image")
        check_box(self.budget, self.norm, batch.x, type(self).__name__)
        model = ready(model)
        with frozen(model), torch.no_grad():
            spent = Spent.zero(len(batch), batch.x.device)
            rows = torch.arange(len(batch), device=batch.x.device)
            noise = Noise(seed, batch.index.to(batch.x.device))
            x, layout = batch.x.detach(), takes_channels_last(model, batch.x.detach())
            single = in_single(model, x)
            exact = engine.exact and single is model
            searched = engine.prepared(single)
            victim = Victim(model, searched, x, batch.y, noise, rows, spent, engine, self.goal, layout, exact)
            before = victim.decision(victim.x)
            check_labels(victim.y, before.shape[1], "this batch")
            return self._decided(victim, before, self._searched(victim, before))

    @final
    def points(
        self,
        model: nn.Module,
        batch: Batch,
        *,
        noise: Noise,
        engine: Engine = Engine(),
    ) -> Images:
        """The points where the search ends, one per image and undecided, as training on attacked images needs them.

        No image counts as reached at the start, and the model stays in the mode that it is in.
        """
        check_box(self.budget, self.norm, batch.x, type(self).__name__)
        with parameters_at_rest(model), torch.no_grad():
            device = batch.x.device
            rows, spent = torch.arange(len(batch), device=device), Spent.zero(len(batch), device)
            x, layout = batch.x.detach(), takes_channels_last(model, batch.x.detach())
            victim = Victim(model, model, x, batch.y, noise, rows, spent, engine, self.goal, layout)
            found = self.search(victim)
            return found.clamp(0, 1) if self.clips else found

    def _searched(self, victim: Victim, before: Tensor) -> Images:
        reached = self.goal.reached(before, victim.y)
        standing = (~reached).nonzero().squeeze(1) if self.settles else victim.rows
        x = victim.x.clone()
        if len(standing):
            x[standing] = self.search(victim.take(standing))
        if self.clips:
            x = x.clamp(0, 1)
        return x

    def _decided(self, victim: Victim, before: Tensor, x: Images) -> Perturbed:
        after = victim.decision(x)
        if self.nearest:
            x, after = self._nudged(victim, x, after)
        distance = self.norm.size(x - victim.x)
        reached = self.goal.reached(after, victim.y) & within(distance, self.budget)
        reached_at_start = self.goal.reached(before, victim.y)
        if self.settles:  # these stay where they are, and have failed there, whatever a second look says
            reached = reached | reached_at_start
        spent = victim.spent
        part = where(reached, spent.part.clamp_min(0), torch.full_like(spent.part, -1))
        return Perturbed(x, reached, distance, spent.forwards, spent.backwards, part, before, after, reached_at_start)

    def _nudged(self, victim: Victim, x: Images, after: Tensor) -> tuple[Images, Tensor]:
        """The nearest points lie so close to the boundary that rounding may tip them back: push those over it."""
        for further in (1.0001, 1.001, 1.01):
            moved = (x != victim.x).flatten(1).any(1)
            short = (~self.goal.reached(after, victim.y) & moved).nonzero().squeeze(1)
            if not len(short):
                break
            some = victim.take(short)
            beyond = some.x + further * (x[short] - some.x)
            if self.clips:
                beyond = beyond.clamp(0, 1)
            logits = some.decision(beyond)
            over = self.goal.reached(logits, some.y)
            x[short[over]], after[short[over]] = beyond[over], logits[over]
        return x, after


def within(distance: Float[Tensor, " b"], eps: float) -> Bool[Tensor, " b"]:
    """Which distances are no longer than a budget, but for rounding: x + delta - x is not quite delta."""
    return distance <= eps * (1 + 1e-5) + 1e-6


def check_budget(eps: float, norm: Norm, owner: str) -> None:
    """Refuse a budget that no perturbation could use, or that lets images become any other."""
    if not (math.isfinite(eps) and eps > 0):
        raise ConfigError(f"{owner} has eps={eps:g}; a budget is a length above 0 in [0, 1] pixel units")
    if isinstance(norm, Linf | RMS) and eps > 1:
        raise ConfigError(f"{owner} has eps={eps:g}, {beyond_a_pixel(eps)}")


def check_box(budget: float, norm: Norm, x: Images, owner: str) -> None:
    """Refuse a budget within which every image could become any other."""
    widest = float(norm.size(torch.ones_like(x[:1])))
    if math.isfinite(budget) and budget > widest * (1 + 1e-6):
        raise ConfigError(f"{owner} has eps={budget:g}; images of this size are at most {widest:g} apart")


def check_steps(steps: int, owner: str) -> None:
    """Refuse a search without steps."""
    if steps < 1:
        raise ConfigError(f"{owner} has steps={steps}; a search takes 1 step or more")


def check_share_of_budget(step: float, owner: str, otherwise: str) -> None:
    """Refuse a step that leads out of the ball from wherever it starts; a number of steps was meant, most likely."""
    if not 0 <= step <= 2:
        raise ConfigError(
            f"{owner} has step={step:g}; a step is a share of eps, 2 at most, which crosses the ball, or 0 for "
            f"{otherwise}; how many there are is said by steps"
        )


def beyond_a_pixel(length: float) -> str:
    """What to say of a length that no pixel can move: it was one of the 255 levels, if it can have been."""
    meant = f"did you mean {length:g}/255?" if length <= 255 else "give 1 at most"
    return f"more than the whole range of a pixel; {meant}"

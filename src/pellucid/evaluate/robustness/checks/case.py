"""What the checks look at, with what several of them need computed once."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pellucid.attacks import Attack, Engine, Misclassified, Perturbed, Victim
from pellucid.attacks.attack import within
from pellucid.attacks.victim import Images, Logits, Score, Spent, usable
from pellucid.batch import Batch
from pellucid.explainers.room import rows_at_once
from pellucid.holds import holding
from pellucid.ledger import in_halves_on_oom
from pellucid.metrics.chance import at_least
from pellucid.norms import Linf
from pellucid.probe import Probe, frozen
from pellucid.randomness import Noise

DOUBT = 0.01
"""The probability with which chance alone may make a check name a cause, or take guessing for knowledge."""
_AT_ONCE = 64

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Case:
    """A network as it was given, some labeled images, and the attack that its robustness was measured with.

    `batch` is what most checks look at; `many` are those images and more, for what only numbers can tell. As many go
    together as there is room for, and fewer where that does not suffice.
    """

    model: nn.Module
    batch: Batch
    many: Batch
    classes: tuple[str, ...]
    attack: Attack
    seed: int

    @property
    def size(self) -> int:
        """How many images there are."""
        return len(self.batch)

    @cached_property
    def rows(self) -> int:
        """How many images go together where slopes are asked for."""
        return rows_at_once(self.model, self.batch.x)

    @property
    def noise(self) -> Noise:
        """Random numbers for each image."""
        return Noise(self.seed, self.batch.index.to(self.batch.x.device))

    @cached_property
    def logits(self) -> Logits:
        """The answers to the images."""
        return self.answers(self.batch.x)

    @cached_property
    def decisions(self) -> Int[Tensor, " many"]:
        """What the network takes each of the many images for."""
        return self.decided(self.many.x)

    def decided(self, x: Images) -> Int[Tensor, " many"]:
        """The same of other versions of them."""
        return torch.cat([self.answers(some).argmax(1) for some in x.split(_AT_ONCE)])

    @cached_property
    def chance(self) -> float:
        """The share that is right when the same answers are dealt out blindly, and no less than for any answers."""
        answered, wanted = (torch.bincount(found, minlength=1).double() for found in (self.decisions, self.many.y))
        known = min(len(answered), len(wanted))
        dealt = float((answered[:known] * wanted[:known]).sum()) / len(self.many) ** 2
        return max(dealt, 1 / len(self.classes))

    @property
    def blind(self) -> float:
        """How often guessing does as well as the network: the binomial test's probability."""
        return at_least(int((self.decisions == self.many.y).sum()), len(self.many), self.chance)

    @property
    def caveat(self) -> str:
        """What findings end with that presuppose a network which knows something, where it may be guessing."""
        return "; of a network that cannot be told from guessing this says nothing" if self.blind > DOUBT else ""

    @property
    def rounding(self) -> float:
        """How far logits may differ when the same sums are taken in another order, for a scale of 1."""
        kinds = {tensor.dtype for tensor in self.model.parameters() if tensor.is_floating_point()}
        return max([1e-4, *(8 * torch.finfo(kind).eps for kind in kinds)])

    @property
    def scale(self) -> float:
        """How large logits are: what their differences are to be compared with."""
        return 1 + float(self.logits.abs().amax())

    @cached_property
    def attacked(self) -> Perturbed:
        """What the attack comes to."""
        return self.attacked_by(self.attack, self.batch)

    def attacked_by(self, attack: Attack, batch: Batch) -> Perturbed:
        """What any attack comes to on some of the images."""
        parts = self._some_at_a_time(lambda some: attack.on(self.model, some, seed=self.seed), batch)
        columns = (torch.cat([getattr(part, column.name) for part in parts]) for column in fields(Perturbed))
        return Perturbed(*columns)

    @cached_property
    def eps(self) -> float:
        """The budget of the attack; the median distance of what it found where it has none."""
        if self.attack.levels:
            return self.attack.budget
        moved = self.attacked.reached & ~self.attacked.reached_at_start
        if moved.any():
            return float(self.attacked.distance[moved].median())
        # nothing to go by: as long as a change of every pixel by the customary 8/255
        return float(self.attack.norm.size(torch.full_like(self.batch.x[:1], 8 / 255)))

    @property
    def fallen(self) -> Bool[Tensor, " b"]:
        """The images for which the attack reached its goal within the budget."""
        return self.attacked.reached & within(self.attacked.distance, self.eps)

    def answers(self, x: Images) -> Logits:
        """The answers to any images, in evaluation mode."""
        with frozen(self.model):
            return _forward(self.model, x)

    def answers_as_given(self, x: Images) -> Logits:
        """The answers to any images, each module in the mode that it was given in."""
        with _as_given(self.model):
            return _forward(self.model, x)

    def ascent(self, x: Images, score: Score) -> tuple[Logits, Images]:
        """The logits at any points, one for each image, and along which change of pixels each image's score rises."""

        def part(some: Batch) -> tuple[Logits, Images]:
            rows, noise = torch.arange(len(some), device=x.device), Noise(self.seed, some.index)
            spent, goal = Spent.zero(len(some), x.device), self.attack.goal
            victim = Victim(self.model, self.model, some.x, some.y, noise, rows, spent, Engine(), goal)
            return victim.ascent(some.x, score)

        at = Batch.trusted(x, self.batch.y, {"index": self.batch.index.to(x.device)})
        with frozen(self.model), torch.no_grad():
            logits, gradients = zip(*self._some_at_a_time(part, at), strict=True)
        return torch.cat(logits), torch.cat(gradients)

    def _some_at_a_time(self, work: Callable[[Batch], T], batch: Batch) -> list[T]:
        starts = range(0, len(batch), self.rows)
        parts = (in_halves_on_oom(work, batch.rows(slice(start, start + self.rows))) for start in starts)
        return [part for halves in parts for part in halves]

    @cached_property
    def gradients(self) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
        """The largest entry of each image's gradient: of the cross-entropy, and of the margin to the next class."""
        goal = Misclassified()
        steep, flat = (self.ascent(self.batch.x, score)[1] for score in (goal.progress, goal.margin))
        return Linf().size(steep), Linf().size(flat)


@contextmanager
def _as_given(model: nn.Module) -> Generator[None]:
    modes = [(module, "training", module.training) for module in model.modules()]
    # frozen for what it puts back afterwards, such as the running statistics of a BatchNorm
    with frozen(model), holding(modes):
        yield


def _forward(model: nn.Module, x: Tensor) -> Tensor:
    batch = Batch.trusted(x.detach(), torch.zeros(len(x), dtype=torch.long, device=x.device), {})
    with torch.no_grad():
        parts = in_halves_on_oom(lambda some: usable(Probe(model, some, second_order=False).logits.detach()), batch)
    return torch.cat(parts)

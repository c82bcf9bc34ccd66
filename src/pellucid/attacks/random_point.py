"""A random perturbation: what any search must beat."""

from dataclasses import dataclass, field

from pellucid.attacks.attack import Attack, check_budget
from pellucid.attacks.goals import Goal, Misclassified
from pellucid.attacks.pgd import inside
from pellucid.attacks.victim import Images, Victim
from pellucid.norms import Linf
from pellucid.papers import cites
from pellucid.protocols import Norm


@cites()
@dataclass(frozen=True)
class RandomPoint(Attack):
    """A random point of the ball, drawn back into the box. `Repeat` draws more of them."""

    eps: float = 8 / 255
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "RandomPoint")

    @property
    def budget(self) -> float:
        """The ball that it draws from."""
        return self.eps

    def search(self, victim: Victim) -> Images:
        """Draw one point for each image."""
        delta = self.norm.random(victim.x, self.eps, victim.noise.stream("point"))
        return inside(victim.x, victim.x + delta, self.norm, self.eps)


def random_on_surface(victim: Victim, norm: Norm, eps: float) -> Images:
    """A random point of a ball's surface, drawn back into the box: where a search may start."""
    noise, shape, dtype = victim.noise.stream("start"), victim.x.shape[1:], victim.x.dtype
    uniform = isinstance(norm, Linf)
    delta = 2 * noise.uniform(*shape, dtype=dtype) - 1 if uniform else noise.normal(*shape, dtype=dtype)
    return (victim.x + norm.on_surface(delta, eps)).clamp(0, 1)

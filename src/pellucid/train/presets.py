"""The recipes that `pellucid train` knows by name: an objective and the settings that suit it."""

from dataclasses import dataclass, field

from pellucid.objectives import CrossEntropy, GradientNorm, JacobianNorm, Objective
from pellucid.registry import Registry
from pellucid.train.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A published method as an objective, with settings to start from."""

    summary: str
    objective: Objective
    recipe: Recipe = field(default_factory=Recipe)
    activation: str = "relu"


RECIPES: Registry[Preset] = Registry(
    "recipe",
    {
        "standard": Preset("cross-entropy alone, the baseline of all others", Objective.of(CrossEntropy())),
        "double-backprop": Preset(
            "short gradients of the loss (Drucker and LeCun 1992)",
            CrossEntropy() + 1.0 * GradientNorm(of="loss", reduction="rms"),
        ),
        "jacobian": Preset(
            "small Jacobians by one random projection (Hoffman et al. 2019)",
            CrossEntropy() + 0.01 * JacobianNorm(projections=1),
        ),
    },
)

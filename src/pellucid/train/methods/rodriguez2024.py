"""Input gradients that make robust (Rodriguez-Munoz et al. 2024): short ones, or ones that follow edges."""

from pellucid.objectives import Align, CrossEntropy, GradientNorm, Ramp
from pellucid.train.optimizers import AdamW
from pellucid.train.preset import Preset
from pellucid.train.recipe import Recipe
from pellucid.train.references import Edges
from pellucid.train.schedules import CosineSchedule

EPS = 4 / 255

# theirs, but for the rate of a batch of 1,024 and for the average of the weights, which needs some 10,000 steps
RECIPE = Recipe(optimizer=AdamW(lr=3e-3, weight_decay=0.05), schedule=CosineSchedule(warmup=0.05), clip=1.0, batch=64)
# with a corner in its activation a network has short gradients at the images and none a step away from them
OPTIONS = {"activation": "gelu"}

GRADNORM = Preset(
    "short gradients of the loss, so that no small step raises it (Rodriguez-Munoz et al. 2024)",
    # 1.2 (eps / 0.225) for pixels that were divided by their deviation of 0.225: the same, whatever the deviation
    0.8 * CrossEntropy() + Ramp(1.2 * EPS, over=0.05) * GradientNorm(of="loss", reduction="mean", norm="l1"),
    RECIPE,
    OPTIONS,
)

EDGE_REGULARIZATION = Preset(
    "gradients that lie on the edges of their image (Rodriguez-Munoz et al. 2024)",
    # signed gradients beside maps that have no negative entries, as published
    CrossEntropy() + Ramp(19.0, start=1.0) * Align(),
    RECIPE,
    OPTIONS,
    references={"reference": Edges()},
)

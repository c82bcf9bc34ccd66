"""Interpretation Regularization (Noack et al. 2021): gradients that are short and point where a teacher's maps do."""

from pellucid.objectives import Align, CrossEntropy, GradientNorm
from pellucid.train.optimizers import SGD
from pellucid.train.preset import Preset
from pellucid.train.recipe import Recipe
from pellucid.train.references import Taught
from pellucid.train.schedules import CosineSchedule

# The published weights for MNIST. The second was one for the length of a whole batch of 50 images; as the root of a
# mean of squares it belongs to no batch size.
DIRECTION = 3.0 * Align()
MAGNITUDE = 0.15 * 50**0.5 * GradientNorm(of="label-logit", reduction="rms")

# those of the published code for MNIST, which trains for 100 epochs
RECIPE = Recipe(batch=50, optimizer=SGD(lr=0.01, weight_decay=1e-5), schedule=CosineSchedule())
MAPS = {"reference": Taught()}

INTERPRETATION_REGULARIZATION = Preset(
    "short gradients in the direction of a teacher's maps (Noack et al. 2021)",
    CrossEntropy() + DIRECTION + MAGNITUDE,
    RECIPE,
    references=MAPS,
)

MAGNITUDE_ONLY = Preset(
    "the same without its direction: short gradients of logits", CrossEntropy() + MAGNITUDE, RECIPE
)

DIRECTION_ONLY = Preset(
    "the same without its length: gradients in the direction of a teacher's maps",
    CrossEntropy() + DIRECTION,
    RECIPE,
    references=MAPS,
)

"""Local Gradient Alignment (Joo et al. 2023), and the Hessian baseline that its authors compare with."""

from pellucid.objectives import CrossEntropy, HessianNorm, LocalCosine, LocalDistance
from pellucid.train.optimizers import Adam
from pellucid.train.preset import Preset
from pellucid.train.recipe import Recipe
from pellucid.train.schedules import StepSchedule

# the settings of the paper's LeNet, whose 300 epochs drop the rate after 100 and 150
RECIPE = Recipe(
    batch=128,
    optimizer=Adam(lr=1e-3, weight_decay=4e-5),
    schedule=StepSchedule(milestones=(1 / 3, 1 / 2), factor=0.1),
    clip=0.5,
)
OPTIONS = {"activation": {"name": "softplus", "beta": 3}}

LOCAL_GRADIENT_ALIGNMENT = Preset(
    "gradients that are those of a neighbor (Joo et al. 2023)",
    # the published weights, which belong to pixels as the network has normalized them
    CrossEntropy() + 0.01 * LocalDistance(units="network") + 1.0 * LocalCosine(units="network"),
    RECIPE,
    OPTIONS,
)

HESSIAN = Preset(
    "small Hessians by one random vector (Joo et al. 2023)",
    CrossEntropy() + 1e-3 * HessianNorm(probes=1, units="network"),
    RECIPE,
    OPTIONS,
)

"""What the methods are compared with."""

from pellucid.objectives import CrossEntropy, GradientNorm, JacobianNorm, Objective
from pellucid.train.preset import Preset

STANDARD = Preset("cross-entropy alone, the baseline of all others", Objective.of(CrossEntropy()))

DOUBLE_BACKPROP = Preset(
    "short gradients of the loss (Drucker and LeCun 1992)",
    CrossEntropy() + 1.0 * GradientNorm(of="loss", reduction="rms"),
)

JACOBIAN = Preset(
    "small Jacobians by one random projection (Hoffman et al. 2019)",
    CrossEntropy() + 0.01 * JacobianNorm(projections=1),
)

"""What training minimises: terms over a probe, and their algebra."""

from pellucid.objectives.cross_entropy import CrossEntropy as CrossEntropy
from pellucid.objectives.gradient_norm import GradientNorm as GradientNorm
from pellucid.objectives.jacobian_norm import JacobianNorm as JacobianNorm
from pellucid.objectives.objective import Losses as Losses
from pellucid.objectives.objective import Objective as Objective
from pellucid.objectives.objective import Term as Term
from pellucid.objectives.objective import Weighted as Weighted
from pellucid.objectives.weights import Adaptive as Adaptive
from pellucid.objectives.weights import Ramp as Ramp
from pellucid.registry import Registry

TERMS: Registry[type[Term]] = Registry(
    "term",
    {
        "cross-entropy": CrossEntropy,
        "gradient-norm": GradientNorm,
        "jacobian-norm": JacobianNorm,
    },
)

WEIGHTS: Registry[type[Ramp | Adaptive]] = Registry("weight", {"ramp": Ramp, "adaptive": Adaptive})

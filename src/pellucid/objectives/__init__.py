"""What training minimises: terms over a probe, and their algebra."""

from pellucid.objectives.align import Align as Align
from pellucid.objectives.attacked import Attacked as Attacked
from pellucid.objectives.boosted_cross_entropy import BoostedCrossEntropy as BoostedCrossEntropy
from pellucid.objectives.cross_entropy import CrossEntropy as CrossEntropy
from pellucid.objectives.divergence import Divergence as Divergence
from pellucid.objectives.feature_match import FeatureMatch as FeatureMatch
from pellucid.objectives.gradient_match import GradientMatch as GradientMatch
from pellucid.objectives.gradient_norm import GradientNorm as GradientNorm
from pellucid.objectives.hessian_norm import HessianNorm as HessianNorm
from pellucid.objectives.jacobian_norm import JacobianNorm as JacobianNorm
from pellucid.objectives.lipschitz import Lipschitz as Lipschitz
from pellucid.objectives.local_cosine import LocalCosine as LocalCosine
from pellucid.objectives.local_distance import LocalDistance as LocalDistance
from pellucid.objectives.neighbours import GaussianNeighbour as GaussianNeighbour
from pellucid.objectives.neighbours import GradientNeighbour as GradientNeighbour
from pellucid.objectives.neighbours import Neighbour as Neighbour
from pellucid.objectives.neighbours import UniformNeighbour as UniformNeighbour
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
        "align": Align,
        "boosted-cross-entropy": BoostedCrossEntropy,
        "divergence": Divergence,
        "feature-match": FeatureMatch,
        "gradient-match": GradientMatch,
        "gradient-norm": GradientNorm,
        "hessian-norm": HessianNorm,
        "jacobian-norm": JacobianNorm,
        "lipschitz": Lipschitz,
        "local-cosine": LocalCosine,
        "local-distance": LocalDistance,
    },
)

WEIGHTS: Registry[type[Ramp | Adaptive]] = Registry("weight", {"ramp": Ramp, "adaptive": Adaptive})

NEIGHBOURS: Registry[type[Neighbour]] = Registry(
    "neighbour", {"uniform": UniformNeighbour, "gaussian": GaussianNeighbour, "gradient": GradientNeighbour}
)

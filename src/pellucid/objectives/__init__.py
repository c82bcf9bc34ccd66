"""What training minimizes: terms over a probe, and their algebra."""

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
from pellucid.objectives.neighbors import GaussianNeighbor as GaussianNeighbor
from pellucid.objectives.neighbors import GradientNeighbor as GradientNeighbor
from pellucid.objectives.neighbors import Neighbor as Neighbor
from pellucid.objectives.neighbors import UniformNeighbor as UniformNeighbor
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

NEIGHBORS: Registry[type[Neighbor]] = Registry(
    "neighbor", {"uniform": UniformNeighbor, "gaussian": GaussianNeighbor, "gradient": GradientNeighbor}
)

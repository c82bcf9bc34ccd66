import pellucid.registry

from .adaptive import Adaptive as Adaptive
from .align import Align as Align
from .attacked import Attacked as Attacked
from .boosted_cross_entropy import BoostedCrossEntropy as BoostedCrossEntropy
from .cross_entropy import CrossEntropy as CrossEntropy
from .divergence import Divergence as Divergence
from .feature_match import FeatureMatch as FeatureMatch
from .gradient_match import GradientMatch as GradientMatch
from .gradient_norm import GradientNorm as GradientNorm
from .hessian_norm import HessianNorm as HessianNorm
from .jacobian_norm import JacobianNorm as JacobianNorm
from .lipschitz import Lipschitz as Lipschitz
from .local_cosine import LocalCosine as LocalCosine
from .local_distance import LocalDistance as LocalDistance
from .neighbors import GaussianNeighbor as GaussianNeighbor
from .neighbors import GradientNeighbor as GradientNeighbor
from .neighbors import Neighbor as Neighbor
from .neighbors import UniformNeighbor as UniformNeighbor
from .nuclear_norm import NuclearNorm as NuclearNorm
from .objective import Losses as Losses
from .objective import Objective as Objective
from .objective import Term as Term
from .objective import Weighted as Weighted
from .ramp import Ramp as Ramp

TERMS: pellucid.registry.Registry[type[Term]]

WEIGHTS: pellucid.registry.Registry[type[Ramp | Adaptive]]

NEIGHBORS: pellucid.registry.Registry[type[Neighbor]]

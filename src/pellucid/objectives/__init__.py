"""What training minimizes: terms over a probe, and their algebra."""

import lazy_loader

from pellucid.registry import Registry

TERMS = Registry(
    "term",
    {
        "cross-entropy": "pellucid.objectives.cross_entropy:CrossEntropy",
        "align": "pellucid.objectives.align:Align",
        "boosted-cross-entropy": "pellucid.objectives.boosted_cross_entropy:BoostedCrossEntropy",
        "divergence": "pellucid.objectives.divergence:Divergence",
        "feature-match": "pellucid.objectives.feature_match:FeatureMatch",
        "gradient-match": "pellucid.objectives.gradient_match:GradientMatch",
        "gradient-norm": "pellucid.objectives.gradient_norm:GradientNorm",
        "hessian-norm": "pellucid.objectives.hessian_norm:HessianNorm",
        "jacobian-norm": "pellucid.objectives.jacobian_norm:JacobianNorm",
        "lipschitz": "pellucid.objectives.lipschitz:Lipschitz",
        "local-cosine": "pellucid.objectives.local_cosine:LocalCosine",
        "local-distance": "pellucid.objectives.local_distance:LocalDistance",
        "nuclear-norm": "pellucid.objectives.nuclear_norm:NuclearNorm",
    },
)

WEIGHTS = Registry(
    "weight",
    {
        "ramp": "pellucid.objectives.ramp:Ramp",
        "adaptive": "pellucid.objectives.adaptive:Adaptive",
    },
)

NEIGHBORS = Registry(
    "neighbor",
    {
        "uniform": "pellucid.objectives.neighbors:UniformNeighbor",
        "gaussian": "pellucid.objectives.neighbors:GaussianNeighbor",
        "gradient": "pellucid.objectives.neighbors:GradientNeighbor",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

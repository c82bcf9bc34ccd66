"""ROAR and KAR: what networks still learn without the places that a ranking calls important, or from them alone."""

from typing import Any

import lazy_loader

from pellucid.registry import Registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

RANKINGS: Registry[Any] = Registry(
    "ranking",
    {
        "random": "pellucid.evaluate.retrain.random_order:Random",
        "variance": "pellucid.evaluate.retrain.variance:Variance",
        "normlime": "pellucid.evaluate.retrain.weights:NormLimeWeights",
        "mean-weight": "pellucid.evaluate.retrain.weights:MeanWeight",
        "explained": "pellucid.evaluate.retrain.explained:ByExplainer",
    },
)

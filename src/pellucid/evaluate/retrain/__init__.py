"""ROAR and KAR: what networks still learn without the places that a ranking calls important, or from them alone."""

from pellucid.evaluate.retrain.cells import PROTOCOLS as PROTOCOLS
from pellucid.evaluate.retrain.cells import Protocol as Protocol
from pellucid.evaluate.retrain.cells import grid as grid
from pellucid.evaluate.retrain.cells import protocols_named as protocols_named
from pellucid.evaluate.retrain.explained import Explained as Explained
from pellucid.evaluate.retrain.named import chosen as chosen
from pellucid.evaluate.retrain.random_order import Random as Random
from pellucid.evaluate.retrain.ranking import Ranking as Ranking
from pellucid.evaluate.retrain.ranking import Study as Study
from pellucid.evaluate.retrain.ranking import Values as Values
from pellucid.evaluate.retrain.ranking import for_all as for_all
from pellucid.evaluate.retrain.ranks import Unit as Unit
from pellucid.evaluate.retrain.retrained import Retrained as Retrained
from pellucid.evaluate.retrain.retraining import FRACTIONS as FRACTIONS
from pellucid.evaluate.retrain.retraining import Retraining as Retraining
from pellucid.evaluate.retrain.retraining import check_together as check_together
from pellucid.evaluate.retrain.retraining import place as place
from pellucid.evaluate.retrain.retraining import retrain as retrain
from pellucid.evaluate.retrain.retraining import retrain_steps as retrain_steps
from pellucid.evaluate.retrain.side_by_side import Factory as Factory
from pellucid.evaluate.retrain.variance import Variance as Variance
from pellucid.evaluate.retrain.weights import MeanWeight as MeanWeight
from pellucid.evaluate.retrain.weights import NormLimeWeights as NormLimeWeights
from pellucid.registry import Registry

RANKINGS: Registry[type[Ranking]] = Registry(
    "ranking",
    {
        "random": Random,
        "variance": Variance,
        "normlime": NormLimeWeights,
        "mean-weight": MeanWeight,
        "explained": Explained,
    },
)

import pellucid.registry

from .by_name import rankings_named as rankings_named
from .cells import FRACTIONS as FRACTIONS
from .cells import PROTOCOLS as PROTOCOLS
from .cells import Design as Design
from .cells import Protocol as Protocol
from .cells import protocols_named as protocols_named
from .explained import ByExplainer as ByExplainer
from .random_order import Random as Random
from .ranking import Ranking as Ranking
from .ranking import Study as Study
from .ranking import Values as Values
from .ranking import for_all as for_all
from .ranks import Unit as Unit
from .retrained import Retrained as Retrained
from .retraining import place as place
from .retraining import retrain as retrain
from .side_by_side import Factory as Factory
from .variance import Variance as Variance
from .weights import MeanWeight as MeanWeight
from .weights import NormLimeWeights as NormLimeWeights

RANKINGS: pellucid.registry.Registry[type[Ranking]]

"""Adversarial training with a consistent loss (Dong et al. 2019)."""

from pellucid.attacks import PGD
from pellucid.objectives import Attacked, CrossEntropy, FeatureMatch
from pellucid.train.preset import Preset

# one full step towards the class that the network thinks least likely, with a budget drawn anew for each batch
PLACE = Attacked(PGD(eps=0.3, steps=1, step=1, start="here"), towards="least-likely", vary=True)

CONSISTENCY = Preset(
    "features that stay the same under attack (Dong et al. 2019)",
    0.5 * CrossEntropy() + 0.5 * CrossEntropy().at(PLACE) + 0.6 * FeatureMatch(PLACE, distance="mean-l2"),
)

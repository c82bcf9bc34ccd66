"""Attacks on explanations: images that look the same, get the same answer, and have another map."""

from pellucid.attacks.explanations.aim import Aim as Aim
from pellucid.attacks.explanations.aim import TowardsMap as TowardsMap
from pellucid.attacks.explanations.attack import ExplanationAttack as ExplanationAttack
from pellucid.attacks.explanations.attack import Manipulated as Manipulated
from pellucid.attacks.explanations.center_of_mass import CenterOfMass as CenterOfMass
from pellucid.attacks.explanations.decorrelate import Decorrelate as Decorrelate
from pellucid.attacks.explanations.frame import Frame as Frame
from pellucid.attacks.explanations.top_k import TopK as TopK
from pellucid.attacks.explanations.towards import Towards as Towards
from pellucid.registry import Registry

AIMS: Registry[type[Aim]] = Registry(
    "aim",
    {
        "frame": Frame,
        "towards": Towards,
        "top-k": TopK,
        "center-of-mass": CenterOfMass,
        "decorrelate": Decorrelate,
    },
)

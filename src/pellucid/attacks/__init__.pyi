import pellucid.registry

from . import noack2021 as noack2021
from . import woods2019 as woods2019
from .apgd import APGD as APGD
from .attack import Attack as Attack
from .attack import Perturbed as Perturbed
from .auto_attack import AutoAttack as AutoAttack
from .budget import Budget as Budget
from .by_name import named as named
from .carlini_wagner import CarliniWagner as CarliniWagner
from .ddn import DDN as DDN
from .deepfool import DeepFool as DeepFool
from .engine import Engine as Engine
from .fab import FAB as FAB
from .fab_untargeted import UntargetedFAB as UntargetedFAB
from .fmn import FMN as FMN
from .gaussian_blur import GaussianBlur as GaussianBlur
from .gaussian_noise import GaussianNoise as GaussianNoise
from .goals import BelowChance as BelowChance
from .goals import Confirmed as Confirmed
from .goals import Goal as Goal
from .goals import HighestLoss as HighestLoss
from .goals import LowestLoss as LowestLoss
from .goals import Misclassified as Misclassified
from .goals import Targeted as Targeted
from .ladder import Ladder as Ladder
from .nearest import Nearest as Nearest
from .pgd import PGD as PGD
from .presets import AttackPreset as AttackPreset
from .random_point import RandomPoint as RandomPoint
from .repeat import Repeat as Repeat
from .shell import Shell as Shell
from .square import Square as Square
from .targeted_apgd import TargetedAPGD as TargetedAPGD
from .transfer import Transfer as Transfer
from .victim import Victim as Victim
from .worst_of import WorstOf as WorstOf

ATTACKS: pellucid.registry.Registry[type[Attack]]

GOALS: pellucid.registry.Registry[type[Goal]]

PRESETS: pellucid.registry.Registry[AttackPreset]

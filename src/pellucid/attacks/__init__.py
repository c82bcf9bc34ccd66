"""Attacks: searches for images that make a network fail, and baselines that do not search."""

from pellucid.attacks.attack import Attack as Attack
from pellucid.attacks.attack import Perturbed as Perturbed
from pellucid.attacks.corruption import GaussianBlur as GaussianBlur
from pellucid.attacks.corruption import GaussianNoise as GaussianNoise
from pellucid.attacks.engine import Engine as Engine
from pellucid.attacks.goals import GOALS as GOALS
from pellucid.attacks.goals import BelowChance as BelowChance
from pellucid.attacks.goals import Confirmed as Confirmed
from pellucid.attacks.goals import Goal as Goal
from pellucid.attacks.goals import Misclassified as Misclassified
from pellucid.attacks.goals import Targeted as Targeted
from pellucid.attacks.nearest import Nearest as Nearest
from pellucid.attacks.noise import RandomPoint as RandomPoint
from pellucid.attacks.pgd import PGD as PGD
from pellucid.attacks.repeat import Repeat as Repeat
from pellucid.attacks.shell import Shell as Shell
from pellucid.attacks.transfer import Transfer as Transfer
from pellucid.attacks.victim import Victim as Victim
from pellucid.attacks.worst_of import WorstOf as WorstOf
from pellucid.registry import Registry

ATTACKS: Registry[type[Attack]] = Registry(
    "attack",
    {
        "pgd": PGD,
        "nearest": Nearest,
        "shell": Shell,
        "random-point": RandomPoint,
        "gaussian-noise": GaussianNoise,
        "gaussian-blur": GaussianBlur,
        "transfer": Transfer,
        "repeat": Repeat,
        "worst-of": WorstOf,
    },
)

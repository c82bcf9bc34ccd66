"""Attacks: searches for images that make a network fail, and baselines that do not search."""

from pellucid.attacks import noack2021, woods2019
from pellucid.attacks.apgd import APGD as APGD
from pellucid.attacks.attack import Attack as Attack
from pellucid.attacks.attack import Perturbed as Perturbed
from pellucid.attacks.auto_attack import AutoAttack as AutoAttack
from pellucid.attacks.budget import Budget as Budget
from pellucid.attacks.carlini_wagner import CarliniWagner as CarliniWagner
from pellucid.attacks.ddn import DDN as DDN
from pellucid.attacks.deepfool import DeepFool as DeepFool
from pellucid.attacks.engine import Engine as Engine
from pellucid.attacks.fab import FAB as FAB
from pellucid.attacks.fab_untargeted import UntargetedFAB as UntargetedFAB
from pellucid.attacks.fmn import FMN as FMN
from pellucid.attacks.gaussian_blur import GaussianBlur as GaussianBlur
from pellucid.attacks.gaussian_noise import GaussianNoise as GaussianNoise
from pellucid.attacks.goals import GOALS as GOALS
from pellucid.attacks.goals import BelowChance as BelowChance
from pellucid.attacks.goals import Confirmed as Confirmed
from pellucid.attacks.goals import Goal as Goal
from pellucid.attacks.goals import HighestLoss as HighestLoss
from pellucid.attacks.goals import LowestLoss as LowestLoss
from pellucid.attacks.goals import Misclassified as Misclassified
from pellucid.attacks.goals import Targeted as Targeted
from pellucid.attacks.ladder import Ladder as Ladder
from pellucid.attacks.named import named as named
from pellucid.attacks.nearest import Nearest as Nearest
from pellucid.attacks.pgd import PGD as PGD
from pellucid.attacks.preset import Preset as Preset
from pellucid.attacks.random_point import RandomPoint as RandomPoint
from pellucid.attacks.repeat import Repeat as Repeat
from pellucid.attacks.shell import Shell as Shell
from pellucid.attacks.square import Square as Square
from pellucid.attacks.targeted_apgd import TargetedAPGD as TargetedAPGD
from pellucid.attacks.transfer import Transfer as Transfer
from pellucid.attacks.victim import Victim as Victim
from pellucid.attacks.worst_of import WorstOf as WorstOf
from pellucid.registry import Registry

ATTACKS: Registry[type[Attack]] = Registry(
    "attack",
    {
        "pgd": PGD,
        "apgd": APGD,
        "targeted-apgd": TargetedAPGD,
        "auto-attack": AutoAttack,
        "nearest": Nearest,
        "shell": Shell,
        "fab": FAB,
        "fab-untargeted": UntargetedFAB,
        "ddn": DDN,
        "fmn": FMN,
        "deepfool": DeepFool,
        "carlini-wagner": CarliniWagner,
        "square": Square,
        "random-point": RandomPoint,
        "gaussian-noise": GaussianNoise,
        "gaussian-blur": GaussianBlur,
        "transfer": Transfer,
        "repeat": Repeat,
        "worst-of": WorstOf,
        "ladder": Ladder,
    },
)

PRESETS: Registry[Preset] = Registry(
    "preset",
    {
        "pgd-fgsm": Preset("one step of full length (Goodfellow et al. 2015)", (PGD(steps=1, step=1, start="here"),)),
        "pgd-momentum": Preset(
            "10 steps that remember their direction (Dong et al. 2018)",
            (PGD(steps=10, step=0.1, momentum=1.0, start="here"),),
        ),
        "pgd-mnist-l2-weak": Preset("Noack et al. 2021", (noack2021.MNIST_L2_WEAK,)),
        "pgd-mnist-l2-strong": Preset("Noack et al. 2021", (noack2021.MNIST_L2_STRONG,)),
        "pgd-mnist-l2-very-strong": Preset("Noack et al. 2021", (noack2021.MNIST_L2_VERY_STRONG,)),
        "pgd-mnist-linf-weak": Preset("Noack et al. 2021", (noack2021.MNIST_LINF_WEAK,)),
        "pgd-mnist-linf-strong": Preset("Noack et al. 2021", (noack2021.MNIST_LINF_STRONG,)),
        "pgd-mnist-linf-very-strong": Preset("Noack et al. 2021", (noack2021.MNIST_LINF_VERY_STRONG,)),
        "pgd-mnist-linf-strongest": Preset("Noack et al. 2021", (noack2021.MNIST_LINF_STRONGEST,)),
        "pgd-cifar-l2-weak": Preset("Noack et al. 2021", (noack2021.CIFAR_L2_WEAK,)),
        "pgd-cifar-l2-strong": Preset("Noack et al. 2021", (noack2021.CIFAR_L2_STRONG,)),
        "pgd-cifar-l2-training": Preset("Noack et al. 2021, in training", (noack2021.CIFAR_L2_TRAINING,)),
        "pgd-cifar-linf-weak": Preset("Noack et al. 2021", (noack2021.CIFAR_LINF_WEAK,)),
        "pgd-cifar-linf-strong": Preset("Noack et al. 2021", (noack2021.CIFAR_LINF_STRONG,)),
        "fmn-published": Preset("Pintor et al. 2021", (FMN(step=1.0, losses=("margin",), published=True),)),
        "ddn-published": Preset("Rony et al. 2019", (DDN(published=True),)),
        "nearest-published": Preset(
            "both Accuracy-Robustness Areas of Woods et al. 2019",
            (woods2019.ATTACK_AREA, woods2019.BELOW_CHANCE_AREA),
        ),
        "shell-published": Preset("the explanations of Woods et al. 2019", (woods2019.EXPLANATION,)),
    },
)

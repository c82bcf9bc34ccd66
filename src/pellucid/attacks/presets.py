"""Attacks at the settings of papers, by name."""

from dataclasses import dataclass

from pellucid.attacks import noack2021, woods2019
from pellucid.attacks.attack import Attack
from pellucid.attacks.ddn import DDN
from pellucid.attacks.fmn import FMN
from pellucid.attacks.pgd import PGD


@dataclass(frozen=True)
class AttackPreset:
    """One attack or more, where their settings come from, and which lengths do not follow the network."""

    summary: str
    attacks: tuple[Attack, ...]


PGD_FGSM = AttackPreset("one step of full length (Goodfellow et al. 2015)", (PGD(steps=1, step=1, start="here"),))
PGD_MOMENTUM = AttackPreset(
    "10 steps that remember their direction (Dong et al. 2018)",
    (PGD(steps=10, step=0.1, momentum=1.0, start="here"),),
)
PGD_MNIST_L2_WEAK = AttackPreset("Noack et al. 2021", (noack2021.MNIST_L2_WEAK,))
PGD_MNIST_L2_STRONG = AttackPreset("Noack et al. 2021", (noack2021.MNIST_L2_STRONG,))
PGD_MNIST_L2_VERY_STRONG = AttackPreset("Noack et al. 2021", (noack2021.MNIST_L2_VERY_STRONG,))
PGD_MNIST_LINF_WEAK = AttackPreset("Noack et al. 2021", (noack2021.MNIST_LINF_WEAK,))
PGD_MNIST_LINF_STRONG = AttackPreset("Noack et al. 2021", (noack2021.MNIST_LINF_STRONG,))
PGD_MNIST_LINF_VERY_STRONG = AttackPreset("Noack et al. 2021", (noack2021.MNIST_LINF_VERY_STRONG,))
PGD_MNIST_LINF_STRONGEST = AttackPreset("Noack et al. 2021", (noack2021.MNIST_LINF_STRONGEST,))
PGD_CIFAR_L2_WEAK = AttackPreset("Noack et al. 2021", (noack2021.CIFAR_L2_WEAK,))
PGD_CIFAR_L2_STRONG = AttackPreset("Noack et al. 2021", (noack2021.CIFAR_L2_STRONG,))
PGD_CIFAR_L2_TRAINING = AttackPreset("Noack et al. 2021, in training", (noack2021.CIFAR_L2_TRAINING,))
PGD_CIFAR_LINF_WEAK = AttackPreset("Noack et al. 2021", (noack2021.CIFAR_LINF_WEAK,))
PGD_CIFAR_LINF_STRONG = AttackPreset("Noack et al. 2021", (noack2021.CIFAR_LINF_STRONG,))
FMN_PUBLISHED = AttackPreset(
    "Pintor et al. 2021 (its first step is 1 long in L2, whatever the network)",
    (FMN(step=1.0, losses=("margin",), published=True),),
)
DDN_PUBLISHED = AttackPreset(
    "Rony et al. 2019 (its first radius and step are 1 and 1 long in L2, whatever the network)",
    (DDN(published=True),),
)
NEAREST_PUBLISHED = AttackPreset(
    "both Accuracy-Robustness Areas of Woods et al. 2019 (its steps add up to 20 in RMS, whatever the network: "
    "set trajectory to a few distances)",
    (woods2019.ATTACK_AREA, woods2019.BELOW_CHANCE_AREA),
)
SHELL_PUBLISHED = AttackPreset("the explanations of Woods et al. 2019", (woods2019.EXPLANATION,))

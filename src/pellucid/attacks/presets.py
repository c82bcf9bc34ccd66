"""Attacks at the settings of papers, by name."""

from dataclasses import dataclass

from pellucid.attacks import noack2021, woods2019
from pellucid.attacks.attack import Attack
from pellucid.attacks.ddn import DDN
from pellucid.attacks.fmn import FMN
from pellucid.attacks.pgd import PGD
from pellucid.registry import Registry


@dataclass(frozen=True)
class Preset:
    """One attack or more, and where their settings come from."""

    summary: str
    attacks: tuple[Attack, ...]


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

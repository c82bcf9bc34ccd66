"""Attacks: searches for images that make a network fail, and baselines that do not search."""

import lazy_loader

from pellucid.registry import Registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

ATTACKS = Registry(
    "attack",
    {
        "pgd": "pellucid.attacks.pgd:PGD",
        "apgd": "pellucid.attacks.apgd:APGD",
        "targeted-apgd": "pellucid.attacks.targeted_apgd:TargetedAPGD",
        "auto-attack": "pellucid.attacks.auto_attack:AutoAttack",
        "nearest": "pellucid.attacks.nearest:Nearest",
        "shell": "pellucid.attacks.shell:Shell",
        "fab": "pellucid.attacks.fab:FAB",
        "fab-untargeted": "pellucid.attacks.fab_untargeted:UntargetedFAB",
        "ddn": "pellucid.attacks.ddn:DDN",
        "fmn": "pellucid.attacks.fmn:FMN",
        "deepfool": "pellucid.attacks.deepfool:DeepFool",
        "carlini-wagner": "pellucid.attacks.carlini_wagner:CarliniWagner",
        "square": "pellucid.attacks.square:Square",
        "random-point": "pellucid.attacks.random_point:RandomPoint",
        "gaussian-noise": "pellucid.attacks.gaussian_noise:GaussianNoise",
        "gaussian-blur": "pellucid.attacks.gaussian_blur:GaussianBlur",
        "transfer": "pellucid.attacks.transfer:Transfer",
        "repeat": "pellucid.attacks.repeat:Repeat",
        "worst-of": "pellucid.attacks.worst_of:WorstOf",
        "ladder": "pellucid.attacks.ladder:Ladder",
    },
)

GOALS = Registry(
    "goal",
    {
        "misclassified": "pellucid.attacks.goals:Misclassified",
        "below-chance": "pellucid.attacks.goals:BelowChance",
        "confirmed": "pellucid.attacks.goals:Confirmed",
        "targeted": "pellucid.attacks.goals:Targeted",
        "highest-loss": "pellucid.attacks.goals:HighestLoss",
        "lowest-loss": "pellucid.attacks.goals:LowestLoss",
    },
)

PRESETS = Registry(
    "preset",
    {
        "pgd-fgsm": "pellucid.attacks.presets:PGD_FGSM",
        "pgd-momentum": "pellucid.attacks.presets:PGD_MOMENTUM",
        "pgd-mnist-l2-weak": "pellucid.attacks.presets:PGD_MNIST_L2_WEAK",
        "pgd-mnist-l2-strong": "pellucid.attacks.presets:PGD_MNIST_L2_STRONG",
        "pgd-mnist-l2-very-strong": "pellucid.attacks.presets:PGD_MNIST_L2_VERY_STRONG",
        "pgd-mnist-linf-weak": "pellucid.attacks.presets:PGD_MNIST_LINF_WEAK",
        "pgd-mnist-linf-strong": "pellucid.attacks.presets:PGD_MNIST_LINF_STRONG",
        "pgd-mnist-linf-very-strong": "pellucid.attacks.presets:PGD_MNIST_LINF_VERY_STRONG",
        "pgd-mnist-linf-strongest": "pellucid.attacks.presets:PGD_MNIST_LINF_STRONGEST",
        "pgd-cifar-l2-weak": "pellucid.attacks.presets:PGD_CIFAR_L2_WEAK",
        "pgd-cifar-l2-strong": "pellucid.attacks.presets:PGD_CIFAR_L2_STRONG",
        "pgd-cifar-l2-training": "pellucid.attacks.presets:PGD_CIFAR_L2_TRAINING",
        "pgd-cifar-linf-weak": "pellucid.attacks.presets:PGD_CIFAR_LINF_WEAK",
        "pgd-cifar-linf-strong": "pellucid.attacks.presets:PGD_CIFAR_LINF_STRONG",
        "fmn-published": "pellucid.attacks.presets:FMN_PUBLISHED",
        "ddn-published": "pellucid.attacks.presets:DDN_PUBLISHED",
        "nearest-published": "pellucid.attacks.presets:NEAREST_PUBLISHED",
        "shell-published": "pellucid.attacks.presets:SHELL_PUBLISHED",
    },
)

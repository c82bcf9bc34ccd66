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

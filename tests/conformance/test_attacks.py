"""Every listed attack, at settings that are quick to run."""

import math

from pellucid.attacks import (
    APGD,
    ATTACKS,
    DDN,
    FAB,
    FMN,
    PGD,
    AutoAttack,
    BelowChance,
    CarliniWagner,
    DeepFool,
    GaussianBlur,
    GaussianNoise,
    Ladder,
    Nearest,
    RandomPoint,
    Repeat,
    Shell,
    Square,
    Targeted,
    TargetedAPGD,
    UntargetedFAB,
    WorstOf,
)
from pellucid.norms import L0, L1, L2, RMS, Linf
from pellucid.testing import AttackConformance

SETTINGS = {
    "pgd": [
        PGD(eps=0.1, steps=4),
        PGD(eps=0.3, steps=4, norm=L2(), start="image"),
        PGD(eps=0.5, steps=4, norm=L1()),
        PGD(eps=0.1, steps=1, step=1, start="here"),
        PGD(eps=0.1, steps=1, step=1, start="signs"),
        PGD(eps=0.1, steps=1, step=1, start="beyond"),
        PGD(eps=0.1, steps=4, momentum=1.0, goal=Targeted(1)),
    ],
    "apgd": [APGD(eps=0.1, steps=5), APGD(eps=0.5, steps=5, loss="dlr", samples=2, norm=L2(), goal=BelowChance())],
    "targeted-apgd": [
        TargetedAPGD(eps=1.0, steps=9, classes=1, norm=L1()),
        TargetedAPGD(eps=0.1, steps=5, classes=2),
        TargetedAPGD(eps=0.3, steps=5, norm=L2()),
    ],
    "auto-attack": [
        AutoAttack(eps=0.1, steps=3, queries=5),
        AutoAttack(eps=0.3, version="plus", steps=2, queries=3, norm=L2()),
    ],
    "nearest": [Nearest(steps=20, trajectory=1.0), Nearest(steps=20, trajectory=1.0, goal=BelowChance(), clip=False)],
    "shell": [Shell(steps=8), Shell(steps=8, clip=False, floor=1e-8)],
    "fab-untargeted": [
        UntargetedFAB(eps=0.1, steps=4),
        UntargetedFAB(eps=0.5, steps=4, norm=L2(), start=0),
    ],
    "fab": [
        FAB(eps=0.1, steps=4),
        FAB(eps=0.5, steps=4, norm=L2()),
        FAB(eps=math.inf, steps=4, norm=L1(), classes=2),
    ],
    "ddn": [DDN(steps=12), DDN(steps=12, norm=RMS(), goal=BelowChance())],
    "fmn": [
        FMN(steps=12),
        FMN(steps=12, norm=L0(), goal=Targeted(1)),
        FMN(steps=12, norm=L1(), goal=BelowChance()),
        FMN(steps=12, norm=Linf(), losses=("margin",)),
    ],
    "deepfool": [DeepFool(steps=4), DeepFool(steps=4, norm=Linf(), classes=2)],
    "carlini-wagner": [
        CarliniWagner(steps=8, searches=2, weight=1.0),
        CarliniWagner(steps=8, searches=2, rate=0.05, norm=RMS(), goal=Targeted(1)),
    ],
    "square": [Square(eps=0.1, queries=8), Square(eps=0.5, queries=8, norm=L2(), goal=Targeted(1))],
    "random-point": [RandomPoint(eps=0.2)],
    "gaussian-noise": [GaussianNoise(0.2)],
    "gaussian-blur": [GaussianBlur(0.8)],
    "repeat": [Repeat(PGD(eps=0.1, steps=2), 2), Repeat(Nearest(steps=10, trajectory=1.0), 2)],
    "ladder": [Ladder((PGD(eps=0.1, steps=3), PGD(eps=0.2, steps=3)))],
    "worst-of": [WorstOf((RandomPoint(eps=0.1), PGD(eps=0.1, steps=3)))],
}
OTHERWISE = {"transfer"}  # which needs a second network, and has tests of its own


def test_every_attack_is_tried() -> None:
    assert set(SETTINGS) | OTHERWISE == set(ATTACKS)


def test_every_attack_has_its_file() -> None:
    for name, attack in ATTACKS.items():
        assert attack.__module__ == f"pellucid.attacks.{name.replace('-', '_')}"


def _suites() -> dict[str, type[AttackConformance]]:
    return {
        f"Test_{name}_{number}": type(f"Test_{name}_{number}", (AttackConformance,), {"attack": attack})
        for name, attacks in SETTINGS.items()
        for number, attack in enumerate(attacks)
    }


globals().update(_suites())

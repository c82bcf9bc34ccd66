"""Every listed attack, at settings that are quick to run."""

from pellucid.attacks import (
    ATTACKS,
    PGD,
    BelowChance,
    GaussianBlur,
    GaussianNoise,
    Nearest,
    RandomPoint,
    Repeat,
    Shell,
    Targeted,
    WorstOf,
)
from pellucid.norms import L1, L2
from pellucid.testing import AttackConformance

SETTINGS = {
    "pgd": [
        PGD(eps=0.1, steps=4),
        PGD(eps=0.3, steps=4, norm=L2(), start="image"),
        PGD(eps=0.5, steps=4, norm=L1()),
        PGD(eps=0.1, steps=1, step=1, start="here"),
        PGD(eps=0.1, steps=4, momentum=1.0, goal=Targeted(1)),
    ],
    "nearest": [Nearest(steps=20, path=1.0), Nearest(steps=20, path=1.0, goal=BelowChance(), clip=False)],
    "shell": [Shell(steps=8), Shell(steps=8, clip=False, floor=1e-8)],
    "random-point": [RandomPoint(eps=0.2)],
    "gaussian-noise": [GaussianNoise(0.2)],
    "gaussian-blur": [GaussianBlur(0.8)],
    "repeat": [Repeat(PGD(eps=0.1, steps=2), 2), Repeat(Nearest(steps=10, path=1.0), 2)],
    "worst-of": [WorstOf((RandomPoint(eps=0.1), PGD(eps=0.1, steps=3)))],
}
OTHERWISE = {"transfer"}  # which needs a second network, and has tests of its own


def test_every_attack_is_tried() -> None:
    assert set(SETTINGS) | OTHERWISE == set(ATTACKS)


def _suites() -> dict[str, type[AttackConformance]]:
    return {
        f"Test_{name}_{number}": type(f"Test_{name}_{number}", (AttackConformance,), {"attack": attack})
        for name, attacks in SETTINGS.items()
        for number, attack in enumerate(attacks)
    }


globals().update(_suites())

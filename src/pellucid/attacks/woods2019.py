"""The uses of the one loop of Woods et al. (2019), with the settings and the liberties of their code.

Pixels may leave [0, 1], and directions are divided by their length plus 1e-8.
"""

from pellucid.attacks.goals import BelowChance, Misclassified
from pellucid.attacks.nearest import Nearest
from pellucid.attacks.shell import Shell

ATTACK_AREA = Nearest(steps=450, trajectory=20, momentum=0.9, goal=Misclassified(), clip=False, floor=1e-8)
BELOW_CHANCE_AREA = Nearest(steps=450, trajectory=20, momentum=0.9, goal=BelowChance(), clip=False, floor=1e-8)
EXPLANATION = Shell(eps=0.1, steps=35, overshoot=5, clip=False, floor=1e-8)
TRAINING = Shell(eps=0.01, steps=7, overshoot=1, goal=Misclassified(), clip=False, floor=1e-8)
NEAREST_TRAINING = Nearest(
    steps=7, trajectory=0.1, momentum=0, goal=Misclassified(), clip=False, floor=1e-8, keep="nearest-or-clean"
)

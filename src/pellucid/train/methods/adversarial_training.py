"""Training on attacked images: the usual forms, with the budget that is usual on MNIST."""

from dataclasses import replace

from pellucid.attacks import PGD, GaussianNoise, HighestLoss
from pellucid.objectives import Attacked, BoostedCrossEntropy, CrossEntropy, Divergence, NuclearNorm, Ramp
from pellucid.train.preset import Preset
from pellucid.train.recipe import Recipe
from pellucid.train.watch import Watch

EPS = 0.1

ATTACK = PGD(eps=EPS, steps=10, goal=HighestLoss())

ADVERSARIAL_TRAINING = Preset("attacked images in place of clean ones (Madry et al. 2018)", CrossEntropy().at(ATTACK))

# over some 200 steps, which small data sets take several epochs for and large ones a part of one
ADVERSARIAL_TRAINING_AVERAGED = Preset(
    "the same with the weights averaged over the last steps", CrossEntropy().at(ATTACK), Recipe(average=0.995)
)

TRADES = Preset(
    "the same answers under attack as without (Zhang et al. 2019)",
    CrossEntropy() + 6.0 * Divergence(Attacked(ATTACK, towards="divergence")),
)

MART = Preset(
    "attacked images, with more care for those that are wrong (Wang et al. 2020)",
    BoostedCrossEntropy().at(ATTACK) + 5.0 * Divergence(Attacked(ATTACK), weigh="misclassified"),
)

FAST = Preset(
    "one long step from a random start, and a watch for its failure (Wong et al. 2020)",
    CrossEntropy().at(PGD(eps=EPS, steps=1, step=1.25, goal=HighestLoss())),
    Recipe(watch=Watch(images=256, attack=PGD(eps=EPS, steps=10))),
)

N_FGSM = Preset(
    "one step from strong noise, drawn back into no ball (de Jorge et al. 2022)",
    CrossEntropy().at(PGD(eps=EPS, steps=1, step=1, start="beyond", goal=HighestLoss())),
    FAST.recipe,
)

# the weight belongs to batches of 64
NUAT = Preset(
    "one step from random signs, guided by the nuclear norm (after Sriramanan et al. 2021)",
    CrossEntropy()
    + Ramp(4.5, over=0.9) * NuclearNorm(Attacked(PGD(eps=EPS, steps=1, step=1, start="signs", goal=HighestLoss()))),
    replace(FAST.recipe, batch=64),
)

NOISE = Preset("images with Gaussian noise", CrossEntropy().at(GaussianNoise(sigma=0.3)))

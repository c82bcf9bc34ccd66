"""Adversarial Explanations (Woods, Chen and Teuscher 2019): training with small derivatives of single outputs."""

from dataclasses import replace

from pellucid.attacks import Nearest
from pellucid.objectives import Adaptive, Attacked, CrossEntropy, Lipschitz
from pellucid.train.optimizers import Adam
from pellucid.train.preset import Preset
from pellucid.train.recipe import Recipe
from pellucid.train.schedules import CosineSchedule

# Half-Huber is flat near zero: on small networks without BatchNorm, SGD hardly left the start, where Adam learned
RECIPE = Recipe(batch=128, optimizer=Adam(lr=3e-3), schedule=CosineSchedule())
OPTIONS = {"activation": "half-huber"}

ADVERSARIAL_EXPLANATIONS = Preset(
    "small derivatives of random outputs, as small as the loss allows (Woods et al. 2019)",
    CrossEntropy() + Adaptive() * Lipschitz(),
    RECIPE,
    OPTIONS,
)

ADVERSARIAL_EXPLANATIONS_ALL = replace(
    ADVERSARIAL_EXPLANATIONS,
    summary="the same with half of the images attacked (Woods et al. 2019)",
    objective=(CrossEntropy() + Adaptive() * Lipschitz()).at(
        Attacked(Nearest(steps=7, trajectory=0.1, momentum=0, keep="last"), share=0.5)
    ),
)

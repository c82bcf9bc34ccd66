"""The rows of the documentation's table `MNIST, small`: 3,000 images, 5 epochs in batches of 50, raw pixels.

Weights are those published for MNIST where there are any. The teacher is a row itself, attacked in L2 at 1.5 as in
the paper of Interpretation Regularization, with 7 steps; at Linf 0.3 so short trainings stay at chance.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pellucid.attacks import PGD, HighestLoss
from pellucid.explainers import Explainer, Gradient, SmoothGrad
from pellucid.norms import L2
from pellucid.objectives import Adaptive, CrossEntropy, HessianNorm, Lipschitz, LocalCosine, LocalDistance
from pellucid.train.methods import baselines, dong2019, joo2023, noack2021, woods2019
from pellucid.train.optimizers import SGD, Adam, Optimizer
from pellucid.train.preset import Preset, Published
from pellucid.train.recipe import Recipe
from pellucid.train.references import RandomMaps, Reference, Taught
from pellucid.train.schedules import CosineSchedule

NAME = "mnist-small"
DATA: Mapping[str, Any] = {"source": "mnist", "first": 3000}

PLAIN = SGD(lr=0.01, weight_decay=1e-5)
# networks with a soft corner need more than such small steps, or hardly leave the start
SOFT = Adam(lr=1e-3)

# the weights of Joo et al. are for gradients of standardized pixels; this is the deviation of MNIST's
DEVIATION = 0.3081


def _row(preset: Preset, optimizer: Optimizer = PLAIN, **changed: Any) -> Preset:
    options = {"dropout": 0.5, **preset.options}
    recipe = Recipe(epochs=5, batch=50, optimizer=optimizer, schedule=CosineSchedule())
    return replace(preset, recipe=recipe, options=options, normalize=False, data=DATA, **changed)


def _maps(
    explainer: Explainer, teacher: str = "adversarial-training", threshold: float = 1.0, permute: float = 0.0
) -> dict[str, Reference]:
    return {"reference": Taught(teacher, explainer, threshold, permute, preset=NAME)}


def _interpretation(maps: Mapping[str, Reference]) -> dict[str, Preset]:
    return {"interpretation-regularization": _row(noack2021.INTERPRETATION_REGULARIZATION, references=maps)}


_GRADIENT, _SMOOTH = Gradient(), SmoothGrad(samples=10)

MNIST_SMALL = Published(
    "the table 'MNIST, small' of the documentation; for standard, adversarial-training, magnitude-only, "
    "direction-only, interpretation-regularization, jacobian, double-backprop, hessian, "
    "adversarial-explanations, local-gradient-alignment, consistency",
    {
        "standard": _row(baselines.STANDARD),
        "adversarial-training": _row(
            Preset(
                "attacked images in place of clean ones",
                CrossEntropy().at(PGD(eps=1.5, steps=7, norm=L2(), goal=HighestLoss())),
            )
        ),
        "magnitude-only": _row(noack2021.MAGNITUDE_ONLY),
        "direction-only": _row(noack2021.DIRECTION_ONLY, references=_maps(_GRADIENT)),
        **_interpretation(_maps(_SMOOTH)),
        "jacobian": _row(baselines.JACOBIAN),
        "double-backprop": _row(baselines.DOUBLE_BACKPROP),
        "hessian": _row(
            joo2023.HESSIAN, SOFT, objective=CrossEntropy() + 1e-3 * DEVIATION**4 * HessianNorm(probes=1)
        ),
        # at the published level and gain the weight hardly moves in so short a training
        "adversarial-explanations": _row(
            woods2019.ADVERSARIAL_EXPLANATIONS,
            SOFT,
            objective=CrossEntropy() + Adaptive(level=0.5, gain=0.2) * Lipschitz(),
        ),
        "local-gradient-alignment": _row(
            joo2023.LOCAL_GRADIENT_ALIGNMENT,
            SOFT,
            objective=CrossEntropy() + 0.01 * DEVIATION**2 * LocalDistance() + 1.0 * LocalCosine(),
        ),
        "consistency": _row(dong2019.CONSISTENCY),
    },
)

_SOFTPLUS, _HALF_HUBER = joo2023.OPTIONS, woods2019.OPTIONS

# what changes by the optimizer and the activation alone, for the rows that come with others
MNIST_SMALL_ADAM = Published(
    "the table 'MNIST, small' of the documentation, Adam; for standard", {"standard": _row(baselines.STANDARD, SOFT)}
)
MNIST_SMALL_SOFTPLUS = Published(
    "the table 'MNIST, small' of the documentation, Adam and Softplus; for standard",
    {"standard": _row(replace(baselines.STANDARD, options=_SOFTPLUS), SOFT)},
)
MNIST_SMALL_HALF_HUBER = Published(
    "the table 'MNIST, small' of the documentation, Adam and Half-Huber; for standard",
    {"standard": _row(replace(baselines.STANDARD, options=_HALF_HUBER), SOFT)},
)

# maps of other kinds than those of a robust teacher by SmoothGrad
MNIST_SMALL_GRADIENT = Published(
    "the table 'MNIST, small' of the documentation, maps of plain gradients; for interpretation-regularization",
    _interpretation(_maps(_GRADIENT)),
)
MNIST_SMALL_PERMUTED = Published(
    "the table 'MNIST, small' of the documentation, maps permuted; for interpretation-regularization",
    _interpretation(_maps(_SMOOTH, permute=1.0)),
)
MNIST_SMALL_RANDOM = Published(
    "the table 'MNIST, small' of the documentation, noise for maps; for interpretation-regularization",
    _interpretation({"reference": RandomMaps(threshold=1.0)}),
)
MNIST_SMALL_STANDARD = Published(
    "the table 'MNIST, small' of the documentation, maps of a standard network; for interpretation-regularization",
    _interpretation(_maps(_SMOOTH, "standard", threshold=1.25)),
)
MNIST_SMALL_STANDARD_GRADIENT = Published(
    "the table 'MNIST, small' of the documentation, plain gradients of a standard network; "
    "for interpretation-regularization",
    _interpretation(_maps(_GRADIENT, "standard", threshold=0.0)),
)

"""The methods of the MNIST tables: what each is trained for, and towards which maps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.attacks import PGD, HighestLoss
from pellucid.explain import Explainer, Gradient, SmoothGrad
from pellucid.norms import L2
from pellucid.objectives import (
    Adaptive,
    Align,
    Attacked,
    CrossEntropy,
    FeatureMatch,
    GradientNorm,
    HessianNorm,
    JacobianNorm,
    Lipschitz,
    LocalCosine,
    LocalDistance,
    Objective,
)


@dataclass(frozen=True)
class Maps:
    """Which maps: of an explainer and a teacher (`""`: random ones), permuted by a share, cut at a threshold."""

    teacher: str
    explainer: Explainer | None = None
    threshold: float = 1.0
    permute: float = 0.0


@dataclass(frozen=True)
class Method:
    """A row of the table."""

    objective: Objective
    maps: Maps | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


MAGNITUDE = 0.15 * GradientNorm(reduction="batch")
ALIGNED = CrossEntropy() + 3 * Align() + MAGNITUDE
# the weights of Joo et al. are for gradients of standardised pixels: see their recipe
DEVIATION = 0.3081
SOFT = {"activation": {"name": "softplus", "beta": 3.0}}


def methods(attack_steps: int, samples: int) -> dict[str, Method]:
    """All rows, teachers first. Weights are those published for MNIST where there are any."""
    # the teacher of the paper: L2 at 1.5; at Linf 0.3 short trainings stay at chance
    attack = PGD(eps=1.5, steps=attack_steps, norm=L2(), goal=HighestLoss())
    one_step = Attacked(PGD(eps=0.3, steps=1, step=1, start="here"), towards="least-likely", vary=True)
    gradient, smooth = Gradient(), SmoothGrad(samples=samples)
    robust, standard = "adversarial training", "standard"
    return {
        "standard": Method(Objective.of(CrossEntropy())),
        "adversarial training": Method(CrossEntropy().at(attack)),
        "magnitude only": Method(CrossEntropy() + MAGNITUDE),
        "direction only, robust gradient": Method(CrossEntropy() + 3 * Align(), Maps(robust, gradient)),
        "IR, random maps": Method(ALIGNED, Maps("")),
        "IR, permuted robust SmoothGrad": Method(ALIGNED, Maps(robust, smooth, permute=1.0)),
        "IR, standard gradient": Method(ALIGNED, Maps(standard, gradient, threshold=0.0)),
        "IR, standard SmoothGrad": Method(ALIGNED, Maps(standard, smooth, threshold=1.25)),
        "IR, robust gradient": Method(ALIGNED, Maps(robust, gradient)),
        "IR, robust SmoothGrad": Method(ALIGNED, Maps(robust, smooth)),
        "Jacobian": Method(CrossEntropy() + 0.01 * JacobianNorm(projections=1)),
        "double backpropagation": Method(CrossEntropy() + 1.0 * GradientNorm(of="loss")),
        "Hessian": Method(CrossEntropy() + 1e-3 * DEVIATION**4 * HessianNorm(), options=SOFT),
        "adversarial explanations": Method(
            CrossEntropy() + Adaptive(level=0.5, gain=0.2) * Lipschitz(), options={"activation": "half-huber"}
        ),
        "local gradient alignment": Method(
            CrossEntropy() + 0.01 * DEVIATION**2 * LocalDistance() + 1.0 * LocalCosine(), options=SOFT
        ),
        "consistency": Method(
            0.5 * CrossEntropy()
            + 0.5 * CrossEntropy().at(one_step)
            + 0.6 * FeatureMatch(one_step, distance="mean-l2")
        ),
    }

"""Cheap checks of whether a robustness figure can be believed, a file each."""

from collections.abc import Callable

from pellucid.evaluate.robustness.checks.absurd_budget import absurd_budget
from pellucid.evaluate.robustness.checks.batch_dependence import batch_dependence
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.evaluate.robustness.checks.clean_accuracy import clean_accuracy
from pellucid.evaluate.robustness.checks.convergence import convergence
from pellucid.evaluate.robustness.checks.gradients import gradients
from pellucid.evaluate.robustness.checks.input_range import input_range
from pellucid.evaluate.robustness.checks.probabilities import probabilities
from pellucid.evaluate.robustness.checks.quantized_input import quantized_input
from pellucid.evaluate.robustness.checks.randomness import randomness
from pellucid.evaluate.robustness.checks.returned_points import returned_points
from pellucid.evaluate.robustness.checks.rising_loss import rising_loss
from pellucid.evaluate.robustness.checks.saturation import saturation
from pellucid.evaluate.robustness.checks.stronger_attack import stronger_attack
from pellucid.evaluate.robustness.checks.training_mode import training_mode
from pellucid.metrics.verdict import Verdict
from pellucid.registry import Registry

Check = Callable[[Case], Verdict | None]
"""None is the verdict where a check does not apply."""

# what explains other failures comes first
CHECKS: Registry[Check] = Registry(
    "check",
    {
        "training-mode": training_mode,
        "randomness": randomness,
        "batch-dependence": batch_dependence,
        "input-range": input_range,
        "clean-accuracy": clean_accuracy,
        "probabilities": probabilities,
        "gradients": gradients,
        "saturation": saturation,
        "quantized-input": quantized_input,
        "rising-loss": rising_loss,
        "absurd-budget": absurd_budget,
        "returned-points": returned_points,
        "stronger-attack": stronger_attack,
        "convergence": convergence,
    },
)

__all__ = ["CHECKS", "Case", "Check", "Verdict"]

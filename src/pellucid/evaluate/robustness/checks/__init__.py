"""Cheap checks of whether a robustness figure can be believed, a file each."""

import lazy_loader

from pellucid.registry import Registry

# what explains other failures comes first
CHECKS = Registry(
    "check",
    {
        "training-mode": "pellucid.evaluate.robustness.checks.training_mode:training_mode",
        "randomness": "pellucid.evaluate.robustness.checks.randomness:randomness",
        "batch-dependence": "pellucid.evaluate.robustness.checks.batch_dependence:batch_dependence",
        "input-range": "pellucid.evaluate.robustness.checks.input_range:input_range",
        "clean-accuracy": "pellucid.evaluate.robustness.checks.clean_accuracy:clean_accuracy",
        "probabilities": "pellucid.evaluate.robustness.checks.probabilities:probabilities",
        "gradients": "pellucid.evaluate.robustness.checks.gradients:gradients",
        "saturation": "pellucid.evaluate.robustness.checks.saturation:saturation",
        "quantized-input": "pellucid.evaluate.robustness.checks.quantized_input:quantized_input",
        "rising-loss": "pellucid.evaluate.robustness.checks.rising_loss:rising_loss",
        "absurd-budget": "pellucid.evaluate.robustness.checks.absurd_budget:absurd_budget",
        "returned-points": "pellucid.evaluate.robustness.checks.returned_points:returned_points",
        "stronger-attack": "pellucid.evaluate.robustness.checks.stronger_attack:stronger_attack",
        "convergence": "pellucid.evaluate.robustness.checks.convergence:convergence",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

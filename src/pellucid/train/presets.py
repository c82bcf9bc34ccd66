"""The recipes that `pellucid train` knows by name, and what `--preset` makes of them."""

from pellucid.registry import Registry
from pellucid.train.methods import (
    adversarial_training,
    baselines,
    dong2019,
    joo2023,
    mnist_small,
    noack2021,
    of_papers,
    woods2019,
)
from pellucid.train.preset import Preset, Published

RECIPES: Registry[Preset] = Registry(
    "recipe",
    {
        "standard": baselines.STANDARD,
        "double-backprop": baselines.DOUBLE_BACKPROP,
        "jacobian": baselines.JACOBIAN,
        "interpretation-regularization": noack2021.INTERPRETATION_REGULARIZATION,
        "magnitude-only": noack2021.MAGNITUDE_ONLY,
        "direction-only": noack2021.DIRECTION_ONLY,
        "adversarial-explanations": woods2019.ADVERSARIAL_EXPLANATIONS,
        "adversarial-explanations-all": woods2019.ADVERSARIAL_EXPLANATIONS_ALL,
        "adversarial-training": adversarial_training.ADVERSARIAL_TRAINING,
        "trades": adversarial_training.TRADES,
        "mart": adversarial_training.MART,
        "fast": adversarial_training.FAST,
        "noise": adversarial_training.NOISE,
        "consistency": dong2019.CONSISTENCY,
        "local-gradient-alignment": joo2023.LOCAL_GRADIENT_ALIGNMENT,
        "hessian": joo2023.HESSIAN,
    },
)

PRESETS: Registry[Published] = Registry(
    "training-preset",
    {
        "noack2021-mnist": of_papers.NOACK2021_MNIST,
        "noack2021-cifar10": of_papers.NOACK2021_CIFAR10,
        "woods2019-cifar10": of_papers.WOODS2019_CIFAR10,
        "joo2023-cifar10": of_papers.JOO2023_CIFAR10,
        mnist_small.NAME: mnist_small.MNIST_SMALL,
        **mnist_small.CONTROLS,
    },
)

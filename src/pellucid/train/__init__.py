"""Training: a generator of epochs over any objective, and the recipes that have names."""

import lazy_loader

from pellucid.registry import Registry

OPTIMIZERS = Registry(
    "optimizer",
    {
        "sgd": "pellucid.train.optimizers:SGD",
        "adam": "pellucid.train.optimizers:Adam",
        "adamw": "pellucid.train.optimizers:AdamW",
    },
)

SCHEDULES = Registry(
    "schedule",
    {
        "constant": "pellucid.train.schedules:Constant",
        "cosine": "pellucid.train.schedules:CosineSchedule",
        "step": "pellucid.train.schedules:StepSchedule",
        "one-cycle": "pellucid.train.schedules:OneCycle",
    },
)

RECIPES = Registry(
    "recipe",
    {
        "standard": "pellucid.train.methods.baselines:STANDARD",
        "double-backprop": "pellucid.train.methods.baselines:DOUBLE_BACKPROP",
        "gradnorm": "pellucid.train.methods.rodriguez2024:GRADNORM",
        "edge-regularization": "pellucid.train.methods.rodriguez2024:EDGE_REGULARIZATION",
        "jacobian": "pellucid.train.methods.baselines:JACOBIAN",
        "interpretation-regularization": "pellucid.train.methods.noack2021:INTERPRETATION_REGULARIZATION",
        "magnitude-only": "pellucid.train.methods.noack2021:MAGNITUDE_ONLY",
        "direction-only": "pellucid.train.methods.noack2021:DIRECTION_ONLY",
        "adversarial-explanations": "pellucid.train.methods.woods2019:ADVERSARIAL_EXPLANATIONS",
        "adversarial-explanations-all": "pellucid.train.methods.woods2019:ADVERSARIAL_EXPLANATIONS_ALL",
        "adversarial-training": "pellucid.train.methods.adversarial_training:ADVERSARIAL_TRAINING",
        "adversarial-training-averaged": (
            "pellucid.train.methods.adversarial_training:ADVERSARIAL_TRAINING_AVERAGED"
        ),
        "trades": "pellucid.train.methods.adversarial_training:TRADES",
        "mart": "pellucid.train.methods.adversarial_training:MART",
        "fast": "pellucid.train.methods.adversarial_training:FAST",
        "n-fgsm": "pellucid.train.methods.adversarial_training:N_FGSM",
        "nuat": "pellucid.train.methods.adversarial_training:NUAT",
        "noise": "pellucid.train.methods.adversarial_training:NOISE",
        "consistency": "pellucid.train.methods.dong2019:CONSISTENCY",
        "local-gradient-alignment": "pellucid.train.methods.joo2023:LOCAL_GRADIENT_ALIGNMENT",
        "hessian": "pellucid.train.methods.joo2023:HESSIAN",
    },
)

PRESETS = Registry(
    "training-preset",
    {
        "noack2021-mnist": "pellucid.train.methods.of_papers:NOACK2021_MNIST",
        "noack2021-cifar10": "pellucid.train.methods.of_papers:NOACK2021_CIFAR10",
        "woods2019-cifar10": "pellucid.train.methods.of_papers:WOODS2019_CIFAR10",
        "joo2023-cifar10": "pellucid.train.methods.of_papers:JOO2023_CIFAR10",
        "joo2023-lenet": "pellucid.train.methods.of_papers:JOO2023_LENET",
        "joo2023-imagenet100": "pellucid.train.methods.of_papers:JOO2023_IMAGENET100",
        "mnist-small": "pellucid.train.methods.mnist_small:MNIST_SMALL",
        "mnist-small-adam": "pellucid.train.methods.mnist_small:MNIST_SMALL_ADAM",
        "mnist-small-softplus": "pellucid.train.methods.mnist_small:MNIST_SMALL_SOFTPLUS",
        "mnist-small-half-huber": "pellucid.train.methods.mnist_small:MNIST_SMALL_HALF_HUBER",
        "mnist-small-gradient": "pellucid.train.methods.mnist_small:MNIST_SMALL_GRADIENT",
        "mnist-small-permuted": "pellucid.train.methods.mnist_small:MNIST_SMALL_PERMUTED",
        "mnist-small-random": "pellucid.train.methods.mnist_small:MNIST_SMALL_RANDOM",
        "mnist-small-standard": "pellucid.train.methods.mnist_small:MNIST_SMALL_STANDARD",
        "mnist-small-standard-gradient": "pellucid.train.methods.mnist_small:MNIST_SMALL_STANDARD_GRADIENT",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

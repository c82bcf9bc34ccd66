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

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

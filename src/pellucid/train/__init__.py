"""Training: a generator of epochs over any objective, and the recipes that have names."""

from pellucid.registry import Registry
from pellucid.train.checkpoints import Checkpoints as Checkpoints
from pellucid.train.epoch import Epoch as Epoch
from pellucid.train.epoch import Resumed as Resumed
from pellucid.train.epoch import Step as Step
from pellucid.train.loop import fit as fit
from pellucid.train.loop import fit_steps as fit_steps
from pellucid.train.optimizers import SGD as SGD
from pellucid.train.optimizers import Adam as Adam
from pellucid.train.optimizers import AdamW as AdamW
from pellucid.train.optimizers import Optimizer as Optimizer
from pellucid.train.preset import Preset as Preset
from pellucid.train.presets import PRESETS as PRESETS
from pellucid.train.presets import RECIPES as RECIPES
from pellucid.train.published import Published as Published
from pellucid.train.recipe import Recipe as Recipe
from pellucid.train.schedules import Constant as Constant
from pellucid.train.schedules import Cosine as Cosine
from pellucid.train.schedules import OneCycle as OneCycle
from pellucid.train.schedules import Schedule as Schedule
from pellucid.train.schedules import Step as StepSchedule
from pellucid.train.validate import accuracy as accuracy
from pellucid.train.watch import Watch as Watch

OPTIMIZERS: Registry[type[Optimizer]] = Registry("optimizer", {"sgd": SGD, "adam": Adam, "adamw": AdamW})

SCHEDULES: Registry[type[Schedule]] = Registry(
    "schedule", {"constant": Constant, "cosine": Cosine, "step": StepSchedule, "one-cycle": OneCycle}
)

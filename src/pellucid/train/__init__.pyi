import pellucid.registry

from .checkpoints import Checkpoints as Checkpoints
from .epoch import Epoch as Epoch
from .epoch import Resumed as Resumed
from .epoch import Step as Step
from .loop import fit as fit
from .loop import fit_steps as fit_steps
from .optimizers import SGD as SGD
from .optimizers import Adam as Adam
from .optimizers import AdamW as AdamW
from .optimizers import Optimizer as Optimizer
from .preset import Preset as Preset
from .preset import Published as Published
from .recipe import Recipe as Recipe
from .schedules import Constant as Constant
from .schedules import CosineSchedule as CosineSchedule
from .schedules import OneCycle as OneCycle
from .schedules import Schedule as Schedule
from .schedules import StepSchedule as StepSchedule
from .validate import accuracy as accuracy
from .watch import Watch as Watch

OPTIMIZERS: pellucid.registry.Registry[type[Optimizer]]

SCHEDULES: pellucid.registry.Registry[type[Schedule]]

RECIPES: pellucid.registry.Registry[Preset]

PRESETS: pellucid.registry.Registry[Published]

import pellucid.registry

from .carrying_out import Executor as Executor
from .carrying_out import Plan as Plan
from .carrying_out import carry_out as carry_out
from .carrying_out import here as here
from .cell import Cell as Cell
from .cell import Measured as Measured
from .claim import Claim as Claim
from .claim import Place as Place
from .claim import Told as Told
from .column import Column as Column
from .column import Looked as Looked
from .folder import StudyFolder as StudyFolder
from .on_ray import OnRay as OnRay
from .reading import find as find
from .result import Result as Result
from .study import Row as Row
from .study import Scale as Scale
from .study import Study as Study
from .study import settings_of as settings_of

STUDIES: pellucid.registry.Registry[Study]
COLUMNS: pellucid.registry.Registry[type[Column]]

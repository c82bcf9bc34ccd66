import pellucid.registry

from .case import Case as Case
from .check import Check as Check
from .check import Verdict as Verdict

CHECKS: pellucid.registry.Registry[Check]

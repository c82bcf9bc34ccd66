import pellucid.protocols
import pellucid.registry

from .lengths import L0 as L0
from .lengths import L1 as L1
from .lengths import L2 as L2
from .lengths import RMS as RMS
from .lengths import Linf as Linf

NORMS: pellucid.registry.Registry[type[pellucid.protocols.Norm]]

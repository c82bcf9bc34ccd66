import collections.abc

import pellucid.registry

from .composites import Composite as Composite
from .gated import Gatekeeper as Gatekeeper
from .relevance import Normalizing as Normalizing
from .relevance import Relevance as Relevance
from .tape import propagated as propagated

COMPOSITES: pellucid.registry.Registry[collections.abc.Callable[[float, float], Composite]]

"""How accuracy falls with distance, as it is saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Details:
    """Curves by name: distance and the share of images that stand beyond it."""

    curves: Mapping[str, Points] = field(default_factory=dict[str, Points])

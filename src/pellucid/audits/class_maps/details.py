"""What matters for each class, as it is saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Details:
    """Names of pictures by class, why there are none of others, and how they were made.

    `scale` is what the strongest color stands for; `adjusted_r2` the share of the answers that linear models account
    for; `idle` the share of an image's parts that hide nothing.
    """

    classes: Mapping[str, str] = field(default_factory=dict[str, str])
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    scale: float = 0.0
    images: int = 0
    adjusted_r2: float | None = None
    idle: float | None = None
    notes: tuple[str, ...] = ()
    explainer: str = ""

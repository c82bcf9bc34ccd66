"""What has to be known of explainers and metrics, as it is saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OfMetric:
    """Between what a metric lies, what it costs besides the map, and its settings."""

    better: str = "neither"
    low: float | None = None
    high: float | None = None
    cost: str = ""
    settings: Any = None


@dataclass(frozen=True)
class Details:
    """Metrics; what the maps of each explainer say of themselves; and the settings of explainers."""

    metrics: Mapping[str, OfMetric] = field(default_factory=dict[str, OfMetric])
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    explainers: Mapping[str, Any] = field(default_factory=dict[str, Any])

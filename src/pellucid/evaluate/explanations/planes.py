"""Maps with one value per place, where metrics look for them."""

from pellucid.metrics.agreement.planes import Sign, planes

__all__ = ["Sign", "planes"]

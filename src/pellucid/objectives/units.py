"""What a term differentiates for: pixels from 0 to 1, or pixels as the network has normalized them."""

from typing import Literal

from torch import Tensor

from pellucid.models import deviation
from pellucid.probe import Probe

Units = Literal["pixels", "network"]


def factor(probe: Probe, units: Units) -> Tensor | float:
    """What a gradient for pixels from 0 to 1 is multiplied by to be one in these units, for each channel."""
    return deviation(probe.network) if units == "network" else 1.0

"""What all suites have in common: the network and the images that they try things on."""

import torch
from torch import Tensor, nn

from pellucid.testing import specimens


class Suite:
    """A conformance suite. Override `network` where an entry works on networks of one kind only."""

    def network(
        self, *, classes: int = 4, channels: int = 1, size: int = 6, dtype: torch.dtype = torch.float64
    ) -> nn.Module:
        """The network that the entry is tried on, in evaluation mode, and the same at every call.

        It takes square images of `size` pixels a side. Unless a suite says otherwise it is small and smooth, and has
        BatchNorm. Another one has to be smooth too where derivatives are compared with differences.
        """
        return specimens.network(classes=classes, channels=channels, size=size, dtype=dtype)

    def images(
        self, *, classes: int = 4, channels: int = 1, size: int = 6, dtype: torch.dtype = torch.float64
    ) -> tuple[Tensor, Tensor]:
        """Six images and their labels, which are what the network says, but for the last."""
        model = self.network(classes=classes, channels=channels, size=size, dtype=dtype)
        return specimens.images(classes=classes, channels=channels, size=size, dtype=dtype, model=model)

"""The network as training calls it: wrapped for several processes, and at the precision asked for."""

from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn


class Network(nn.Module):
    """A network whose forward pass runs where and how Fabric was told to.

    Fabric's own wrapper insists on the one backward call that it knows of; ours takes gradients of gradients. The
    precisions on offer need none of what it does there.
    """

    def __init__(self, network: nn.Module, fabric: Fabric) -> None:
        super().__init__()
        self.inner = fabric.strategy.setup_module(network)
        self.fabric = fabric

    def forward(self, x: Tensor) -> Any:
        """Logits in the precision of the images, whatever the network computed in."""
        with self.fabric.autocast():
            logits = self.inner(x)
        # what cannot be logits is for the probe to refuse
        return logits.to(x.dtype) if isinstance(logits, Tensor) and logits.is_floating_point() else logits

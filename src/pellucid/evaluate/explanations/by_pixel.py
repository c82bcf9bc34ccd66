"""Images laid out as networks are fastest with."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.layout import channels_last
from pellucid.looking import as_given, look
from pellucid.memory import out_of_memory


class ByPixel:
    """A network that on a CPU is given the channels of a pixel side by side, which its convolutions and pools prefer.

    One that calls `view` on what they put out cannot take that; when it says so it is given images as they were.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self._model = model
        self._takes = device.type == "cpu"

    def __call__(self, rows: Float[Tensor, "rows c h w"]) -> Float[Tensor, "rows classes"]:
        """The logits."""
        if self._takes:
            try:
                return as_given(self._model, channels_last(rows))
            except Exception as error:  # a network of somebody else's fails in its own way
                if out_of_memory(error):
                    raise
                self._takes = False
        return look(self._model, rows)

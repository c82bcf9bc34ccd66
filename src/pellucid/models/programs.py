"""Networks that come as a compiled program: TorchScript and `torch.export` files."""

from pathlib import Path

import torch
from torch import Tensor, nn

from pellucid.errors import WeightsError
from pellucid.models.weights import is_torchscript


class Exported(nn.Module):
    """An exported program as a module; it has one mode, whichever it was exported in."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, x: Tensor) -> Tensor:
        """Logits, as the program computes them."""
        return self.program(x)

    def train(self, mode: bool = True) -> "Exported":
        """Note the mode; the program itself would refuse to be told."""
        self.training = mode
        return self


def load_program(path: Path) -> nn.Module:
    """The network in a TorchScript or exported program, on the CPU."""
    if path.suffix == ".pt2":
        try:
            return Exported(torch.export.load(path).module())
        except Exception as error:  # as many kinds as there are versions of the format
            raise WeightsError(
                f"{path} is not an exported program that torch {torch.__version__} can read"
            ) from error
    if not is_torchscript(path):
        raise WeightsError(
            f"{path} holds no program; if it holds weights, name their network and give weights='{path}'"
        )
    try:
        return torch.jit.load(path, map_location="cpu")
    except RuntimeError as error:
        raise WeightsError(f"{path} is not a TorchScript program that torch {torch.__version__} can read") from error

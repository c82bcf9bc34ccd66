"""Networks that come as a compiled program: TorchScript and `torch.export` files.

Neither can be read without trusting whoever made it. TorchScript has operators that write and open files. An exported
program holds pickles, names modules to import, and has sizes as text that sympy evaluates as Python; with all of its
pickles taken out, its graph would still run what it likes.
"""

import shlex
from pathlib import Path

import torch
from torch import Tensor, nn

from pellucid.errors import NotTrusted, WeightsError
from pellucid.models.weights import is_torchscript
from pellucid.trust import trusts_file


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
    """The network in a TorchScript or exported program, on the CPU; one that nobody trusts is not opened."""
    if path.suffix == ".pt2":
        _check_trust(path, "an exported program, and reading it can run any code")
    elif is_torchscript(path):
        _check_trust(path, "a TorchScript program, which can write and open any file")
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
    except (RuntimeError, ValueError) as error:  # the latter where its name is no text
        raise WeightsError(f"{path} is not a TorchScript program that torch {torch.__version__} can read") from error


def _check_trust(path: Path, what: str) -> None:
    if not trusts_file(path):
        raise NotTrusted(
            f"{path} is {what}; if you trust whoever made it, add --trust {shlex.quote(str(path))} "
            "(in Python: trust=True)"
        )

"""How a network is called, wherever that is done."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.contained import called, contained, name_of, reason
from pellucid.errors import NetworkError, PellucidError

Images = Float[Tensor, "b *shape"]


def look(model: nn.Module, x: Images) -> Any:
    """What a network says of images, on a copy of them; whatever fails in there is an error of one line."""
    shape = "x".join(map(str, x.shape[1:]))
    with _failing(model, f"on {len(x)} images of {shape}"):
        return called(model, x)


@contextmanager
def going_back(model: nn.Module) -> Generator[None]:
    """A pass back through a network, whose own code may run there too."""
    with _failing(model, "on the way back to its pixels"), contained(name_of(model)):
        yield


@contextmanager
def _failing(model: nn.Module, where: str) -> Generator[None]:
    try:
        yield
    except (PellucidError, torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # a network of somebody else's fails in its own way
        raise NetworkError(f"{name_of(model)} failed {where}: {reason(error)}") from error

"""Short names for networks, settings and data, and for all that a work depends on."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.errors import MeasurementError, UnknownName
from pellucid.kinds import check_weights


def fingerprint(model: nn.Module) -> str:
    """A digest of a network's structure and of everything it has learned."""
    check_weights(model)
    return digest(repr(model), *in_order(model.state_dict()))[:16]


def check_unchanged(model: nn.Module, known: str) -> None:
    """Refuse to go on with a network that has learned something else since its fingerprint was `known`."""
    if fingerprint(model) != known:
        raise MeasurementError(
            "the network changed its own weights or buffers while it was measured, so that figures would be of no "
            "one network; let its forward pass leave them alone in evaluation mode"
        )


def identity(about: Mapping[str, Any]) -> str:
    """A short name for everything that a work depends on."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]


def described(value: Any) -> Any:
    """A value as settings, or in words where it is of a class, or holds a function, that no registry knows."""
    try:
        return config.dump(value)
    except (TypeError, UnknownName):
        return repr(value)


def digest(*parts: object) -> str:
    """A digest of words, numbers and tensors that does not depend on where the tensors are."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, tuple) and any(isinstance(one, Tensor) for one in part):
            total.update(digest(*part).encode())  # as quantized layers keep their weights
        elif isinstance(part, Tensor):
            part = part.dequantize() if part.is_quantized else part  # noqa: PLW2901
            total.update(repr((part.dtype, tuple(part.shape))).encode())
            total.update(part.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        else:
            total.update(repr(part).encode())
    return total.hexdigest()


def in_order(columns: Mapping[str, Tensor]) -> list[str | Tensor]:
    """The columns in the order of their names, for a digest."""
    return [part for name in sorted(columns) for part in (name, columns[name])]

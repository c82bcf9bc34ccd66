"""A network with weights in bfloat16, for searches that compute in it."""

from itertools import chain

import torch
from torch import nn

from pellucid.hooks import copied

_KINDS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def halved(model: nn.Module) -> nn.Module:
    """A copy whose convolutions and linear layers hold their weights in bfloat16; everything else is shared with it.

    Autocast would convert these weights at every pass, which takes as long as a small network's pass itself: it keeps
    what it has converted only of weights that are being trained.
    """
    weights = {
        id(weight): nn.Parameter(weight.detach().bfloat16(), requires_grad=False)
        for module in model.modules()
        if type(module) in _KINDS
        for weight in module.parameters(recurse=False)
        if weight.dtype == torch.float32
    }
    if not weights:
        return model
    shared = {id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())}
    try:
        return copied(model, {**shared, **weights})
    except (RuntimeError, TypeError):  # it holds what cannot be copied, and is only slower for it
        return model

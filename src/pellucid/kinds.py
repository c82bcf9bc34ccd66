"""Networks that cannot be worked with as they are: some are copied, others refused."""

import warnings
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pellucid import hooks
from pellucid.errors import NetworkError, PellucidError
from pellucid.looking import look

_NORMS = nn.modules.batchnorm._BatchNorm  # pyright: ignore[reportPrivateUsage]
_HALVES = (torch.float16, torch.bfloat16)


def check_weights(model: nn.Module) -> None:
    """Refuse a network whose weights have no values: of lazy layers, or on the meta device."""
    for tensor in _held(model):
        if is_lazy(tensor):
            raise NetworkError(
                "the network has lazy layers, whose weights are made when they first see an image; show it one where "
                "it is made, model(torch.zeros(1, channels, height, width)), before its weights are loaded"
            )
        if tensor.is_meta:
            raise NetworkError(
                "the network's weights are on the meta device and have no values; make it on a real one, or give it "
                "memory by model.to_empty(device='cpu') and load its weights"
            )


def ready(model: nn.Module) -> nn.Module:
    """The network, or a copy of it where its weights were made under `torch.inference_mode`, for gradients' sake.

    What the copy says is the same to the bit.
    """
    check_weights(model)
    if any(isinstance(module, _NORMS) and module.running_mean is None for module in model.modules()):
        warnings.warn(
            "this network's BatchNorm keeps no running statistics and takes those of the batch, so what it says of "
            "an image hangs on those beside it, and figures hold for these batches alone; train it to keep some",
            stacklevel=2,
        )
    why = "and as it is no search can follow it; make it outside of torch.inference_mode"
    return copied(model, why) if any(tensor.is_inference() for tensor in _held(model)) else model


def in_single(model: nn.Module, x: Float[Tensor, "b *shape"]) -> nn.Module:
    """The network, or a float32 copy of one with weights in half precision, to be searched and explained on.

    Its weights are the same; what it computes with them is not rounded to three digits, in which slopes get lost.
    A network that converts within its layers cannot do without its own precision; that one stays as it is.
    """
    model = ready(model)
    kinds = {tensor.dtype for tensor in _held(model)}
    found = [kind for kind in _HALVES if kind in kinds]
    if not found or x.dtype in _HALVES:
        return model
    kind = str(found[0]).removeprefix("torch.")
    single = copied(model, "and searches in half precision find nothing; make it in float32").float()
    if not _works(single, x):
        warnings.warn(
            f"this network computes in {kind} and in nothing else: slopes are rounded to that, and some are lost",
            stacklevel=2,
        )
        return model
    warnings.warn(
        f"this network is in {kind} and sees images rounded to that; it decides as it is, and searches and "
        "explanations are made on a copy in float32",
        stacklevel=2,
    )
    return single


def copied(model: nn.Module, why: str) -> nn.Module:
    """A network of one's own to change; `why` goes on where it cannot be copied."""
    try:
        return hooks.deep_copy(model)
    except Exception as error:  # whatever a network keeps may refuse, each in its own way
        raise NetworkError(
            f"this network cannot be copied, {why} ({type(error).__name__}: {' '.join(str(error).split())})"
        ) from error


def _works(model: nn.Module, x: Float[Tensor, "b *shape"]) -> bool:
    trained = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            look(model, x[:1])
    except PellucidError:
        return False
    finally:
        for module in trained:
            module.training = True
    return True


def _held(model: nn.Module) -> chain[Tensor]:
    return chain(model.parameters(), model.buffers())

"""Whether a network can be trained at all; where it cannot, that is said before an epoch is spent on it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pellucid.errors import ConfigError, NetworkError
from pellucid.kinds import check_weights


def check_trainable(model: nn.Module) -> None:
    """Refuse a network without weights that could learn, or with weights in half precision."""
    check_weights(model)
    if any(parameter.dtype in (torch.float16, torch.bfloat16) for parameter in model.parameters()):
        raise ConfigError(
            "the network has weights in half precision, in which small steps of training are lost; make it in "
            "float32, and give precision bf16-mixed for speed"
        )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise _unteachable("it has no parameters that learn")


def learn(loss: Tensor, parameters: Sequence[Tensor]) -> None:
    """Take the gradient of a loss by parameters of a network; refuse where it reaches none of them."""
    if not loss.requires_grad:
        raise _unteachable("nothing leads from its logits to its weights")
    # naming the parameters spares the pass down to the pixels, whose gradient nobody reads
    loss.backward(inputs=list(parameters))
    if all(parameter.grad is None for parameter in parameters):
        raise _unteachable("nothing leads from its logits to its weights")


def _unteachable(why: str) -> NetworkError:
    return NetworkError(
        f"the network cannot be trained: {why}; give one that computes in torch, with gradients, and whose weights "
        "are parameters"
    )

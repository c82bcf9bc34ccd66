"""Whether a network bends."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.probe import Probe, frozen
from pellucid.randomness import Noise


def curves(model: nn.Module, x: Float[Tensor, "b *shape"]) -> bool:
    """Whether the logits of a network in evaluation mode have second derivatives for the pixels of these images.

    Those of a ReLU network are zero wherever they exist. One product of the Hessian with a random vector tells, for
    the logit of the answer at each image.
    """
    with frozen(model), torch.enable_grad():
        probe = Probe(model, Batch.trusted(x.detach(), torch.zeros(len(x), dtype=torch.long, device=x.device), {}))
        answer = probe.logits.detach().argmax(1)
        vectors = Noise(0, probe.batch.index).normal(*x.shape[1:], dtype=x.dtype)
        return bool(probe.curvature(vectors, answer).any())

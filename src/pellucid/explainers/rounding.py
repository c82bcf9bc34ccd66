"""What of a logit is rounding, and which maps say no more than that."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

ROUNDED = "the map is no more than rounding: all that it says would move the logit by less than its last digits"
HARDLY = "the probability hardly moves, whatever is hidden: by less than a millionth; ask for the logit instead"

_UNITS = 4  # in the last place
_HARDLY = 1e-6  # of a probability
_EVERY = 256  # up to here a bfloat16 is any whole number
_COARSE = (torch.bfloat16, torch.float16)


def precision(logits: Float[Tensor, "b classes"]) -> float:
    """The unit in the last place of logits of about 1: of the type that they are of, or of a coarser one.

    A network that computes in half precision within gives float32 numbers which are all numbers of that precision.
    """
    logits = logits.detach()
    known = logits[logits.isfinite()]
    # of whole numbers the small ones are numbers of every type
    whole = bool(((known == known.round()) & (known.abs() <= _EVERY)).all())
    for kind in () if whole else _COARSE:
        if torch.equal(known.to(kind).to(known.dtype), known):
            return torch.finfo(kind).eps
    return torch.finfo(logits.dtype).eps


def rounding(logits: Float[Tensor, "b classes"], of: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """How much of each image's logit of its class may be rounding."""
    return _UNITS * precision(logits) * logits.detach().gather(1, of[:, None])[:, 0].abs()


def rounding_of_probability(logits: Float[Tensor, "b classes"], of: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """How much of the probability of each image's class comes of the rounding of its logit."""
    sure = logits.detach().double().softmax(1).gather(1, of[:, None])[:, 0]
    return sure * (1 - sure) * rounding(logits, of) + _UNITS * torch.finfo(torch.float64).eps * sure


def hardly(moved: Float[Tensor, " b"]) -> Bool[Tensor, " b"]:
    """Whether a probability moves by so little that nobody should read it."""
    return (moved > 0) & (moved < _HARDLY)

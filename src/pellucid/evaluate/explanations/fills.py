"""What is shown in the place of pixels that are taken away."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.explain.baseline import baseline_of
from pellucid.models import Normalise

Fill = float | Literal["zero", "mean", "blur", "noise"]
"""A value of all pixels; what the network's normalisation makes a zero; each channel's mean over its own image; the
image blurred; or uniform noise, the same at every step."""


def filled(case: Case, fill: Fill) -> Float[Tensor, "b c h w"]:
    """Each image with all of its pixels taken away."""
    x = case.x
    if fill == "noise":
        return case.noise.stream("fill").uniform(*x.shape[1:], dtype=x.dtype)
    if fill == "zero":
        return _zero(case).to(x).expand_as(x)
    return baseline_of(x, fill)


def check_fill(owner: str, fill: Fill) -> None:
    """Refuse a value that no pixel has."""
    if not isinstance(fill, str) and not 0 <= fill <= 1:
        names = "'zero', 'mean', 'blur' or 'noise'"
        raise ConfigError(f"{owner} has fill={fill:g}; give a number in [0, 1], {names}")


def _zero(case: Case) -> Tensor:
    """The mean that the network subtracts; 0 where it takes images as they are."""
    for module in case.model.modules():
        if isinstance(module, Normalise) and module.mean is not None:
            return module.mean[:, None, None]
    return torch.zeros(())

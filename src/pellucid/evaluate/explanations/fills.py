"""What is shown in the place of pixels that are taken away."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.explainers.baseline import Baseline, baseline_of, changed
from pellucid.models import subtracted

Fill = Baseline | Literal["zero", "noise"]
"""What a map may start from; what the network makes a zero, which is the mean that it subtracts or black; or uniform
noise, the same at every step."""


def filled(case: Case, fill: Fill) -> Float[Tensor, "b c h w"]:
    """Each image with all of its pixels taken away."""
    x = case.x
    if fill == "noise":
        return case.noise.stream("fill").uniform(*x.shape[1:], dtype=x.dtype)
    if fill == "zero":
        mean = subtracted(case.model, x)
        return torch.zeros_like(x) if mean is None else mean[:, None, None].expand_as(x)
    return baseline_of(x, fill, case.model)


def idle(case: Case, fill: Fill) -> Float[Tensor, " b"]:
    """The share of each image that is as the fill already: to take that away does nothing."""
    return 1 - changed(case.x, filled(case, fill)).flatten(1).double().mean(1)


def check_fill(owner: str, fill: Fill) -> None:
    """Refuse a value that no pixel has."""
    if not isinstance(fill, str) and not 0 <= fill <= 1:
        names = "'zero', 'mean', 'blur', 'network-mean' or 'noise'"
        raise ConfigError(f"{owner} has fill={fill:g}; give a number in [0, 1], {names}")

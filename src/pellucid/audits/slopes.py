"""Whether attacks that follow gradients have any to follow."""

import torch

from pellucid.data import sequential
from pellucid.errors import NoGradients
from pellucid.kinds import in_single
from pellucid.probe import Probe, frozen
from pellucid.subjects import Subject

_ROWS = 8

NONE = "no gradient leads from the network's logits to its pixels"
FLAT = "the gradient of every logit is zero at all images looked at"


def without_slopes(subject: Subject) -> str:
    """Why no search can follow this network's gradients, told from a few images; empty where one can."""
    some = subject.split.take(_ROWS)
    (batch,) = some.batches(sequential(some, len(some)))
    model = in_single(subject.model, batch.x)
    with frozen(model), torch.enable_grad():
        probe = Probe(model, batch, second_order=False)
        predicted, least = probe.logits.detach().argmax(1), probe.logits.detach().argmin(1)
        try:
            slopes = [probe.gradient(of, detached=True) for of in (predicted, least)]
        except NoGradients:
            return NONE
    return "" if any(bool((slope != 0).any()) for slope in slopes) else FLAT

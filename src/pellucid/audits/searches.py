"""The attacks behind figures: along gradients where there are some, else by what the network says alone."""

import torch

from pellucid.attacks import APGD, DDN, FMN, PGD, Attack, Goal, Square, WorstOf
from pellucid.data import sequential
from pellucid.errors import NoGradients
from pellucid.kinds import in_single
from pellucid.norms import RMS
from pellucid.probe import Probe, frozen
from pellucid.protocols import Norm
from pellucid.subjects import Subject

QUERIES = 50
"""So many looks without a gradient stand for a step along one."""


def bounded(eps: float, norm: Norm, steps: int) -> Attack:
    """An attack that climbs the cross-entropy, and then the margin of what still stands."""
    climb = APGD(eps=eps, steps=steps, loss="margin", norm=norm)
    return WorstOf((PGD(eps=eps, steps=steps, norm=norm), climb))


def blindly(eps: float, norm: Norm, steps: int) -> Attack:
    """The attack in its stead on a network whose gradients lead nowhere: by what it says alone."""
    return Square(eps=eps, norm=norm, queries=QUERIES * steps)


def nearest(goal: Goal, steps: int) -> Attack:
    """The nearer of two searches of different kinds: in a ball, and on a sphere with half as many steps."""
    return WorstOf((FMN(steps=steps, norm=RMS(), goal=goal), DDN(steps=max(1, steps // 2), norm=RMS(), goal=goal)))


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

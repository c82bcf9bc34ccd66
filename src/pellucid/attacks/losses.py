"""Losses that attacks climb, image by image; what is targeted names a rival class for each image."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attacks.goals import lead
from pellucid.attacks.victim import Images, Victim
from pellucid.registry import Registry

Logits = Float[Tensor, "b classes"]
Labels = Int[Tensor, " b"]
Losses = Float[Tensor, " b"]

_TINY = 1e-12  # keeps the ratios below finite where all logits are equal


def cross_entropy(logits: Logits, y: Labels, rival: Labels) -> Losses:
    """The label's cross-entropy, whoever the rival."""
    return F.cross_entropy(logits, y, reduction="none")


def margin(logits: Logits, y: Labels, rival: Labels) -> Losses:
    """The largest other logit above the label's, whoever the rival."""
    return -lead(logits, y)


def dlr(logits: Logits, y: Labels, rival: Labels) -> Losses:
    """The margin over the spread of the largest three logits (Croce and Hein 2020): blind to shift and scale.

    Of two classes no such spread is left beside the margin, which is then taken as it is.
    """
    if logits.shape[1] < 3:
        return margin(logits, y, rival)
    top = logits.topk(3, dim=1).values
    return -lead(logits, y) / (top[:, 0] - top[:, 2] + _TINY)


def targeted_cross_entropy(logits: Logits, y: Labels, rival: Labels) -> Losses:
    """The log-probability of the rival class, which the attack raises."""
    return -F.cross_entropy(logits, rival, reduction="none")


def targeted_dlr(logits: Logits, y: Labels, rival: Labels) -> Losses:
    """The rival's logit above the label's, over the spread of the largest four; of fewer classes as `dlr` does."""
    ahead = logits.gather(1, rival[:, None]) - logits.gather(1, y[:, None])
    classes = logits.shape[1]
    if classes < 3:
        return ahead.squeeze(1)
    top = logits.topk(min(classes, 4), dim=1).values
    return ahead.squeeze(1) / (top[:, 0] - top[:, 2:].mean(1) + _TINY)


Loss = Callable[[Tensor, Tensor, Tensor], Tensor]

LOSSES: Registry[Loss] = Registry(
    "loss",
    {
        "cross-entropy": cross_entropy,
        "margin": margin,
        "dlr": dlr,
        "targeted-cross-entropy": targeted_cross_entropy,
        "targeted-dlr": targeted_dlr,
    },
)


def climbed(victim: Victim, x: Images, rival: Int[Tensor, " b"], loss: Loss, samples: int) -> tuple[Tensor, Images]:
    """The logits, and the gradient of the loss; means of several passes, for networks that answer at random."""

    def score(logits: Tensor, y: Tensor) -> Tensor:
        return loss(logits, y, rival)

    looks = [victim.ascent(x, score) for _ in range(samples)]
    if samples == 1:
        return looks[0]
    return torch.stack([logits for logits, _ in looks]).mean(0), torch.stack([slope for _, slope in looks]).mean(0)

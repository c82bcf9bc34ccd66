"""Sums over masks from which a linear model follows; they do not grow with the number of masks."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Sums:
    """What is kept of masks z, their weights π and answers y: sums of 1, π, π², πz, πzzᵀ, πzy, πy and πy².

    Answers are counted from that to the first mask, so that a network that says the same always is exactly 0.
    """

    def __init__(self, images: int, classes: int, features: int, device: torch.device) -> None:
        def zeros(*shape: int) -> Tensor:
            return torch.zeros(images, *shape, dtype=torch.float64, device=device)

        self.count = zeros()
        self.weight = zeros()
        self.square = zeros()
        self.z = zeros(features)
        self.zz = zeros(features, features)
        self.zy = zeros(features, classes)
        self.y = zeros(classes)
        self.yy = zeros(classes)
        self.first: Tensor | None = None

    def add(
        self,
        masks: Bool[Tensor, "b m d"],
        weights: Float[Tensor, "b m"],
        answers: Float[Tensor, "b m k"],
        used: Bool[Tensor, "b m"],
    ) -> None:
        """More masks; those that are not `used` count for nothing."""
        if self.first is None:
            self.first = answers[:, 0].clone()
        y = (answers - self.first[:, None]) * used[..., None]
        weights = weights * used
        z = masks.double()
        weighted = (z * weights[..., None]).mT
        self.count += used.sum(1)
        self.weight += weights.sum(1)
        self.square += weights.square().sum(1)
        self.z += weighted.sum(2)
        self.zz += weighted @ z
        self.zy += weighted @ y
        self.y += (weights[..., None] * y).sum(1)
        self.yy += (weights[..., None] * y.square()).sum(1)

"""Weighted ridge regression from sums over masks, which do not grow with their number, for many images at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_SELECTING = 0.01  # the penalty of the fit that selects, in the package `lime`


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


@dataclass(frozen=True, eq=False)
class Fit:
    """The linear models that fit best, and how well. `short` are images with too few masks to determine them."""

    coefficients: Float[Tensor, "b k d"]
    standard_errors: Float[Tensor, "b k d"]
    intercepts: Float[Tensor, "b k"]
    r2: Float[Tensor, "b k"]
    adjusted_r2: Float[Tensor, "b k"]
    short: Bool[Tensor, " b"]


def best_fit(sums: Sums, live: Bool[Tensor, "b d"], alpha: float, features: int) -> Fit:
    """What minimizes Σ π (y - b - zᵀβ)² + alpha ‖β‖², with standard errors from what remains.

    The intercept is not penalized. Only `live` coefficients are other than 0 and, with `features`, only so many of
    each class: the largest of a fit of all.
    """
    assert sums.first is not None
    mean, answer = sums.z / sums.weight[:, None], sums.y / sums.weight[:, None]
    gram = sums.zz - sums.weight[:, None, None] * mean[:, :, None] * mean[:, None]
    slope = (sums.zy - sums.z[:, :, None] * answer[:, None]).mT  # b k d
    total = (sums.yy - sums.weight[:, None] * answer.square()).clamp_min(0)
    live = live[:, None]  # b 1 d
    if features:
        largest = _solve(gram, slope, _SELECTING, live)[0].abs().sort(dim=-1, descending=True, stable=True).indices
        live = torch.zeros_like(slope, dtype=torch.bool).scatter(2, largest[..., :features], True) & live
    coefficients, spread, short = _solve(gram, slope, alpha, live)
    fitted = (coefficients.unsqueeze(-2) @ gram[:, None] @ coefficients.unsqueeze(-1)).flatten(2).squeeze(-1)
    residual = (total - 2 * (coefficients * slope).sum(-1) + fitted).clamp_min(0)
    # what rounding leaves where the answers never vary
    residual = residual.where(total > 0, 0.0)
    r2 = 1 - residual / total.where(total > 0, 1.0)
    freedom = sums.count[:, None] - live.sum(-1) - 1
    enough, spare = freedom > 0, freedom.clamp_min(1)
    variance = (residual / spare).where(enough, torch.inf)
    errors = (variance.sqrt()[..., None] * spread.sqrt()).where(live & (spread > 0), 0.0)
    return Fit(
        coefficients,
        errors,
        sums.first + answer - (coefficients * mean[:, None]).sum(-1),
        r2,
        (1 - (1 - r2) * (sums.count[:, None] - 1) / spare).where(enough, -torch.inf),
        short,
    )


def _solve(
    gram: Float[Tensor, "b d d"], slope: Float[Tensor, "b k d"], alpha: float, live: Bool[Tensor, "b q d"]
) -> tuple[Float[Tensor, "b k d"], Float[Tensor, "b q d"], Bool[Tensor, " b"]]:
    """Coefficients; their variances for a residual variance of 1; and which images are short.

    The variances are the diagonal of A⁻¹GA⁻¹ with A = G + alpha I.

    `live` are the coefficients to fit: the same ones for all classes (q = 1), whose systems then share one factor, or
    those of each. Others get a system of their own, whose solution is 0.
    """
    both = live[..., None] & live[..., None, :]
    inner = gram[:, None].where(both, 0.0)
    system = inner + torch.diag_embed(torch.where(live, alpha, 1.0))
    right = slope.where(live, 0.0)
    right = right.mT[:, None] if live.shape[1] == 1 else right.unsqueeze(-1)  # b q d (k or 1)
    factor, failed = torch.linalg.cholesky_ex(system)
    if alpha > 0 and not bool(failed.any()):
        solution, inverse = torch.cholesky_solve(right, factor), torch.cholesky_inverse(factor)
        short = torch.zeros(len(gram), dtype=torch.bool, device=gram.device)
    else:
        values, vectors = torch.linalg.eigh(system)
        kept = values > values[..., -1:] * values.shape[-1] * torch.finfo(values.dtype).eps
        inverse = (vectors * (1 / values).where(kept, 0.0)[..., None, :]) @ vectors.mT
        solution = inverse @ right
        short = ~kept.flatten(1).all(1)
    solution = (solution[:, 0].mT if live.shape[1] == 1 else solution.squeeze(-1)).where(live, 0.0)
    # A⁻¹GA⁻¹ = A⁻¹ - alpha A⁻², since G = A - alpha I
    spread = (inverse.diagonal(dim1=-2, dim2=-1) - alpha * inverse.square().sum(-1)).clamp_min(0).where(live, 0.0)
    return solution, spread, short

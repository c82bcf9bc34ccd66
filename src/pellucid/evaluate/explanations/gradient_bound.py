"""How gradients turn in the neighborhood of an image, and what bounds that."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.evaluate.explanations.nearby import check_draws
from pellucid.explainers.room import Room
from pellucid.metrics.agreement.pearson import normalized
from pellucid.norms import Linf
from pellucid.papers import JOO, cites
from pellucid.probe import Probe


@cites(JOO)
@final
@dataclass(frozen=True)
class GradientBound(Metric):
    """The mean cosine distance between an image's gradient and those of its neighbors, and bounds for it.

    The distance is (1 - cosine) / 2, which no factor of the network changes. It is at most the squared ratio of the
    gradients' difference to the sum of their lengths, and that is at most the ratio of the difference to the
    neighbor's length: so a small Hessian is not enough where gradients are small too (Joo et al. 2023).

    Neighbors are `draws` noisy copies that are not clipped. Noise is uniform in [-eps, eps] for each pixel, or
    normal with the deviation eps. `probes` random directions estimate the size of the Hessian.
    """

    eps: float = 4 / 255
    draws: int = 10
    noise: Literal["uniform", "normal"] = "uniform"
    probes: int = 10
    better: ClassVar = "lower"
    needs: ClassVar = "network"

    def __post_init__(self) -> None:
        check_draws("gradient-bound", self.eps, self.draws)
        if self.probes < 1:
            raise ConfigError(f"gradient-bound has probes={self.probes}; it needs 1 or more")

    @property
    def low(self) -> float:
        """The least that a value can be: all gradients point the same way."""
        return 0.0

    @property
    def high(self) -> float:
        """They point the opposite way."""
        return 1.0

    @property
    def undefined(self) -> str:
        """Why an image may have no value: a gradient of zero points nowhere."""
        return "the gradient is zero, at the image or at a neighbor"

    @property
    def ignores_sign(self) -> bool:
        """Whether the sign of maps makes no difference: no explainer's maps are looked at."""
        return True

    @property
    def cost(self) -> str:
        """A product costs about as much as two gradients."""
        return f"{self.draws + 1} gradients and {self.draws + self.probes} products with the Hessian"

    def scores(self, case: Case) -> Columns:
        """The distance, and means over draws of what bounds it."""
        room, done, parts = Room(case.memory, case.x), 0, list[Columns]()
        while done < len(case):
            part = case.rows(slice(done, done + room.rows))
            try:
                with torch.enable_grad():
                    parts.append(self._part(part, room))
            except RuntimeError as error:
                if not room.halve(error):
                    raise
                continue
            done += len(part)
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _part(self, case: Case, room: Room) -> Columns:
        here = Probe(case.model, case.batch)
        room.weigh(case.model, here.logits)
        gradient = here.gradient(case.of).detach()
        draws = list[Mapping[str, Tensor]]()
        for number in range(self.draws):
            step = self._step(case, number)
            there = Probe(case.model, case.batch.at(case.x + step), second_order=False).gradient(case.of)
            draws.append(_compared(gradient, there.detach(), here.curvature(step, case.of).detach()))
        found = {name: torch.stack([draw[name] for draw in draws]).mean(0) for name in draws[0]}
        return {**found, "hessian": self._hessian(case, here)}

    def _step(self, case: Case, number: int) -> Tensor:
        noise = case.noise.stream("gradient-bound", number)
        if self.noise == "uniform":
            return Linf().random(case.x, self.eps, noise)
        return self.eps * noise.normal(*case.x.shape[1:], dtype=case.x.dtype)

    def _hessian(self, case: Case, here: Probe) -> Tensor:
        """Hutchinson's estimate: the mean square of products with normal vectors is the sum of squared entries."""
        total = torch.zeros(len(case), dtype=torch.float64, device=case.x.device)
        for number in range(self.probes):
            noise = case.noise.stream("hessian", number)
            vectors = noise.normal(*case.x.shape[1:], dtype=case.x.dtype)
            total += _length(here.curvature(vectors, case.of).detach()).square()
        return (total / self.probes).sqrt()


def _compared(gradient: Tensor, there: Tensor, bent: Tensor) -> Mapping[str, Tensor]:
    own, other = gradient.flatten(1).double(), there.flatten(1).double()
    length, own_length, change, first_order = _length(other), _length(own), _length(other - own), _length(bent)
    # of vectors of length 1, since rounding eats the difference of a cosine near 1 from 1
    turned = (normalized(own) - normalized(other)).square().sum(1) / 4
    return {
        "value": torch.where((own_length > 0) & (length > 0), turned, math.nan),
        "bound": (change / (own_length + length)).square(),
        "loose_bound": change / length,
        "first_order_bound": first_order / length,
        "squared_change": change.square(),
        "first_order_change": first_order,
        "neighbor_length": length,
    }


def _length(rows: Tensor) -> Tensor:
    return torch.linalg.vector_norm(rows.flatten(1).double(), dim=1)

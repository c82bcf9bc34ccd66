"""What the metrics have in common that attack the explanation first."""

from dataclasses import dataclass, field
from typing import ClassVar

import torch

from pellucid.attacks.explanations import Aim, ExplanationAttack, Frame, Manipulated
from pellucid.attacks.explanations.attack import Optimizer
from pellucid.attacks.explanations.scene import Keep
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric
from pellucid.explainers import Gradient
from pellucid.metrics.agreement.planar import Sign
from pellucid.norms import Linf
from pellucid.protocols import Explains, Norm


@dataclass(frozen=True)
class Manipulation(Metric):
    """A metric of images whose maps were attacked, by an `ExplanationAttack` with these settings."""

    needs: ClassVar = "explainer"

    aim: Aim = field(default_factory=Frame)
    eps: float = 4 / 255
    norm: Norm = field(default_factory=Linf)
    steps: int = 100
    optimizer: Optimizer = "adam"
    restarts: int = 1
    keep: Keep = "logits"
    softplus: float = 20.0
    sign: Sign = "absolute"
    last: bool = False

    def __post_init__(self) -> None:
        self.attack(Gradient())  # which looks at all settings

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that images must have: those that the aim reads."""
        return self.aim.needed

    @property
    def undefined(self) -> str:
        """No map to compare, or no attack to speak of."""
        return "a map is constant, or the search had no slope to follow"

    @property
    def cost(self) -> str:
        """Every step explains, and takes the map's slope."""
        return f"{self.restarts * self.steps} explanations and their slopes"

    def attack(self, explainer: Explains) -> ExplanationAttack:
        """The attack on what an explainer says."""
        return ExplanationAttack(
            explainer,
            self.aim,
            self.eps,
            self.norm,
            self.steps,
            optimizer=self.optimizer,
            restarts=self.restarts,
            keep=self.keep,
            softplus=self.softplus,
            sign=self.sign,
            last=self.last,
        )


def manipulated(case: Case, attack: ExplanationAttack) -> Manipulated:
    """The images of a case after an attack on what is said of them."""
    return attack.on(case.model, case.batch, case.of, seed=case.seed)


def attacked(explainer: Explains | None) -> Explains:
    """The explainer of a metric that needs one."""
    assert explainer is not None, "a metric that explains says so in `needs`"
    return explainer


def found_out(found: Manipulated) -> Columns:
    """What is worth keeping of an attack: how far it went, and what became of the network's answer."""
    return {"kept": found.kept, "distance": found.distance, "shift": found.shift, "blind": found.blind}


def unless_blind(value: torch.Tensor, found: Manipulated) -> torch.Tensor:
    """No value where the search saw nothing."""
    return torch.where(found.blind, torch.nan, value)

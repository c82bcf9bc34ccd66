"""Entries that work on networks of one kind only bring their own to the suites."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from pellucid.attacks import Attack, Goal, Misclassified, Victim
from pellucid.attacks.attack import check_budget
from pellucid.errors import ConfigError
from pellucid.explainers import Explainer
from pellucid.norms import Linf
from pellucid.probe import Probe
from pellucid.protocols import Norm
from pellucid.testing import AttackConformance, ExplainerConformance


class Templates(nn.Module):
    """A network whose logits are how alike an image is to a template of each class."""

    def __init__(self, classes: int, shape: tuple[int, int, int], dtype: torch.dtype) -> None:
        super().__init__()
        drawn = torch.randn(classes, *shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
        self.templates = nn.Parameter(drawn)

    def forward(self, x: Tensor) -> Tensor:
        return (x - 0.5).flatten(1) @ self.templates.flatten(1).T


def templates(network: nn.Module) -> Tensor:
    """The templates of a network that has some."""
    for module in network.modules():
        if isinstance(module, Templates):
            return module.templates
    raise ConfigError("this network has no templates")


class OnTemplates:
    def network(
        self, *, classes: int = 4, channels: int = 1, size: int = 6, dtype: torch.dtype = torch.float64
    ) -> nn.Module:
        return Templates(classes, (channels, size, size), dtype).eval()


@dataclass(frozen=True)
class OfTemplate(Explainer):
    """The template of the class, where the image is bright."""

    def maps(self, probe: Probe, of: Tensor, rows: int) -> Tensor:
        return templates(probe.network)[of] * probe.x


@dataclass(frozen=True)
class AwayFromTemplate(Attack):
    """A step away from the template of the label, as long as the budget allows."""

    eps: float = 0.1
    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)

    def __post_init__(self) -> None:
        check_budget(self.eps, self.norm, "AwayFromTemplate")

    @property
    def budget(self) -> float:
        return self.eps

    def search(self, victim: Victim) -> Tensor:
        return victim.x - self.eps * templates(victim.model)[victim.y].detach().sign()


class TestOfTemplate(OnTemplates, ExplainerConformance):
    explainer = OfTemplate()

    def test_its_settings_are_read_back_as_they_were_written(self) -> None:
        pytest.skip("it is not listed under a name")


class TestAwayFromTemplate(OnTemplates, AttackConformance):
    attack = AwayFromTemplate()

    def test_its_settings_are_read_back_as_they_were_written(self) -> None:
        pytest.skip("it is not listed under a name")


def test_without_its_network_the_suite_fails() -> None:
    class Plain(ExplainerConformance):
        explainer = OfTemplate()

    with pytest.raises(ConfigError, match="no templates"):
        Plain().test_the_same_seed_gives_the_same_bits()

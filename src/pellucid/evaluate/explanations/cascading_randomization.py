"""Whether a map depends on what the network has learned."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import hooks
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.metric import Columns, Metric, Needs
from pellucid.hooks import hooked
from pellucid.kinds import copied
from pellucid.looking import look
from pellucid.metrics.agreement import Similarity, Spearman
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import ADEBAYO, cites
from pellucid.randomness import derive, seeded

_WHY = "so none of its layers can be drawn anew"


@cites(ADEBAYO)
@final
@dataclass(frozen=True)
class CascadingRandomization(Metric):
    """How alike the map still is when layers are drawn anew, from the output to the input (Adebayo et al. 2018).

    `order` redraws one layer after the other on top of those before, or each one alone. Maps are compared at no more
    than `stages` layers, evenly chosen, the last always among them. The value is the similarity where `all` layers
    are drawn anew, or the `mean` over the stages; either is the mean over `draws` random networks.
    """

    better: ClassVar = "lower"
    needs: ClassVar[Needs] = "explainer"
    order: Literal["cascading", "independent"] = "cascading"
    report: Literal["all", "mean"] = "all"
    stages: int = 8
    draws: int = 3
    similarity: Similarity = field(default_factory=Spearman)
    sign: Sign = "absolute"

    def __post_init__(self) -> None:
        for name, value in (("stages", self.stages), ("draws", self.draws)):
            if value < 1:
                raise ConfigError(f"cascading-randomization has {name}={value}; give 1 or more")
        if self.order == "independent" and self.report == "all":
            raise ConfigError(
                "cascading-randomization never draws all layers anew with order='independent'; set report='mean'"
            )

    @property
    def low(self) -> float:
        """The least that a value can be: that of the similarity."""
        return min(self.similarity.low, 0.0)

    @property
    def high(self) -> float:
        """The map is what it was."""
        return 1.0

    @property
    def undefined(self) -> str:
        """The map of the network itself cannot be compared with any."""
        return "the map is constant"

    @property
    def cost(self) -> str:
        """A map from each changed network."""
        return f"up to {self.stages * self.draws} explanations"

    def scores(self, case: Case) -> Columns:
        """The value, that of each draw, and the similarity at each stage after so many layers from the output."""
        layers = layers_from_the_output(case.model, case.x)
        if not layers:
            raise ConfigError("this network has no layer with parameters; there is nothing to draw anew")
        places, original = stages_of(len(layers), self.stages), planes(case.maps, self.sign)
        found = torch.stack([self._draw(case, original, layers, places, draw) for draw in range(self.draws)], 1)
        # a changed map that is constant has nothing left of the one before
        found = torch.where(self.similarity(original, original).isnan()[:, None, None], math.nan, found.nan_to_num(0))
        draws = found[:, :, -1] if self.report == "all" else found.mean(2)
        depth = torch.tensor(places, device=case.x.device).expand(len(case), -1)
        return {"value": draws.mean(1), "draws": draws, "similarity": found.mean(1), "layer": depth}

    def _draw(
        self, case: Case, original: Tensor, layers: tuple[str, ...], places: tuple[int, ...], draw: int
    ) -> Tensor:
        seed = derive(case.seed, "cascading-randomisation", draw)
        networks = _cascading if self.order == "cascading" else _independent
        return torch.stack(
            [
                self.similarity(original, planes(case.explained_by(network, case.x), self.sign)).double()
                for network in networks(case.model, layers, places, seed)
            ],
            1,
        )


def stages_of(layers: int, stages: int) -> tuple[int, ...]:
    """After which layers maps are compared, counted from the output and from 1."""
    stages = min(layers, stages)
    return tuple(math.ceil(layers * number / stages) for number in range(1, stages + 1))


def _cascading(model: nn.Module, layers: tuple[str, ...], places: tuple[int, ...], seed: int) -> Iterator[nn.Module]:
    network = copied(model, _WHY)
    for number, layer in enumerate(layers, 1):
        redraw(network, layer, seed)
        if number in places:
            yield network


def _independent(
    model: nn.Module, layers: tuple[str, ...], places: tuple[int, ...], seed: int
) -> Iterator[nn.Module]:
    for place in places:
        network = copied(model, _WHY)
        redraw(network, layers[place - 1], seed)
        yield network


@torch.no_grad()
def layers_from_the_output(model: nn.Module, x: Float[Tensor, "b *shape"]) -> tuple[str, ...]:
    """The names of the modules that own parameters or running statistics, the last to be called first.

    A module that is never called itself comes where the one that it is part of is called.
    """
    calls: dict[str, int] = {}

    modules = dict(model.named_modules())
    names = {module: name for name, module in modules.items()}

    def note(module: nn.Module, _inputs: object) -> None:
        calls.setdefault(names[module], len(calls))

    with hooked(names, note, before=True):
        look(model, x[:1])
    places = {name: (_called(name, calls), number) for number, name in enumerate(modules)}
    own = [name for name, module in modules.items() if _owns(module)]
    return tuple(sorted(own, key=lambda name: places[name], reverse=True))


@torch.no_grad()
def redraw(model: nn.Module, layer: str, seed: int) -> None:
    """Give a layer new parameters, the same ones for a seed on any device.

    It is initialized as its class does it, and its running statistics with it; what the class does not initialize is
    drawn from a normal distribution of the same mean and spread.
    """
    module = dict(model.named_modules())[layer]  # a compiled program knows no other way
    # only the CPU's generator is seeded: the same numbers for a network on any device
    with seeded(derive(seed, layer)), torch.device("cpu"):
        fresh = _initialized(module)
        for name, parameter in module.named_parameters(recurse=False):
            parameter.copy_(fresh[name] if name in fresh else _alike(parameter))
    for name, buffer in module.named_buffers(recurse=False):
        buffer.copy_(fresh.get(name, buffer))


def _initialized(module: nn.Module) -> Mapping[str, Tensor]:
    """Parameters and running statistics as the module's class initializes them, as far as it does."""
    # one with modules of its own might initialize those as well
    if not callable(getattr(module, "reset_parameters", None)) or list(module.children()):
        return {}
    fresh = hooks.deep_copy(module).cpu()
    for parameter in fresh.parameters(recurse=False):
        parameter.fill_(math.nan)  # which stays where nothing is initialized: a weight that is made of others
    fresh.reset_parameters()  # pyright: ignore[reportCallIssue]
    found = [*fresh.named_parameters(recurse=False), *fresh.named_buffers(recurse=False)]
    return {name: tensor for name, tensor in found if not tensor.isnan().any()}


def _alike(parameter: Tensor) -> Tensor:
    drawn = torch.normal(0.0, 1.0, parameter.shape, generator=torch.default_generator)
    return parameter.mean() + parameter.std(correction=0) * drawn.to(parameter)


def _owns(module: nn.Module) -> bool:
    resettable = callable(getattr(module, "reset_parameters", None))
    return any(True for _ in module.parameters(recurse=False)) or (
        resettable and any(True for _ in module.buffers(recurse=False))
    )


def _called(name: str, calls: dict[str, int]) -> int:
    while name not in calls:
        name = name.rpartition(".")[0]
    return calls[name]

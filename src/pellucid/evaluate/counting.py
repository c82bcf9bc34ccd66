"""How many passes a question takes, found out on a network of a few weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import final

import torch
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.data import Split, TensorSplit, sequential
from pellucid.evaluate.explanations.metric import Metric
from pellucid.evaluate.explanations.passes import Passes, counted
from pellucid.explainers import Explainer
from pellucid.explainers.explainer import images_of
from pellucid.probe import Probe, slope
from pellucid.randomness import Noise, derive, seeded

Shape = tuple[int, int, int]
_SIDE = 32  # pixels; larger images would take as many passes, and longer to count them


@lru_cache(maxsize=1024)
def passes_of_maps(explainer: Explainer, shape: Shape, classes: int, *, graph: bool = False) -> Passes:
    """The passes that a map of one image takes; none are told where they hang on the network.

    With `graph` it can be differentiated, and is. What an explainer learns from is left out.
    """
    if (declared := explainer.forwards(torch.zeros(1, *shape))) is not None:
        return Passes(declared, declared if graph else 0)

    def ask(model: nn.Module, split: Split) -> None:
        batch = _batch(split)
        if not graph:
            ready = explainer.fit(model, batch.x) if explainer.learns else explainer
            ready.on(model, batch, "predicted")
            return
        x = batch.x.clone().requires_grad_()
        found = explainer.on(model, batch.at(x), batch.y, create_graph=True)
        slope(found.map.flatten(1).sum(1), x)

    return passes_of(shape, classes, ask, curved=graph)


@lru_cache(maxsize=1024)
def passes_of_scores(metric: Metric, explainer: Explainer, shape: Shape, classes: int) -> Passes:
    """The passes that a metric takes of one image beside its map.

    Told by an explainer of no cost that counts what it is asked for, so that a dear one need not be asked as often.
    """
    kind = explainer.differentiable, explainer.random, explainer.signed
    own, maps, graphs = _asked(metric, kind, shape, classes)
    found = own + passes_of_maps(explainer, shape, classes) * maps + Passes(aside=metric.aside(shape))
    return found + passes_of_maps(explainer, shape, classes, graph=True) * graphs if graphs else found


@lru_cache(maxsize=1024)
def _asked(metric: Metric, kind: tuple[bool, bool, bool], shape: Shape, classes: int) -> tuple[Passes, int, int]:
    """The passes of a metric itself, how many more maps it asks for, and how many to be differentiated."""
    asked = _Asked()
    free = _Free(*kind, asked)
    # of what looks at the network's own gradients, products with their slopes are seen only where they have some
    curved = metric.needs == "network"
    own = passes_of(
        shape, classes, lambda model, split: metric.on(model, _batch(split), explainer=free), curved=curved
    )
    # each time it was asked, the free one looked once, as every explainer does
    own = replace(own, forwards=max(0, own.forwards - asked.maps - asked.graphs))
    first = 0 if metric.needs == "network" else 1
    return own, max(0, asked.maps - first), asked.graphs


@dataclass
class _Asked:
    """How many maps an explainer was asked for, and how many to be differentiated."""

    maps: int = 0
    graphs: int = 0


@final
@dataclass(frozen=True)
class _Free(Explainer):
    """Maps that take no pass, of an explainer that is otherwise as another one."""

    is_differentiable: bool
    is_random: bool
    is_signed: bool
    asked: _Asked

    @property
    def differentiable(self) -> bool:
        return self.is_differentiable

    @property
    def random(self) -> bool:
        return self.is_random

    @property
    def signed(self) -> bool:
        return self.is_signed

    def maps(self, probe: Probe, of: Tensor, rows: int) -> Tensor:
        if probe.second_order:
            self.asked.graphs += len(of)
        else:
            self.asked.maps += len(of)
        x = images_of(probe)
        return x.square() + torch.linspace(0, 1, x[0].numel(), device=x.device, dtype=x.dtype).view(x.shape[1:])


def passes_of(
    shape: Shape, classes: int, ask: Callable[[nn.Module, Split], object], *, curved: bool = False
) -> Passes:
    """The passes that one image takes, told by asking about one of noise; none where that cannot be asked.

    How many passes an explainer or a metric makes hangs on its settings, hardly on the network, and little on how
    large images are. With `curved` the network's gradients have slopes.
    """
    shapes = [_smaller(shape), shape] if min(shape[1:]) > _SIDE else [shape]
    found = (_counted(_small(own, classes, curved=curved), own, classes, ask) for own in shapes)
    return next((passes for passes in found if passes is not None), Passes())


def _counted(
    model: nn.Module, shape: Shape, classes: int, ask: Callable[[nn.Module, Split], object]
) -> Passes | None:
    try:
        with counted(model) as passes:
            ask(model, _noise(shape, classes))
    except Exception:
        return None
    return passes


def _smaller(shape: Shape) -> Shape:
    channels, high, wide = shape
    least = min(high, wide)
    return channels, high * _SIDE // least, wide * _SIDE // least


def _noise(shape: Shape, classes: int) -> Split:
    noise = Noise(derive(0, "counting"), torch.zeros(1, dtype=torch.int64)).uniform(*shape)
    names = tuple(map(str, range(classes)))
    return TensorSplit((255 * noise).byte(), torch.zeros(1, dtype=torch.int64), names)


def _batch(split: Split) -> Batch:
    (batch,) = split.batches(sequential(split, len(split)))
    return batch


def _small(shape: Shape, classes: int, *, curved: bool) -> nn.Module:
    channels, height, width = shape
    stride = max(1, min(height, width) // 8)
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(channels, 4, 3, stride=stride, padding=1),
            nn.Softplus() if curved else nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, max(2, classes)),
        ).eval()

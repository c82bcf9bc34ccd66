"""A network at a few images, as a search for other maps sees it."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pellucid.attacks.explanations.aim import Aim, Planes
from pellucid.attacks.goals import lead
from pellucid.batch import Batch
from pellucid.metrics.agreement import Sign, planes, scaled
from pellucid.probe import Probe, slope
from pellucid.protocols import Explains

Images = Float[Tensor, "b *shape"]
Logits = Float[Tensor, "b classes"]
Keep = Literal["logits", "label", "nothing"]
"""What of the network's answer an attack on its explanation has to leave: logits, as a part of the loss; the class
with the largest of them, strictly; or nothing."""


@dataclass(frozen=True, eq=False)
class Look:
    """What there is at a point: the aim's loss and that which is searched by, for each image."""

    x: Images
    maps: Images
    logits: Logits
    aimed: Float[Tensor, " b"]
    loss: Float[Tensor, " b"]
    allowed: Bool[Tensor, " b"]


@dataclass(frozen=True, eq=False)
class Scene:
    """A network at a few images. `before` are the logits at them, by the network as it stands in this scene.

    `label` is what the network that is attacked says of them, and `reference` what the aim compares maps with.
    """

    model: nn.Module
    batch: Batch
    of: Int[Tensor, " b"]
    explainer: Explains
    aim: Aim
    keep: Keep
    gamma: float
    sign: Sign
    seed: int
    reference: Planes
    before: Logits
    label: Int[Tensor, " b"]

    def look(self, x: Images, *, graph: bool = False) -> Look:
        """The maps and logits of images; with `graph`, as what gradients can be taken of."""
        leaf = x.detach().clone().requires_grad_(graph)
        batch = self.batch.at(leaf)
        with torch.set_grad_enabled(graph):
            maps = self.explainer.on(self.model, batch, self.of, seed=self.seed, create_graph=graph).map
            aimed = self.aim.loss(scaled(planes(maps, self.sign)), self.reference)
            logits = answer(self.model, batch)
            loss = aimed
            if self.keep == "logits":
                loss = self.gamma * aimed + (1 - self.gamma) * (logits - self.before).square().mean(1)
        kept = logits.detach().argmax(1) == self.label
        return Look(leaf, maps, logits, aimed, loss, kept if self.keep == "label" else torch.ones_like(kept))

    def slope(self, look: Look, allowed: Bool[Tensor, " b"]) -> Images:
        """Which way the loss rises; where a point is not allowed, which way its label is lost."""
        with torch.enable_grad():
            wanted = torch.where(allowed, look.loss, -lead(look.logits, self.label))
        return slope(wanted, look.x)


def answer(model: nn.Module, batch: Batch) -> Logits:
    """The logits of a batch, whose images may want gradients."""
    if batch.x.requires_grad:
        return Probe(model, batch, second_order=False).logits
    with torch.no_grad():
        return Probe(model, batch, second_order=False).logits.detach()

"""Attacked images as a place to look at the classifier during training."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.attacks import Attack, Engine, Goal, LowestLoss
from pellucid.attacks.attack import Images
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.looking import look
from pellucid.probe import BatchNorm, Probe, frozen, parameters_at_rest
from pellucid.randomness import Noise, derive

AttackedTowards = Literal["goal", "divergence", "least-likely", "random-class"]


@dataclass(frozen=True)
class Attacked:
    """The batch after an attack; terms that name equal ones share one search and one forward pass.

    `towards` says what the attack climbs: its own `goal`; the `divergence` of the answer from that at the clean image
    (TRADES), which has no slope there, so that the search must start elsewhere; or the `least-likely` class of the
    clean image, or a `random-class` other than its label. `share` is the part of the images that is attacked, drawn
    image by image at each step; the others stay clean. With `vary` each step draws a budget up to the attack's.
    `mode` is that of the network during the search: published code often left it in `train`, with dropout on and
    BatchNorm's averages moved by every pass of the search. `batch_norm` is about the one pass that is trained on.
    """

    attack: Attack
    towards: AttackedTowards = "goal"
    share: float = 1.0
    vary: bool = False
    mode: Literal["eval", "train"] = "eval"
    batch_norm: BatchNorm = "as-published"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"share is {self.share}; it is the part of the images that is attacked, in (0, 1]")
        settings = {field.name for field in fields(cast("Any", self.attack))}
        if self.towards != "goal" and "goal" not in settings:
            raise ConfigError(f"{type(self.attack).__name__} has no goal of its own to change; leave towards out")
        if self.vary and "eps" not in settings:
            raise ConfigError(f"{type(self.attack).__name__} has no eps that could vary; leave vary out")
        if self.towards == "divergence" and getattr(self.attack, "start", "") == "here":
            raise ConfigError(
                f"{type(self.attack).__name__} has start='here', where the divergence has no slope; start in the ball"
            )

    def probe(self, clean: Probe) -> Probe:
        """The probe at the attacked images."""
        return clean.shared(self, lambda: clean.at(self._images(clean), batch_norm=self.batch_norm))

    def _images(self, clean: Probe) -> Float[Tensor, "b *shape"]:
        noise, network = clean.noise.stream("attacked"), clean.network
        batch = Batch.trusted(clean.x.detach(), clean.y, clean.batch.columns)
        with frozen(network) if self.mode == "eval" else parameters_at_rest(network):
            attack, batch = self._aimed(clean, batch, noise)
            if self.vary:
                part = (1 + derive(noise.seed, "budget")) / 2**62
                attack = _with(attack, eps=part * cast("Any", attack).eps)
            x = attack.points(network, batch, noise=noise, engine=Engine(clean.moment.precision))
        if self.share < 1:
            chosen = noise.stream("share").uniform() < self.share
            x = x.where(chosen.view(-1, *[1] * (x.dim() - 1)), batch.x)
        return x

    def _aimed(self, clean: Probe, batch: Batch, noise: Noise) -> tuple[Attack, Batch]:
        """The attack with the goal that is meant, and the batch with the labels that it goes by."""
        if self.towards == "goal":
            return self.attack, batch
        with torch.no_grad():
            answer = look(clean.network, batch.x)
        if self.towards == "divergence":
            return _with(self.attack, goal=Unlike(answer.log_softmax(1))), batch
        if self.towards == "least-likely":
            y = answer.argmin(1)
        else:
            classes = answer.shape[1]
            y = (batch.y + 1 + noise.stream("class").integers(classes - 1)) % classes
        return _with(self.attack, goal=LowestLoss()), Batch.trusted(batch.x, y, batch.columns)


@dataclass(frozen=True, eq=False)
class Unlike(Goal):
    """An answer as far from the given log-probabilities as there is, by the Kullback-Leibler divergence.

    It belongs to one batch: no image of it is ever done, and so none leaves.
    """

    answer: Images

    def progress(self, logits: Float[Tensor, "b classes"], y: Tensor) -> Float[Tensor, " b"]:
        """The divergence from the given answer."""
        return divergence(self.answer, logits)

    def margin(self, logits: Float[Tensor, "b classes"], y: Tensor) -> Float[Tensor, " b"]:
        """How far beyond the goal an image is: always short of it, since answers may always differ more."""
        return -torch.ones_like(logits[:, 0])


def divergence(answer: Float[Tensor, "b classes"], logits: Float[Tensor, "b classes"]) -> Float[Tensor, " b"]:
    """The Kullback-Leibler divergence of the logits' probabilities from given log-probabilities, per image."""
    return F.kl_div(logits.log_softmax(1), answer, reduction="none", log_target=True).sum(1)


def _with(attack: Attack, **changed: Any) -> Attack:
    return cast("Attack", replace(cast("Any", attack), **changed))

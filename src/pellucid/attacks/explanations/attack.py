"""A search for images near the given ones whose maps are others."""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields, replace
from typing import Literal, final, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pellucid.attacks.attack import check_box, check_budget, check_share_of_budget, check_steps
from pellucid.attacks.explanations.aim import Aim, Planes
from pellucid.attacks.explanations.frame import Frame
from pellucid.attacks.explanations.scene import Images, Keep, Scene, answer
from pellucid.attacks.pgd import inside
from pellucid.attacks.search import column, where
from pellucid.attacks.victim import usable
from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError, suggestion
from pellucid.kinds import in_single
from pellucid.memory import no_room, out_of_memory
from pellucid.metrics.agreement import Sign, planes, scaled
from pellucid.models.swapping import rectifiers_left, swapped
from pellucid.norms import L0, Linf
from pellucid.probe import frozen, slope
from pellucid.protocols import Explains, Norm
from pellucid.randomness import Noise

Optimizer = Literal["adam", "steepest"]
"""Adam's steps, as published, at which all pixels move; or the direction along which a loss falls most by a step of
this length in the norm: the sign in linf, the gradient itself in l2 and rms."""


@dataclass(frozen=True, eq=False)
class Manipulated:
    """What an attack on explanations came to, a row per image; all of it is of passes made afresh.

    `before` and `after` are the maps of the image and of `x`, for the class `of`. `kept` says where the network's
    answer is the same, `shift` is the squared change of its logits, summed. `loss_before` and `loss` are what was
    searched by. Where `blind` the search had no slope to follow although the map does change with the image: a map
    that held its own proves nothing there.
    """

    x: Images
    before: Images
    after: Images
    of: Int[Tensor, " b"]
    distance: Float[Tensor, " b"]
    kept: Bool[Tensor, " b"]
    shift: Float[Tensor, " b"]
    loss_before: Float[Tensor, " b"]
    loss: Float[Tensor, " b"]
    blind: Bool[Tensor, " b"]


@final
@dataclass(frozen=True)
class ExplanationAttack:
    """Steps in a ball around each image towards where an explainer's map is as the aim wants it.

    `keep` is what of the answer is to stay: "logits", as published, makes their mean squared change a part of the
    loss, 1 - `gamma` of it; "label" takes no point where the predicted class is another one. `step` is the length of
    a step as a fraction of `eps`; 0 stands for 4 / `steps`, as published. The best point is returned, the image
    itself where there is none better; with `last` it is that of the last step, as published.

    Maps of ReLU networks do not bend, so `nn.ReLU` modules are Softplus of this beta while slopes are taken
    (`softplus` = 0 leaves them). What a point is worth is decided by the network as it is.
    """

    explainer: Explains
    aim: Aim = field(default_factory=Frame)
    eps: float = 4 / 255
    norm: Norm = field(default_factory=Linf)
    steps: int = 100
    step: float = 0.0
    optimizer: Optimizer = "adam"
    restarts: int = 1
    keep: Keep = "logits"
    gamma: float = 0.5
    softplus: float = 20.0
    sign: Sign = "absolute"
    last: bool = False

    def __post_init__(self) -> None:
        owner = type(self).__name__
        if not self.explainer.differentiable:
            raise ConfigError(
                f"maps of {type(self.explainer).__name__} cannot be differentiated, so no search can follow them; "
                "take gradient, smoothgrad, integrated-gradients, guided-backprop, lrp or grad-cam"
            )
        check_budget(self.eps, self.norm, owner)
        check_steps(self.steps, owner)
        if isinstance(self.norm, L0):
            raise ConfigError(f"{owner} steps along all pixels at once, not in l0; take linf, l2, rms or l1")
        for name, choices in (("optimizer", get_args(Optimizer)), ("keep", get_args(Keep)), ("sign", get_args(Sign))):
            if (value := getattr(self, name)) not in choices:
                raise ConfigError(f"{owner} has {name}='{value}'{suggestion(value, choices)}")
        check_share_of_budget(self.step, owner, "4 / steps")
        if self.restarts < 1:
            raise ConfigError(f"{owner} has restarts={self.restarts}; it starts 1 time or more")
        if not 0 < self.gamma <= 1:
            raise ConfigError(
                f"{owner} has gamma={self.gamma:g}; it is the aim's part of the loss, above 0 and at most 1"
            )
        if not 0 <= self.softplus < math.inf:
            raise ConfigError(f"{owner} has softplus={self.softplus:g}; it is a beta above 0, or 0 for none")
        if self.last and self.keep == "label":
            raise ConfigError(f"{owner} has last=True, where the label may be lost; leave that out, or keep='logits'")

    def __call__(self, model: nn.Module, x: Images, of: int | Tensor | str, *, seed: int = 0) -> Manipulated:
        """Attack the maps of images; `of` is as for an explainer."""
        if isinstance(of, str) and of not in ("predicted", "runner-up"):
            raise ConfigError(f"of is '{of}'; give a class, a class for each image, 'predicted' or 'runner-up'")
        return self.on(model, Batch(x, torch.zeros(len(x), dtype=torch.long, device=x.device)), of, seed=seed)

    def on(
        self, model: nn.Module, batch: Batch, of: int | Tensor | str = "label", *, seed: int = 0, rows: int = 64
    ) -> Manipulated:
        """The same of a batch, whose columns the aim can read; `of` may also be "label".

        Each image's random numbers follow from the seed and its number in the split. `rows` images are searched at a
        time, or fewer where memory does not suffice: all that their maps are made of is kept for the slope.
        """
        if not len(batch):
            raise ShapeError("this batch has no images; an attack needs one or more")
        for name in self.aim.needed:
            batch.column(name)
        check_box(self.eps, self.norm, batch.x, type(self).__name__)
        batch = batch.at(batch.x.detach())
        model = in_single(model, batch.x)
        found, done = list[Manipulated](), 0
        with frozen(model):
            while done < len(batch):
                taken = slice(done, done + rows)
                try:
                    of_these = of[taken] if isinstance(of, Tensor) else of
                    found.append(self._part(model, batch.rows(taken), of_these, seed))
                except Exception as error:
                    if not out_of_memory(error):
                        raise
                    if rows == 1:
                        raise no_room(error) from error
                    rows //= 2
                    continue
                done += rows
        return Manipulated(*(torch.cat([getattr(one, name.name) for one in found]) for name in fields(Manipulated)))

    def target(self, maps: Images, batch: Batch) -> Planes:
        """What the aim compares maps with, as it sees them, for the maps that images have unchanged."""
        wanted = self.aim.reference(self.seen(maps), batch)
        return scaled(planes(wanted, self.sign) if wanted.dim() == 4 else wanted)

    def seen(self, maps: Images) -> Planes:
        """Maps as the aim sees them: one value per place, the largest absolute one at 1."""
        return scaled(planes(maps, self.sign))

    def _part(self, model: nn.Module, batch: Batch, of: int | Tensor | str, seed: int) -> Manipulated:
        x, explained = batch.x, self.explainer.on(model, batch, of, seed=seed)
        logits = usable(answer(model, batch))
        own = Scene(
            model,
            batch,
            explained.of,
            self.explainer,
            self.aim,
            self.keep,
            self.gamma,
            self.sign,
            seed,
            self.target(explained.map, batch),
            logits,
            logits.argmax(1),
        )
        swaps = self._swaps(model)
        with self._smooth(model):
            smooth = replace(own, before=answer(model, batch))
            left = rectifiers_left(model, batch.x) if swaps else ()
        if left:
            raise ConfigError(
                f"softplus={self.softplus:g} stands in for nn.ReLU modules, and this network calls "
                f"{' and '.join(left)} besides, where slopes would be lost; "
                "make each of them an nn.ReLU module, or give softplus=0"
            )
        before = own.look(x)
        noise = Noise(seed, batch.index.to(x.device)).stream("explanation attack")
        found = self._searched(own, smooth, before.loss, noise)
        after = own.look(found)
        return Manipulated(
            found,
            explained.map,
            after.maps,
            explained.of,
            self.norm.size(found - x),
            after.logits.argmax(1) == own.label,
            (after.logits - logits).square().sum(1),
            before.loss,
            after.loss,
            self._blind(own, smooth, explained.map, noise),
        )

    def _searched(self, own: Scene, smooth: Scene, loss: Float[Tensor, " b"], noise: Noise) -> Images:
        origin = best = own.batch.x
        lowest = torch.full_like(loss, torch.inf) if self.last else loss
        swaps = self._swaps(own.model)
        for restart in range(self.restarts):
            x = self._start(origin, restart, noise)
            descent = _Descent.begin(self.optimizer, self.norm, x)
            for _ in range(self.steps):
                with self._smooth(own.model):
                    look = smooth.look(x, graph=True)
                judged = own.look(x) if swaps and not self.last else look
                if not self.last:
                    best, lowest = _better(best, lowest, x, judged.loss.detach(), judged.allowed)
                change, descent = descent.step(smooth.slope(look, judged.allowed))
                x = inside(origin, x + self.eps * (self.step or 4 / self.steps) * change, self.norm, self.eps)
            judged = own.look(x)
            best, lowest = _better(best, lowest, x, judged.loss, judged.allowed)
        return best

    def _start(self, origin: Images, restart: int, noise: Noise) -> Images:
        if restart == 0 and self.aim.sloping:
            return origin
        return inside(origin, origin + self.norm.random(origin, self.eps, noise.stream(restart)), self.norm, self.eps)

    def _blind(self, own: Scene, smooth: Scene, maps: Images, noise: Noise) -> Bool[Tensor, " b"]:
        """Where the aim has no slope at a random point, whose map is another one all the same."""
        x = inside(
            own.batch.x,
            own.batch.x + self.norm.random(own.batch.x, self.eps, noise.stream("blind")),
            self.norm,
            self.eps,
        )
        with self._smooth(own.model):
            look = smooth.look(x, graph=True)
        # a map that says nothing, as Grad-CAM's may, has no slope by right
        flat = (slope(look.aimed, look.x) == 0).flatten(1).all(1) & (look.maps != 0).flatten(1).any(1)
        if not flat.any():
            return flat
        change = (own.look(x).maps - maps).flatten(1).abs().amax(1)
        return flat & (change > 1e-5 * maps.flatten(1).abs().amax(1))

    def _swaps(self, model: nn.Module) -> bool:
        return self.softplus > 0 and any(isinstance(module, nn.ReLU) for module in model.modules())

    def _smooth(self, model: nn.Module) -> AbstractContextManager[object]:
        return swapped(model, {"name": "softplus", "beta": self.softplus}) if self._swaps(model) else nullcontext()


def _better(
    best: Images, lowest: Float[Tensor, " b"], x: Images, loss: Float[Tensor, " b"], allowed: Bool[Tensor, " b"]
) -> tuple[Images, Float[Tensor, " b"]]:
    better = allowed & (loss < lowest)
    return where(better, x, best), torch.where(better, loss, lowest)


@dataclass(frozen=True, eq=False)
class _Descent:
    """Where to step next. Adam's moments are kept pixel by pixel, so no image knows of another."""

    optimizer: Optimizer
    norm: Norm
    first: Images
    second: Images
    number: int = 0

    @classmethod
    def begin(cls, optimizer: Optimizer, norm: Norm, x: Images) -> "_Descent":
        """No step made yet."""
        return cls(optimizer, norm, torch.zeros_like(x), torch.zeros_like(x))

    def step(self, gradient: Images) -> tuple[Images, "_Descent"]:
        """A step of length 1, and what there is to remember of it."""
        if self.optimizer == "steepest":
            return -self.norm.steepest(gradient), self
        number = self.number + 1
        first, second = 0.9 * self.first + 0.1 * gradient, 0.999 * self.second + 0.001 * gradient.square()
        mean, square = first / (1 - 0.9**number), second / (1 - 0.999**number)
        full = self.norm.size(torch.ones_like(gradient))
        direction = mean / (square.sqrt() + 1e-8) / column(full, gradient)
        return -direction, replace(self, first=first, second=second, number=number)

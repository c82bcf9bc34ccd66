"""What every metric of explanations is: a frozen value that gives each image's explanation a number."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pellucid.attacks.victim import usable
from pellucid.batch import Batch, check_labels
from pellucid.errors import ConfigError, MeasurementError, NotFinite, ShapeError, count_of
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.passes import counted
from pellucid.explainers import Explainer
from pellucid.explainers.room import full_pass
from pellucid.kinds import in_single
from pellucid.looking import look
from pellucid.metrics import Estimate
from pellucid.probe import frozen

Columns = Mapping[str, Tensor]
Needs = Literal["maps", "explainer", "network"]


@dataclass(frozen=True, eq=False)
class Scores:
    """What a metric says of each image; `value` is 0 where `defined` is false, and means nothing there.

    `columns` holds what else it found, a row per image. `forwards` and `backwards` are the images that went through
    the network in all, those of the maps that were made for it among them.
    """

    value: Float[Tensor, " b"]
    defined: Bool[Tensor, " b"]
    of: Int[Tensor, " b"]
    columns: Columns
    forwards: int
    backwards: int

    @property
    def mean(self) -> Estimate:
        """The mean over the images that have a value."""
        if not self.defined.any():
            raise MeasurementError(f"none of {count_of(len(self.value), 'image')} has a value; there is no mean")
        return Estimate.mean(self.value[self.defined])


class Metric(ABC):
    """A question about explanations. Final classes are frozen dataclasses listed in `METRICS`.

    `better` says which end is the good one, `low` and `high` between what a value lies. `needs` is what it looks at:
    maps alone, whoever made them; an explainer that it can ask more; or the network, of which it makes all it needs.
    `needed` names the columns that images must have. `undefined` is why an image may be without a value.

    How long maps are is the network's doing; a metric that is not blind to it says so: `ignores_scale` is then false.
    """

    registry: ClassVar[str] = "pellucid.evaluate.explanations:METRICS"
    better: ClassVar[Literal["higher", "lower", "neither"]]
    needs: ClassVar[Needs] = "maps"

    @property
    def low(self) -> float:
        """The least that a value can be."""
        return -math.inf

    @property
    def high(self) -> float:
        """The most that a value can be."""
        return math.inf

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return ()

    @property
    def undefined(self) -> str:
        """Why an image may have no value, as the end of "7 images have no value: ..."."""
        return "the map is constant"

    @property
    def ignores_scale(self) -> bool:
        """Whether an explainer whose maps are all multiplied by one positive number has the same values."""
        return True

    @property
    def ignores_sign(self) -> bool:
        """Whether an explainer whose maps all have the other sign has the same values, as `sign="absolute"` says."""
        return getattr(self, "sign", "signed") == "absolute"

    def resolved(self, shape: Sequence[int]) -> "Metric":
        """The same metric with numbers for what is "auto", as it judges maps of images of this shape."""
        return self

    @property
    @abstractmethod
    def cost(self) -> str:
        """What it costs per image beside the map itself, in words: "no pass", "10 explanations"."""

    def aside(self, shape: Sequence[int]) -> float:
        """The seconds that an image of this shape takes in which the network has no part, where they are many."""
        return 0.0

    @abstractmethod
    def scores(self, case: Case) -> Columns:
        """A column `value`, NaN where an image has none, and whatever else is worth keeping.

        The network is in evaluation mode and its parameters want no gradients.
        """

    @final
    def __call__(
        self,
        model: nn.Module,
        x: Float[Tensor, "b *shape"],
        of: int | Tensor | str = "predicted",
        *,
        explainer: Explainer | None = None,
        maps: Float[Tensor, "b *shape"] | None = None,
        seed: int = 0,
    ) -> Scores:
        """Judge the explanations of images: what `explainer` says, or `maps` that were made before."""
        if isinstance(of, str) and of not in ("predicted", "runner-up"):
            raise ConfigError(f"of is '{of}'; give a class, a class for each image, 'predicted' or 'runner-up'")
        batch = Batch(x, torch.zeros(len(x), dtype=torch.long, device=x.device))
        return self.on(model, batch, of, explainer=explainer, maps=maps, seed=seed)

    @final
    def on(
        self,
        model: nn.Module,
        batch: Batch,
        of: int | Tensor | str = "predicted",
        *,
        explainer: Explainer | None = None,
        maps: Float[Tensor, "b *shape"] | None = None,
        seed: int = 0,
        memory: int | None = None,
    ) -> Scores:
        """The same of a batch, whose columns it can read; `of` may also be "label"."""
        if not len(batch):
            raise ShapeError("this batch has no images; a metric needs one or more")
        self._check(batch, explainer, maps)
        model = in_single(model, batch.x)
        with frozen(model), counted(model) as passes:
            if maps is None and self.needs != "network":
                assert explainer is not None
                explanation = explainer.on(model, batch, of, seed=seed, memory=memory)
                classes, maps = explanation.of, explanation.map
            else:
                classes = _classes(model, batch, of)
            if maps is None:
                maps = batch.x.new_empty(len(batch), 0)
            x = batch.x.detach()
            case = Case(model, batch.at(x), classes, maps.detach().to(x), explainer, seed, memory)
            columns = {name: column.detach() for name, column in self.scores(case).items()}
        value = columns.pop("value").double()
        defined = ~value.isnan()
        if value[defined].isinf().any():
            raise NotFinite(f"{_name(self)} came out infinite; see whether the network's outputs are finite")
        # rounding may lead a little past an end
        value = value.nan_to_num(0).clamp(self.low, self.high).where(defined, 0)
        return Scores(value, defined, classes, columns, passes.forwards, passes.backwards)

    def _check(self, batch: Batch, explainer: Explainer | None, maps: Tensor | None) -> None:
        for name in self.needed:
            batch.column(name)
        if self.needs == "explainer" and explainer is None:
            raise ConfigError(f"{_name(self)} explains changed images, which no stored maps can; give an explainer")
        if self.needs == "maps" and explainer is None and maps is None:
            raise ConfigError(f"{_name(self)} judges maps; give maps, or an explainer that makes them")
        if maps is None:
            return
        if maps.shape != batch.x.shape:
            shown, wanted = tuple(maps.shape), tuple(batch.x.shape)
            raise ShapeError(f"maps are {shown} for images of {wanted}; give one value for each pixel")
        broken = ~maps.flatten(1).isfinite().all(1)
        if broken.any():
            raise NotFinite(
                f"maps of {int(broken.sum())} of {count_of(len(maps), 'image')} are NaN or infinite; leave those out"
            )


def _name(metric: Metric) -> str:
    return type(metric).__name__


def _classes(model: nn.Module, batch: Batch, of: int | Tensor | str) -> Int[Tensor, " b"]:
    # where nobody asks what is predicted, one image tells how many classes there are
    asked = batch.x if isinstance(of, str) and of in ("predicted", "runner-up") else batch.x[:1]
    with torch.no_grad():
        logits = torch.cat([look(model, part) for part in asked.split(full_pass(batch.x))])
    usable(logits, "a metric")
    match of:
        case Tensor():
            classes = of.to(batch.x.device)
        case int():
            classes = torch.full_like(batch.y, of)
        case "label":
            classes = batch.y
        case "predicted":
            classes = logits.argmax(1)
        case "runner-up":
            classes = logits.topk(2).indices[:, 1]
        case _:
            raise ConfigError(
                f"of is '{of}'; give a class, a class for each image, 'label', 'predicted' or 'runner-up'"
            )
    if classes.shape != batch.y.shape or classes.is_floating_point():
        shown = f"{tuple(classes.shape)} of {classes.dtype}"
        raise ShapeError(f"of is {shown} for {count_of(len(batch), 'image')}; give one whole number for each")
    check_labels(classes, logits.shape[1], "this batch")
    return classes

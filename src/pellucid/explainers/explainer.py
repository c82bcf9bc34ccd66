"""What every explainer is: a frozen value that says of each pixel how a class's logit hangs on it."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.batch import Batch, check_labels
from pellucid.errors import ConfigError, NotFinite, ShapeError, count_of
from pellucid.explainers.explanation import (
    Classes,
    Completeness,
    Explanation,
    Images,
    Remark,
    about_idle,
    notes,
)
from pellucid.explainers.room import in_parts
from pellucid.explainers.rounding import ROUNDED, rounding
from pellucid.probe import Probe

E = TypeVar("E", bound="Explainer")


class Explainer(ABC):
    """A way to make maps. Final classes are frozen dataclasses listed in `EXPLAINERS`.

    What `fit` has learned stands in fields without `init`, which are no settings; `with_learned` sets them.
    """

    registry: ClassVar[str] = "pellucid.explainers:EXPLAINERS"

    @property
    def random(self) -> bool:
        """Whether the maps depend on the seed."""
        return False

    @property
    def differentiable(self) -> bool:
        """Whether maps can be differentiated, for pixels and for parameters."""
        return True

    @property
    def signed(self) -> bool:
        """Whether maps tell what speaks for the class from what speaks against it; else they are never negative."""
        return True

    @property
    def legend(self) -> str:
        """What the colors of a picture of its map say."""
        if self.signed:
            return "red speaks for the class, blue against it"
        return "purple has no sign: the darker, the more it matters"

    @property
    def leads_to_image(self) -> bool:
        """Whether an image and its map together are the image that explains it."""
        return False

    @property
    def learns(self) -> bool:
        """Whether `fit` has to show it images before it can explain any."""
        return False

    def fit(self, model: nn.Module, images: Images, *, seed: int = 0) -> "Explainer":
        """The same explainer with what it has learned of these images; most learn nothing."""
        return self

    def resolved(self, shape: Sequence[int]) -> "Explainer":
        """The same explainer with numbers for what is "auto", as it explains images of this shape; of most, itself.

        What hangs on the image itself, and not on its shape alone, stays "auto".
        """
        return self

    def forwards(self, x: Images) -> int | None:
        """How many passes an image like these takes, where it makes none back and says so; most are counted."""
        return None

    def as_dear(self, model: nn.Module, x: Images) -> "Explainer":
        """One that takes about as many passes of images like these, whatever the network; of most, itself.

        It is another one where the passes hang on what the network says, which a few of the images tell.
        """
        return self

    @abstractmethod
    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """A map of each image for the logit of its class, with about `rows` rows in the network at once."""

    def due(self, probe: Probe, of: Classes, rows: int) -> Float[Tensor, " b"] | None:
        """What the map of each image adds up to if nothing gets lost; none where the method promises no sum."""
        return None

    def idle(self, probe: Probe, of: Classes, rows: int) -> Float[Tensor, " b"] | None:
        """Which share of each image is as the baseline already, so that it cannot show; none without a baseline."""
        return None

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """What has to be known about the maps that it has just made of these images; of most, nothing."""
        return ()

    def reach(self, found: Images) -> Float[Tensor, " b"] | None:
        """By how much each map says that the logit can move; none where maps are in no units of the logit."""
        return None

    def reads(self, probe: Probe, of: Classes) -> str:
        """What of this network it goes by, in words: which layer, which rules, which grid; of most, nothing."""
        return ""

    @final
    def __call__(
        self,
        model: nn.Module,
        x: Images,
        of: int | Tensor | str,
        *,
        seed: int = 0,
        create_graph: bool = False,
        memory: int | None = None,
    ) -> Explanation:
        """Explain images; each one's random numbers follow from the seed and its place among them.

        `of` is one class for all images, a class for each, "predicted", the class with the largest logit, or
        "runner-up", that with the next.
        """
        return self.on(model, unlabeled(x, of), of, seed=seed, create_graph=create_graph, memory=memory)

    @final
    def on(
        self,
        model: nn.Module,
        batch: Batch,
        of: int | Tensor | str = "label",
        *,
        seed: int = 0,
        create_graph: bool = False,
        memory: int | None = None,
    ) -> Explanation:
        """Explain a batch; each image's random numbers follow from the seed and its number in the split.

        `of` may also be "label": the class that the batch gives each image. With `create_graph` maps can be
        differentiated, for the pixels where `x` requires gradients and for all parameters that do. `memory` is how
        many bytes the network's passes may keep at once; what it is changes no map.
        """
        if create_graph and not self.differentiable:
            raise ConfigError(f"maps of {type(self).__name__} cannot be differentiated; leave create_graph out")
        given = batch if create_graph else batch.at(batch.x.detach())
        check_classes(given, of)
        found = Explanation.joined(
            in_parts(
                model,
                given,
                lambda probe, part, rows: self._explained(probe, classes_of(probe, of, part), rows),
                seed=seed,
                memory=memory,
                graph=create_graph,
            )
        )
        check_maps(type(self).__name__, found.map)
        return found

    def _explained(self, probe: Probe, of: Classes, rows: int) -> Explanation:
        graph = probe.second_order
        found = self.maps(probe, of, rows)
        found = found if graph else found.detach()
        image = images_of(probe) + found if self.leads_to_image else None
        if graph:
            return Explanation(found, of, image)
        due, idle = self.due(probe, of, rows), self.idle(probe, of, rows)
        remarks = [*self.remarks(probe, of, found), *(() if idle is None else about_idle(idle))]
        if (reach := self.reach(found)) is not None:
            remarks.append(Remark(ROUNDED, (reach > 0) & (reach <= rounding(probe.logits, of))))
        total = found.flatten(1).sum(1, dtype=torch.float64)
        return Explanation(
            found,
            of,
            image,
            notes(remarks, found),
            None if due is None else Completeness(total, due.detach().double()),
            idle,
        )


def summed(found: Images) -> Float[Tensor, " b"]:
    """The sum of each map's magnitudes: how far the logit moves where every pixel does its part."""
    return found.detach().flatten(1).abs().sum(1)


def with_learned(explainer: E, **fields: object) -> E:
    """A copy of an explainer in which fields hold what it has learned."""
    learned = copy.copy(explainer)
    for name, value in fields.items():
        object.__setattr__(learned, name, value)
    return learned


def images_of(probe: Probe) -> Images:
    """A probe's images, with the graph that they hang on only where maps are to be differentiated."""
    return probe.x if probe.second_order else probe.x.detach()


def unlabeled(x: Images, of: int | Tensor | str) -> Batch:
    """Images as a batch that knows no labels, so that none can be asked about."""
    if isinstance(of, str) and of not in ("predicted", "runner-up"):
        raise ConfigError(f"of is '{of}'; give a class, a class for each image, 'predicted' or 'runner-up'")
    return Batch(x, torch.zeros(len(x), dtype=torch.long, device=x.device))


def check_maps(owner: str, maps: Images) -> None:
    """Refuse maps that are no numbers."""
    broken = ~maps.detach().flatten(1).isfinite().all(1)
    if broken.any():
        raise NotFinite(
            f"{owner} gave NaN or infinite maps for {int(broken.sum())} of {count_of(len(maps), 'image')}; "
            "see whether the network's gradients are finite there"
        )


def check_classes(batch: Batch, of: int | Tensor | str) -> None:
    """Refuse what names no class of each image."""
    if isinstance(of, Tensor) and (of.shape != batch.y.shape or of.is_floating_point()):
        shown = f"{tuple(of.shape)} of {of.dtype}"
        raise ShapeError(f"of is {shown} for {count_of(len(batch), 'image')}; give one whole number for each")
    if isinstance(of, str) and of not in ("label", "predicted", "runner-up"):
        raise ConfigError(f"of is '{of}'; give a class, a class for each image, 'label', 'predicted' or 'runner-up'")


def classes_of(probe: Probe, of: int | Tensor | str, part: slice) -> Classes:
    """The class to explain of each of a probe's images, which are this part of all."""
    if isinstance(of, Tensor):
        classes = of[part].to(probe.x.device)
    elif isinstance(of, int):
        classes = torch.full_like(probe.y, of)
    elif of == "label":
        classes = probe.y
    else:
        classes = _ranked(probe.logits.detach(), of)
    check_labels(classes, probe.logits.shape[1], "this batch")
    return classes


def _ranked(logits: Tensor, of: str) -> Classes:
    predicted = logits.argmax(1)
    if logits.shape[1] < 2 and of == "runner-up":
        raise ShapeError("the network has 1 class, and none comes second to it; ask about 'predicted'")
    return predicted if of == "predicted" else logits.scatter(1, predicted[:, None], -math.inf).argmax(1)

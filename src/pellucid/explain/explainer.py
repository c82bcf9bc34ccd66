"""What every explainer is: a frozen value that says of each pixel how a class's logit hangs on it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.batch import Batch, check_labels
from pellucid.errors import ConfigError, NotFinite, ShapeError
from pellucid.probe import Probe, frozen

Images = Float[Tensor, "b *shape"]
Classes = Int[Tensor, " b"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map for each image, signed and as long as it came out, and the class that it is about."""

    map: Images
    of: Classes


class Explainer(ABC):
    """A way to make maps. Final classes are frozen dataclasses listed in `EXPLAINERS`."""

    registry: ClassVar[str] = "pellucid.explain:EXPLAINERS"

    @property
    def random(self) -> bool:
        """Whether the maps depend on the seed."""
        return False

    @abstractmethod
    def maps(self, probe: Probe, of: Classes) -> Images:
        """A map of each image for the logit of its class, at a network that is frozen."""

    @final
    def __call__(self, model: nn.Module, x: Images, of: int | Tensor | str, *, seed: int = 0) -> Explanation:
        """Explain images; each one's random numbers follow from the seed and its place among them.

        `of` is one class for all images, a class for each, or "predicted": the class with the largest logit.
        """
        if isinstance(of, str) and of != "predicted":
            raise ConfigError(f"of is '{of}'; give a class, a class for each image, or 'predicted'")
        return self.on(model, Batch(x, torch.zeros(len(x), dtype=torch.long, device=x.device)), of, seed=seed)

    @final
    def on(self, model: nn.Module, batch: Batch, of: int | Tensor | str = "label", *, seed: int = 0) -> Explanation:
        """Explain a batch; each image's random numbers follow from the seed and its number in the split.

        `of` may also be "label": the class that the batch gives each image.
        """
        if not len(batch):
            raise ShapeError("this batch has no images; an explainer needs one or more")
        with frozen(model), torch.enable_grad():
            probe = Probe(model, batch.at(batch.x.detach()), second_order=False, seed=seed)
            classes = _classes(probe, of)
            check_labels(classes, probe.logits.shape[1], "this batch")
            found = self.maps(probe, classes).detach()
        broken = ~found.flatten(1).isfinite().all(1)
        if broken.any():
            raise NotFinite(
                f"{type(self).__name__} gave NaN or infinite maps for {int(broken.sum())} of {len(batch)} images; "
                "see whether the network's gradients are finite there"
            )
        return Explanation(found, classes)


def _classes(probe: Probe, of: int | Tensor | str) -> Classes:
    if isinstance(of, Tensor):
        if of.shape != probe.y.shape or of.is_floating_point():
            shown = f"{tuple(of.shape)} of {of.dtype}"
            raise ShapeError(f"of is {shown} for {len(probe.y)} images; give one whole number for each")
        return of.to(probe.x.device)
    if isinstance(of, int):
        return torch.full_like(probe.y, of)
    if of == "label":
        return probe.y
    if of == "predicted":
        return probe.logits.detach().argmax(1)
    raise ConfigError(f"of is '{of}'; give a class, a class for each image, 'label' or 'predicted'")

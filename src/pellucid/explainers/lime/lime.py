"""LIME: which parts of an image an answer hangs on, by hiding parts at random."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, final

import torch
from jaxtyping import Int
from torch import Tensor, nn

from pellucid.batch import Batch, check_labels
from pellucid.errors import ConfigError, NotFinite, ShapeError, count_of
from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.explainers.explanation import Remark
from pellucid.explainers.lime.hidden import SegmentBaseline, check_cells, check_segment_baseline
from pellucid.explainers.lime.sampling import Kernel, Output, Sampling, masks_for
from pellucid.explainers.lime.segmentation import Segmentation
from pellucid.explainers.lime.slic import Slic
from pellucid.explainers.lime.surrogates import Surrogates, TooFewMasks
from pellucid.explainers.room import in_parts
from pellucid.explainers.rounding import HARDLY, ROUNDED, hardly, rounding_of_probability
from pellucid.papers import cites
from pellucid.probe import Probe

_FEW = 5  # masks per segment, below which coefficients are mostly noise
_RANKS = {"predicted": 0, "runner-up": 1}


@cites(
    'Ribeiro, Singh and Guestrin, "Why Should I Trust You?": Explaining the Predictions of Any Classifier, '
    "KDD 2016. arXiv 1602.04938"
)
@final
@dataclass(frozen=True)
class Lime(Explainer):
    """How the class's probability changes with each segment that is shown, fitted to masks (Ribeiro et al. 2016).

    A mask shows each segment with probability 1/2, and the first shows all; `antithetic` ones come in opposite pairs.
    Their number is `masks`, or by "auto" 20 for each segment and at least 1000. With a `tolerance` it is doubled, up
    to `most`, until no standard error is above that share of the largest coefficient. Coefficients are those of a
    ridge regression with the penalty `alpha`, in which masks count by a `kernel` of `width`; with `features`, only so
    many segments have one. `baseline` is what is seen where a segment is hidden; one that is so already changes
    nothing, and its coefficient is 0.
    """

    segmentation: Segmentation = field(default_factory=Slic)
    masks: int | Literal["auto"] = "auto"
    alpha: float = 1.0
    kernel: Kernel = "cosine"
    width: float = 0.25
    baseline: SegmentBaseline = "segment-mean"
    antithetic: bool = True
    output: Output = "probability"
    features: int = 0
    tolerance: float = 0.0
    most: int = 65536

    def __post_init__(self) -> None:
        if self.masks != "auto" and self.masks < 2:
            raise ConfigError(f"Lime has masks={self.masks}; give 2 or more, or 'auto'")
        for name, value in (("alpha", self.alpha), ("tolerance", self.tolerance)):
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"Lime has {name}={value:g}; give 0 or more")
        if not (math.isfinite(self.width) and self.width > 0):
            raise ConfigError(f"Lime has width={self.width:g}; give a number above 0")
        check_segment_baseline("Lime", self.baseline, self.segmentation)
        if self.features < 0:
            raise ConfigError(f"Lime has features={self.features}; give 1 or more, or 0 for all")
        if self.most < 2:
            raise ConfigError(f"Lime has most={self.most}; give 2 or more")

    @property
    def random(self) -> bool:
        """Whether maps depend on the seed: they do, as the masks are drawn."""
        return True

    @property
    def differentiable(self) -> bool:
        """Whether maps can be differentiated: segments and masks cannot."""
        return False

    def resolved(self, shape: Sequence[int]) -> "Lime":
        """With the segments of images of this shape, and with their masks where all images share their segments."""
        segmentation = self.segmentation.resolved(shape)
        masks: int | Literal["auto"] = self.masks
        if masks == "auto" and segmentation.shared and len(shape) == 3:
            masks = masks_for(int(segmentation(torch.zeros(1, *shape)).max()) + 1)
        same = segmentation is self.segmentation and masks == self.masks
        return self if same else replace(self, segmentation=segmentation, masks=masks)

    def forwards(self, x: Images) -> int:
        """One pass for each mask, and one for the image; more where a `tolerance` is not kept by so few."""
        if self.masks != "auto" or x.dim() != 4:
            return 1 + (0 if self.masks == "auto" else self.masks)
        return 1 + masks_for(int(self.segmentation(x[:1].detach()).max()) + 1)

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The coefficient of each pixel's segment, the same in all channels."""
        found = self._kept(probe, of, rows).map()
        return found.to(probe.x.dtype)[:, None].expand(probe.x.shape)

    def reach(self, found: Images) -> Tensor | None:
        """The largest coefficient, where they are of the logit."""
        return found.flatten(1).abs().amax(1) if self.output == "logit" else None

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """Whether the probability moves at all, and by more than the rounding of the logit."""
        if self.output == "logit":
            return ()
        moved = found.flatten(1).abs().amax(1)
        rounded = (moved > 0) & (moved <= rounding_of_probability(probe.logits, of))
        return [Remark(ROUNDED, rounded), Remark(HARDLY, hardly(moved) & ~rounded)]

    def idle(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """The segments that are as the baseline, as a share of all."""
        return self._kept(probe, of, rows).idle_share

    def _kept(self, probe: Probe, of: Classes, rows: int) -> Surrogates:
        """Fitted once; `of` and the explainer stay alive, so that nothing else comes by their numbers."""
        key, classes = ("lime", id(self), id(of)), of[:, None]
        return probe.shared(key, lambda: (self._surrogates(probe, classes, rows), self, of))[0]

    def local(
        self,
        model: nn.Module,
        batch: Batch,
        of: int | Tensor | str = "label",
        *,
        classes: Sequence[int] | None = None,
        seed: int = 0,
        memory: int | None = None,
    ) -> Surrogates:
        """The linear models themselves, with their errors, for one class of each image or for several.

        `of` is "label", "predicted", "runner-up", a class, one for each image, or a row of them for each; `classes`
        are several for all images in its stead. An image's masks follow from the seed and its number in the split;
        the other images and classes, and how many bytes of `memory` passes may keep, change nothing but rounding.
        """
        _check(batch, of)
        bare = Batch.trusted(batch.x.detach(), batch.y, {"index": batch.index})

        def fitted(probe: Probe, part: slice, rows: int) -> Surrogates:
            chosen = _chosen(probe, of[part] if isinstance(of, Tensor) else of, classes)
            return self._surrogates(probe, chosen, rows)

        found = Surrogates.joined(in_parts(model, bare, fitted, seed=seed, memory=memory))
        broken = ~found.coefficients.flatten(1).isfinite().all(1)
        if broken.any():
            raise NotFinite(
                f"Lime gave NaN or infinite coefficients for {int(broken.sum())} of {count_of(len(batch), 'image')}; "
                "see whether the network's outputs are finite there"
            )
        return found

    def _surrogates(self, probe: Probe, classes: Int[Tensor, "b k"], rows: int) -> Surrogates:
        if probe.x.dim() != 4:
            raise ShapeError(f"Lime divides images [b c h w] into segments; these are of shape {list(probe.x.shape)}")
        sampling = Sampling(
            None if self.masks == "auto" else self.masks,
            self.alpha,
            self.kernel,
            self.width,
            self.baseline,
            self.antithetic,
            self.output,
            self.features,
            self.tolerance,
            self.most,
        )
        segments = self.segmentation(probe.x.detach())
        if self.baseline == "segment-mean" and self.segmentation.shared:
            check_cells("Lime", segments)
        found, short = sampling(probe, segments, classes, rows)
        few = int((found.masks < _FEW * found.counts).sum())
        if few or short:
            least = _FEW * int(found.counts.max())
            said = "so few that coefficients are not determined" if short else "so that coefficients are mostly noise"
            warnings.warn(
                f"Lime drew {int(found.masks.min())} masks for up to {int(found.counts.max())} segments, {said}; "
                f"set masks to {least} or more",
                TooFewMasks,
                stacklevel=3,
            )
        return found


def _check(batch: Batch, of: int | Tensor | str) -> None:
    if isinstance(of, str) and of not in ("label", *_RANKS):
        raise ConfigError(f"of is '{of}'; give a class, a class for each image, 'label', 'predicted' or 'runner-up'")
    if isinstance(of, Tensor) and (of.dim() not in (1, 2) or len(of) != len(batch) or of.is_floating_point()):
        shown = f"{tuple(of.shape)} of {of.dtype}"
        raise ShapeError(
            f"of is {shown} for {count_of(len(batch), 'image')}; give one whole number for each, or a row of them"
        )


def _chosen(probe: Probe, of: int | Tensor | str, classes: Sequence[int] | None) -> Int[Tensor, "b k"]:
    """The classes of each image; `classes` go before `of`."""
    logits, count = probe.logits.detach(), len(probe.y)
    if classes is not None:
        chosen = torch.tensor(classes, device=logits.device).expand(count, -1)
    elif isinstance(of, Tensor):
        chosen = of.to(logits.device).long().view(count, -1)
    elif isinstance(of, int):
        chosen = torch.full((count, 1), of, device=logits.device)
    elif of == "label":
        chosen = probe.y[:, None]
    else:
        chosen = logits.topk(_RANKS[of] + 1).indices[:, -1:]
    check_labels(chosen, logits.shape[1], "this batch")
    return chosen

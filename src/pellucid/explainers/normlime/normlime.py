"""LIME's explanations of many images, put together for each class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import config
from pellucid.batch import Batch
from pellucid.config import Table
from pellucid.errors import ConfigError, ShapeError
from pellucid.explainers.explainer import Classes, Explainer, Images, with_learned
from pellucid.explainers.explanation import Remark
from pellucid.explainers.lime import SEGMENTATIONS, Grid, Lime, Segmentation
from pellucid.explainers.normlime.aggregation import By, Compat, Importance, Kind, Rule, Sign, Tally
from pellucid.explainers.normlime.local import check_shared, class_count, explained, learn_words, segmented
from pellucid.explainers.normlime.vocabulary import Vocabulary
from pellucid.papers import AHERN, cites
from pellucid.probe import Probe

_AT_ONCE = 64  # images; how many rows go through the network at once is found out for each batch of them


@dataclass(frozen=True, eq=False)
class Learned:
    """What `fit` has found out: how important features are, the images' shape, and words for superpixels."""

    importance: Importance
    shape: tuple[int, ...]
    vocabulary: Vocabulary | None = None


@cites(AHERN)
@final
@dataclass(frozen=True)
class NormLime(Explainer):
    """How important each feature is for a class, over all images predicted as it (Ahern et al. 2019).

    A feature is what all images share: a cell of a grid, a pixel, or one of `words` words for superpixels, which
    k-means finds among the images' own, by color or by what the network's `layer` makes of them. A map shows its
    class's importance where the image has the feature. It is never negative; 0 is also where nothing is known, and
    `notes` then say so.
    `aggregation`, `sign`, `by` and `compat` say how explanations are put together, as a `Rule`'s `kind`, `sign`,
    `by` and `compat` do.
    """

    lime: Lime = field(default_factory=lambda: Lime(Grid()))
    aggregation: Kind = "normlime"
    sign: Sign = "both"
    by: By = "class"
    words: int = 0
    layer: str = ""
    compat: Compat = "none"
    learned: Learned | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        assert self.rule  # which refuses what does not go together
        check_shared("NormLime", self.lime, self.words)
        if self.layer and not self.words:
            raise ConfigError(f"NormLime has layer='{self.layer}' and words=0; a layer describes words, so give some")

    @property
    def signed(self) -> bool:
        """Whether maps have a sign: importance has none."""
        return False

    @property
    def rule(self) -> Rule:
        """How explanations are put together."""
        return Rule(self.aggregation, self.sign, self.by, self.compat)

    @property
    def differentiable(self) -> bool:
        """Whether maps can be differentiated: what is learned of many images does not follow from one."""
        return False

    @property
    def learns(self) -> bool:
        """Whether `fit` still has to show it images."""
        return self.learned is None

    def fit(self, model: nn.Module, images: Images, *, seed: int = 0) -> "NormLime":
        """Explain these images for the class that each is predicted as, and put that together."""
        if not len(images):
            raise ShapeError("there are no images to learn from; give one or more")
        parts = [_numbered(images, first) for first in range(0, len(images), _AT_ONCE)]
        vocabulary = None
        if self.words:
            vocabulary = learn_words(model, parts, self.lime, self.words, layer=self.layer, seed=seed)
        tally: Tally | None = None
        for part in parts:
            local = explained(model, part, self.lime, "predicted", vocabulary, seed=seed)
            if tally is None:
                features = self.words or local.coefficients.shape[1]
                tally = Tally.empty(self.rule, classes=class_count(model, part), features=features)
            tally = tally.add(local.coefficients, local.classes, used=local.used, words=local.words)
        assert tally is not None
        return self.fitted(tally.importance(), images.shape[1:], vocabulary)

    def fitted(
        self, importance: Importance, shape: tuple[int, ...], vocabulary: Vocabulary | None = None
    ) -> "NormLime":
        """The same explainer with what was learned elsewhere, of images of this shape."""
        return with_learned(self, learned=Learned(importance, tuple(shape), vocabulary))

    def resolved(self, shape: Sequence[int]) -> "NormLime":
        """With the settings of `lime` for images of this shape; what it has learned stays."""
        lime = self.lime.resolved(shape)
        return self if lime is self.lime else with_learned(self, lime=lime)

    def forwards(self, x: Images) -> int | None:
        """One, for the image, when it has learned; words that a layer describes take more."""
        return None if self.layer else 1

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The importance that each pixel's feature has for the class."""
        if self.learned is None:
            raise ConfigError(
                "NormLime has learned nothing yet; call fit(model, images), and explain with what it returns"
            )
        x = probe.x.detach()
        if self.learned.vocabulary is None and x.shape[1:] != self.learned.shape:
            theirs, ours = ("x".join(map(str, shape)) for shape in (self.learned.shape, x.shape[1:]))
            raise ShapeError(f"NormLime has learned from images of {theirs}, and these are of {ours}; fit it to such")
        batch = probe.batch.at(x)
        segments, counts = segmented(self.lime, batch)
        values = self.learned.importance.values.to(x.device)
        own = values[of if self.by == "class" else torch.zeros_like(of)]
        if self.learned.vocabulary is not None:
            words = self.learned.vocabulary.words(probe.network, batch, segments, counts)
            own = own.gather(1, words.clamp_min(0))
        return _painted(own, segments).to(x.dtype)[:, None].expand_as(x)

    def remarks(self, probe: Probe, of: Classes, found: Images) -> Sequence[Remark]:
        """What has to be known of a map: that nothing is known of its class, or of some places."""
        assert self.learned is not None
        counts = self.learned.importance.counts.to(of.device)
        known = (counts > 0)[of if self.by == "class" else torch.zeros_like(of)]
        some = known.any(1)
        remarks = [
            Remark("the map is zero everywhere: no image that it has learned from counts for this class", ~some)
        ]
        if self.learned.vocabulary is None:
            said = "white is also where nothing could be hidden in any image of this class: nothing is known there"
            remarks.append(Remark(said, some & ~known.all(1)))
        return remarks


def _painted(values: Float[Tensor, "b s"], segments: Tensor) -> Float[Tensor, "b h w"]:
    return values.gather(1, segments.flatten(1).to(values.device)).view(segments.shape)


def _numbered(images: Images, first: int) -> Batch:
    x = images[first : first + _AT_ONCE]
    y = torch.zeros(len(x), dtype=torch.long, device=x.device)
    return Batch(x, y, {"index": torch.arange(first, first + len(x), device=x.device)})


def small(segmentation: Segmentation, shape: tuple[int, ...]) -> bool:
    """Whether cells that all images of this shape share are less than 2 pixels wide or high."""
    if not segmentation.shared:
        return False
    segments = segmentation(torch.zeros(1, *shape))[0]
    down, across = len(segments[:, 0].unique()), len(segments[0].unique())
    return 2 * down > shape[-2] or 2 * across > shape[-1]


def explainer_of(
    shape: tuple[int, ...],
    *,
    segmentation: str = "grid",
    cell: int | None = None,
    masks: int | None = None,
    assignments: Sequence[str] = (),
    words: int = 0,
    layer: str = "",
    rule: Rule = Rule(),  # noqa: B008
) -> NormLime:
    """The explainer that words stand for: a segmentation's name, and LIME's settings as `setting=value`.

    `cell` is how many pixels of images of this shape the cells of a grid are wide and high, at most. What is hidden
    shows its own mean, or that of the image where cells are less than 2 pixels wide or high.
    """
    assert SEGMENTATIONS[segmentation]  # which says best what there is
    divided: Table = {"kind": segmentation}
    if cell is not None:
        if segmentation != "grid":
            raise ConfigError(
                f"cell={cell} is the size of cells of a 'grid', and '{segmentation}' has none; leave it out"
            )
        divided |= {"rows": math.ceil(shape[-2] / cell), "columns": math.ceil(shape[-1] / cell)}
    if not words and not SEGMENTATIONS[segmentation]().shared:
        raise ConfigError(
            f"superpixels by '{segmentation}' are others in each image, so that they need words to be put together; "
            "give --words 20, or --segmentation grid"
        )
    if layer and not words:
        raise ConfigError(f"--layer {layer} describes words for superpixels, and there are none; give --words 20 too")
    table: Table = {"segmentation": divided}
    if small(config.build(Segmentation, divided), shape):
        table["baseline"] = "mean"  # since the mean of a single pixel is the pixel
    if masks is not None:
        table["masks"] = masks
    for assignment in assignments:
        table = config.override(table, assignment)
    return NormLime(config.build(Lime, table), rule.kind, rule.sign, rule.by, words, layer, rule.compat)

"""Rankings from LIME's explanations of many images, put together."""

from dataclasses import dataclass, field
from typing import Literal, final

import torch

from pellucid.data import Split, sample
from pellucid.errors import ConfigError
from pellucid.evaluate.class_importance.explaining import explain_split
from pellucid.evaluate.class_importance.table import class_maps
from pellucid.evaluate.retrain.ranking import Ranking, Study, Values, for_all
from pellucid.explainers import NormLime
from pellucid.explainers.lime import Grid, Lime
from pellucid.explainers.normlime import Rule


def _lime() -> Lime:
    # cells of a pixel each where images are small; the mean of an image hides nothing of a cell by itself
    return Lime(Grid(14, 14), masks=1000, baseline="mean")


@dataclass(frozen=True)
class _Weights(Ranking):
    """What both have in common. They share their explanations, too."""

    by: Literal["global", "class"] = "global"
    images: int = 300
    lime: Lime = field(default_factory=_lime)

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ConfigError(f"images is {self.images}; explain 1 or more")
        assert NormLime(self.lime)  # which refuses superpixels, that are others in each image

    def _values(self, rule: Rule, study: Study, split: Split, seed: int) -> Values:
        some = sample(study.train, self.images, seed=seed)
        folder = explain_split(study.model, some, NormLime(self.lime), study.folder / "importance", seed=seed)
        segments = self.lime.segmentation(torch.zeros(1, *split.shape))[0]
        maps = class_maps(folder.importance(rule), segments)[:, None].to(split.labels.device)
        if rule.by == "global":
            return for_all(maps[0], split)
        return Values(maps, study.predicted(split))


@final
@dataclass(frozen=True)
class NormLimeWeights(_Weights):
    """NormLIME's importance over training images: one order for all images, or for each predicted class."""

    def values(self, study: Study, split: Split, seed: int) -> Values:
        """A map, or one for each class."""
        return self._values(Rule("normlime", by=self.by), study, split, seed)


@final
@dataclass(frozen=True)
class MeanWeight(_Weights):
    """The mean of |w| of the same LIME explanations: what NormLIME's shares are to improve on."""

    def values(self, study: Study, split: Split, seed: int) -> Values:
        """A map, or one for each class."""
        return self._values(Rule("mean-abs", by=self.by), study, split, seed)

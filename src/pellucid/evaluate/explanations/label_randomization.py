"""Whether a map depends on how images and labels belong together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, final

import torch
from torch import nn

from pellucid import models
from pellucid.errors import ShapeError, count_of
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.likeness import Likeness
from pellucid.evaluate.explanations.metric import Columns, Needs
from pellucid.looking import look
from pellucid.metrics.agreement import Similarity, Spearman
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import ADEBAYO, cites
from pellucid.probe import frozen


@cites(ADEBAYO)
@final
@dataclass(frozen=True)
class LabelRandomization(Likeness):
    """How alike the map is to that of a network which learned random labels (Adebayo et al. 2018).

    `source` is that network: what `models.load` takes.
    """

    better: ClassVar = "lower"
    needs: ClassVar[Needs] = "explainer"
    source: str | Callable[..., nn.Module]
    similarity: Similarity = field(default_factory=Spearman)
    sign: Sign = "absolute"

    @property
    def cost(self) -> str:
        """The map of the other network."""
        return "1 explanation of the other network"

    def scores(self, case: Case) -> Columns:
        """The similarity of both networks' maps for the same class."""
        source = models.load(self.source).to(case.x.device, case.x.dtype)
        with frozen(source), torch.no_grad():
            classes = look(source, case.x[:1]).shape[1]
        if int(case.of.max()) >= classes:
            raise ShapeError(
                f"the network '{self.source}' has {count_of(classes, 'class')}, and class {int(case.of.max())} is "
                "asked about; "
                "give one that was trained on random labels of the same data"
            )
        theirs = case.explained_by(source, case.x)
        return {"value": self.similarity(planes(case.maps, self.sign), planes(theirs, self.sign))}

"""Whether maps point where reference maps point."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, final

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError
from pellucid.evaluate.explanations.case import Case
from pellucid.evaluate.explanations.likeness import Likeness
from pellucid.evaluate.explanations.metric import Columns
from pellucid.metrics.agreement import Cosine, Similarity
from pellucid.metrics.agreement.planar import Sign, planes
from pellucid.papers import NOACK, cites


@cites(NOACK)
@final
@dataclass(frozen=True)
class ReferenceAlignment(Likeness):
    """The similarity of each map and the reference map in a column of the batch.

    With the defaults it is what Interpretation Regularization raises (Noack et al. 2021): the cosine of both as
    vectors of all channels and pixels. `channels="summed"` compares one value per pixel. `sign` is for both maps.
    """

    reference: str = "reference"
    similarity: Similarity = field(default_factory=Cosine)
    sign: Sign = "signed"
    channels: Literal["apart", "summed"] = "apart"
    better: ClassVar = "higher"

    @property
    def needed(self) -> tuple[str, ...]:
        """The column that images must have: their reference maps."""
        return (self.reference,)

    @property
    def undefined(self) -> str:
        """Why an image may have no value: as of the similarity, by the map or by the reference."""
        return f"{self.similarity.undefined}, the image's or its reference"

    @property
    def cost(self) -> str:
        """What it takes for an image: no pass, only a look at the maps."""
        return "no pass"

    def scores(self, case: Case) -> Columns:
        """One value for each pair."""
        reference = case.batch.column(self.reference)
        if reference.shape != case.x.shape:
            raise ShapeError(
                f"the column '{self.reference}' holds maps of shape {tuple(reference.shape[1:])} for images of shape "
                f"{tuple(case.x.shape[1:])}; each pixel of each channel needs one number"
            )
        return {"value": self.similarity(self._rows(case.maps), self._rows(reference.to(case.maps.dtype)))}

    def _rows(self, maps: Float[Tensor, "b *shape"]) -> Float[Tensor, "b h w"]:
        if self.channels == "summed":
            return planes(maps, self.sign)
        # a channel of its own for each, one below the other
        return planes(maps.reshape(len(maps), 1, -1, maps.shape[-1]), self.sign)

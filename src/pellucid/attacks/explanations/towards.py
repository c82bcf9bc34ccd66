"""Any map that a user gives."""

from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from pellucid.attacks.explanations.aim import Planes, TowardsMap
from pellucid.batch import Batch
from pellucid.errors import NotFinite, ShapeError


@final
@dataclass(frozen=True)
class Towards(TowardsMap):
    """The map that a column of the batch gives each image, as (b, h, w) or as (b, channels, h, w)."""

    column: str = "towards"

    @property
    def needed(self) -> tuple[str, ...]:
        """The name of the column that holds the maps to reach."""
        return (self.column,)

    def reference(self, clean: Planes, batch: Batch) -> Float[Tensor, "b ..."]:
        """The maps to reach, as the batch's column holds them."""
        maps = batch.column(self.column)
        if maps.dim() not in (3, 4) or maps.shape[-2:] != clean.shape[1:]:
            shown, wanted = tuple(maps.shape[1:]), tuple(clean.shape[1:])
            raise ShapeError(f"the column '{self.column}' holds maps of {shown}; give one of {wanted} for each image")
        if not maps.isfinite().all():
            raise NotFinite(f"the column '{self.column}' holds NaN or infinite values; give maps of numbers")
        return maps.to(clean.dtype)

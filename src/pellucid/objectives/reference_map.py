"""The maps that gradients are compared with: a column of the batch, one map per image."""

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import ShapeError
from pellucid.probe import Probe


def reference_map(probe: Probe, column: str) -> Float[Tensor, "b *shape"]:
    """The column's maps, which must be of the images' shape; a gradient has as many numbers as its image."""
    maps, x = probe.batch.column(column), probe.x
    if maps.shape != x.shape:
        raise ShapeError(
            f"the column '{column}' holds maps of shape {tuple(maps.shape[1:])} for images of shape "
            f"{tuple(x.shape[1:])}; each pixel of each channel needs one number"
        )
    return maps.to(x.dtype)

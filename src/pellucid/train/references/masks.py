"""Masks that people drew."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import numpy
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import files
from pellucid.data import Split, StreamedSplit, TensorSplit
from pellucid.data.images import opened
from pellucid.errors import DataError, ShapeError
from pellucid.ledger import digest
from pellucid.train.references.reference import Reference, matching


@final
@dataclass(frozen=True)
class Masks(Reference):
    """PNG files in gray levels, of the images' size: white where the network should look, black where it should not.

    The mask of an image from a folder has the image's own path below `folder`, ending in .png. Masks of other data
    have the image's number: 00000.png for the first. Each holds for every channel.
    """

    folder: str = field(metadata={"identity": False})
    fingerprint: str = ""

    def maps(self, split: Split, seed: int = 0) -> Float[Tensor, "n *shape"]:
        """The masks, from 0 to 1."""
        read = torch.stack([self._read(name, split) for name in self._names(split)])
        return read[:, None].expand(-1, *split.shape)

    def identified(self, split: Split) -> "Masks":
        """The same masks with a digest of their files, wherever they lie."""
        content = [files.checksum(Path(self.folder) / name) for name in self._names(split)]
        found = digest(*content)[:16]
        return replace(self, fingerprint=matching(self.fingerprint, found, f"the masks in '{self.folder}'"))

    def _names(self, split: Split) -> list[str]:
        names = _names(split)
        missing = [name for name in names if not (Path(self.folder) / name).is_file()]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(names)} masks are missing, the first is '{Path(self.folder) / missing[0]}'; "
                "give each training image one"
            )
        return names

    def _read(self, name: str, split: Split) -> Float[Tensor, "h w"]:
        _, height, width = split.shape
        with opened(Path(self.folder), name) as image:
            gray = numpy.array(image.convert("L"))
        if gray.shape != (height, width):
            raise ShapeError(
                f"the mask '{Path(self.folder) / name}' is {gray.shape[0]}x{gray.shape[1]} and its image is "
                f"{height}x{width}; draw masks in the size that the network sees"
            )
        return torch.from_numpy(gray).float() / 255


def _names(split: Split) -> list[str]:
    numbers = range(len(split))
    if isinstance(split, TensorSplit | StreamedSplit) and "index" in split.columns:
        numbers = split.columns["index"].tolist()
    if isinstance(split, StreamedSplit):
        return [str(Path(split.images.names[number]).with_suffix(".png")) for number in numbers]
    return [f"{number:05}.png" for number in numbers]

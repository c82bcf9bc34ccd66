"""Image files that belong to no data set, as a person names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import limits
from pellucid.data.images import ImageFiles, is_image
from pellucid.errors import DataError
from pellucid.intake import Intake

_AS_THEY_ARE = Intake()


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images in [0, 1] and what each is called."""

    x: Float[Tensor, "n c h w"]
    names: tuple[str, ...]


def pictures(paths: Sequence[Path], shape: tuple[int, int, int], intake: Intake = _AS_THEY_ARE) -> Pictures:
    """The images of files, and of the files in folders, as a data set of this shape would have them.

    An image of another size is scaled until it just covers the shape, then cropped at its center, unless `intake`
    says otherwise.
    """
    files: list[Path] = []
    for path in paths:
        with limits.reading(path):
            files += _files(path)
    if not files:
        raise DataError("no images are named; give image files, or folders of them")
    pixels = [_decoded(file, shape, intake) for file in files]
    return Pictures(torch.stack(pixels).float() / 255, tuple(file.stem for file in files))


def _decoded(file: Path, shape: tuple[int, int, int], intake: Intake) -> Tensor:
    try:
        return ImageFiles(file.parent, (file.name,), shape, intake).decode(0)
    except DataError as error:  # whose advice is for data sets
        raise DataError(f"{str(error).partition(';')[0]}; give another file") from error


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise DataError(f"'{path}' does not exist; give image files, or folders of them")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if is_image(file))
    if not found:
        raise DataError(f"the folder '{path}' holds no images; give image files, or folders of them")
    return found

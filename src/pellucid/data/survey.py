"""A first look at image files: which can be read, how large they are, whether any has colors."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

import torch
from PIL import ExifTags
from torch import Tensor

from pellucid.data.download import Report
from pellucid.data.images import opened, reduce
from pellucid.data.workers import in_workers, workers_for
from pellucid.errors import DataError

GRAY = ("1", "L", "LA", "La")
"""Modes of images that need one channel."""

_ON_ITS_SIDE = (5, 6, 7, 8)
_CHUNK = 64


@final
@dataclass(frozen=True)
class Seen:
    """What is known of an image file before its pixels are wanted."""

    gray: bool
    height: int
    width: int
    weight: int  # in bytes


def survey(
    folder: Path, names: tuple[str, ...], *, decode: bool, workers: int, report: Report
) -> dict[str, Seen | DataError]:
    """One look or one error per file; damage behind the header shows only with `decode`."""
    looks: dict[str, Seen | DataError] = {}
    plan = torch.arange(len(names)).split(_CHUNK)
    workers = workers_for(len(names), workers)
    for found in in_workers(partial(_look, folder, names, decode), plan, workers=workers):
        looks |= {name: DataError(look) if isinstance(look, str) else look for name, look in found.items()}
        report(f"looking through {folder.name}", len(looks), len(names))
    return looks


def _look(folder: Path, names: tuple[str, ...], decode: bool, positions: Tensor) -> dict[str, Seen | str]:
    return {names[position]: _look_at(folder, names[position], decode) for position in positions.tolist()}


def _look_at(folder: Path, name: str, decode: bool) -> Seen | str:
    try:
        with opened(folder, name) as image:
            width, height = image.size
            reduce(image, name, folder)
            if decode:
                image.load()
            # looking for the tag can mean decoding the image, so only where it matters
            if width != height and image.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE:
                width, height = height, width
            return Seen(image.mode in GRAY, height, width, (folder / name).stat().st_size)
    except DataError as error:
        return str(error)  # a loader would wrap the error in its own traceback

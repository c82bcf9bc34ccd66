"""Image files, and the one way in which they become pixels."""

import logging
import warnings
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Protocol, final, runtime_checkable

import numpy
import torch
from jaxtyping import Int, UInt8
from PIL import Image, ImageOps
from torch import Tensor

from pellucid import limits
from pellucid.data.workers import in_workers
from pellucid.errors import DataError
from pellucid.intake import Intake

# of damage it speaks twice: to standard error, where nobody listens, and by an error
logging.getLogger("PIL").addHandler(logging.NullHandler())

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # some others run programs
_OTHER = "replace it, or leave it out with skip_bad=True (--skip-bad)"
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")

_AS_THEY_ARE = Intake()


@final
@dataclass(frozen=True)
class ImageFiles:
    """Image files below one folder, each of which is decoded to the same shape.

    An animation gives its first frame, an orientation tag is obeyed, and transparent pixels are laid over black. An
    image of another size is scaled until it just covers the shape, then cropped at its center, unless `intake` says
    otherwise; its own shape and classes mean nothing here.
    """

    folder: Path
    names: tuple[str, ...]
    shape: tuple[int, int, int]
    intake: Intake = _AS_THEY_ARE

    def __len__(self) -> int:
        """How many files there are."""
        return len(self.names)

    def decode(self, number: int) -> UInt8[Tensor, "c h w"]:
        """The pixels of one file."""
        with opened(self.folder, self.names[number]) as image:
            return pixels_of(image, self.names[number], self.folder, self.shape, self.intake)


def is_image(path: Path) -> bool:
    """Whether a file that is not hidden ends as images do."""
    return path.suffix.lower() in _EXTENSIONS and not path.name.startswith(".")


@runtime_checkable
class Images(Protocol):
    """Images that are decoded one by one, each to the same shape; `names` tell them apart below `folder`."""

    @property
    def folder(self) -> Path:
        """Where they lie."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """What each is called."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        ...

    def __len__(self) -> int:
        """How many there are."""
        ...

    def decode(self, number: int) -> UInt8[Tensor, "c h w"]:
        """The pixels of one."""
        ...


def pixels_of(
    image: Image.Image, name: str, folder: Path, shape: tuple[int, int, int], intake: Intake
) -> UInt8[Tensor, "c h w"]:
    """The pixels of an image that has been opened: upright, without transparency, scaled and cropped."""
    channels, height, width = shape
    reduce(image, name, folder)
    upright = _opaque(ImageOps.exif_transpose(image)).convert("L" if channels == 1 else "RGB")
    pixels = torch.from_numpy(numpy.array(_scaled(upright, (width, height), intake)))
    return pixels.reshape(height, width, channels).permute(2, 0, 1).contiguous()


def _scaled(image: Image.Image, size: tuple[int, int], intake: Intake) -> Image.Image:
    if image.size == size and intake.crop == 1:
        return image
    method, border = Image.Resampling[intake.interpolation.upper()], (1 - intake.crop) / 2
    if intake.stretched:
        width, height = image.size
        kept = (border * width, border * height, (1 - border) * width, (1 - border) * height)
        return image.resize(size, method, box=kept)
    return ImageOps.fit(image, size, method, bleed=border)


@contextmanager
def opened(folder: Path, name: str) -> Generator[Image.Image]:
    """An image file, whose every way of being broken is a `DataError` that names it."""
    with _named(folder, name), limits.opened(folder / name) as file:
        limits.check(limits.size(file), limits.room(file), f"'{name}' in '{folder}'", _OTHER)
        with _as_image(file, folder, name) as image:
            yield image


@contextmanager
def unpacked(content: bytes, folder: Path, name: str) -> Generator[Image.Image]:
    """The same of the content of such a file."""
    with _named(folder, name), _as_image(BytesIO(content), folder, name) as image:
        yield image


@contextmanager
def _as_image(file: BufferedReader | BytesIO, folder: Path, name: str) -> Generator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is read all the same, and of what is refused below
        with Image.open(file, formats=_FORMATS) as image:
            if image.mode in _DEEP:
                raise DataError(
                    f"'{name}' in '{folder}' has more than 8 bits per channel (mode {image.mode}); convert it to 8"
                )
            yield image


@contextmanager
def _named(folder: Path, name: str) -> Generator[None]:
    try:
        yield
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"'{name}' in '{folder}' needs more memory than there is; {_OTHER}") from error
    except Exception as error:  # a damaged file raises whatever its format's parser stumbles over
        raise DataError(f"cannot read '{name}' in '{folder}': it is no image or is cut short; {_OTHER}") from error


def reduce(image: Image.Image, name: str, folder: Path) -> None:
    """Let a JPEG of too many pixels be read at half its size; refuse other images of so many before they are read."""
    height, width = image.height, image.width
    # a progressive one is held whole before it is made smaller
    reducible = image.format == "JPEG" and not image.info.get("progressive") and width * height <= 4 * limits.PIXELS
    if reducible and width * height > limits.PIXELS:
        image.draft(None, (width // 2, height // 2))
    if image.width * image.height > limits.PIXELS:
        raise DataError(
            f"'{name}' in '{folder}' has {height}x{width} pixels, more than {limits.PIXELS:,}; "
            "scale it down, or leave it out with skip_bad=True (--skip-bad)"
        )


def decoded(
    images: Images, numbers: Int[Tensor, " n"], plan: Iterable[Tensor], *, workers: int, pin: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """The bytes of the files with these `numbers`, decoded ahead, beside each tensor of positions in the plan."""
    for positions, pixels in in_workers(partial(_decode, images, numbers), plan, workers=workers, pin=pin):
        if isinstance(pixels, str):
            raise DataError(pixels)
        yield positions, pixels


def _decode(images: Images, numbers: Tensor, positions: Tensor) -> tuple[Tensor, Tensor | str]:
    try:
        rows = [images.decode(number) for number in numbers[positions].tolist()]
    except DataError as error:
        return positions, str(error)  # a loader would wrap the error in its own traceback
    return positions, torch.stack(rows) if rows else torch.empty(0, *images.shape, dtype=torch.uint8)


def _opaque(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "black"), seen)

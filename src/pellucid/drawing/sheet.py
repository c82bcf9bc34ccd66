"""A contact sheet: rows of pictures under headings, in one image."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pellucid.files import write_bytes
from pellucid.printable import printable

_SIDE = 160  # of a cell, in pixels
_GAP = 12
_TEXT = 15
_INK = "#222222"
_FRAME = "#cccccc"


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture, and what is written under it."""

    picture: Image.Image
    caption: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Sheet:
    """Headings of columns, and rows of cells; each cell as wide as its widest word, so that none is cut.

    `note` stands under all of it, line by line.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont = field(default_factory=lambda: ImageFont.load_default(_TEXT))

    def drawn(self) -> Image.Image:
        """The whole sheet, as one picture."""
        widths = [
            max(_SIDE, *(self._width(text) for text in (heading, *self._captions(place))))
            for place, heading in enumerate(self.headings)
        ]
        line = _TEXT + 5
        heights = [_SIDE + line * max(len(cell.caption) for cell in row) for row in self.rows]
        lines = self.note.split("\n") if self.note else []
        foot = line * len(lines) + _GAP if lines else 0
        width = max([sum(widths) + _GAP * (len(widths) + 1), *(self._width(text) + 2 * _GAP for text in lines)])
        top = _GAP + (line if any(self.headings) else 0)
        height = top + sum(heights) + _GAP * (len(heights) + 1) + foot
        sheet = Image.new("RGB", (width, height), "white")
        draw = ImageDraw.Draw(sheet)
        across = _GAP
        for place, heading in enumerate(self.headings):
            draw.text((across, _GAP), printable(heading), fill=_INK, font=self.font)
            down = top + (_GAP if any(self.headings) else 0)
            for row, tall in zip(self.rows, heights, strict=True):
                cell = row[place]
                sheet.paste(enlarged(cell.picture, _SIDE), (across, down))
                if max(cell.picture.size) > 1:  # white maps on white have no edge of their own
                    draw.rectangle((across - 1, down - 1, across + _SIDE, down + _SIDE), outline=_FRAME)
                for number, text in enumerate(cell.caption):
                    draw.text((across, down + _SIDE + 3 + number * line), printable(text), fill=_INK, font=self.font)
                down += tall + _GAP
            across += widths[place] + _GAP
        for number, text in enumerate(lines):
            draw.text((_GAP, height - foot + number * line), printable(text), fill=_INK, font=self.font)
        return sheet

    def _captions(self, place: int) -> list[str]:
        return [text for row in self.rows for text in row[place].caption]

    def _width(self, text: str) -> int:
        return int(self.font.getlength(printable(text))) + 1


def save(picture: Image.Image, path: Path) -> None:
    """Write a PNG, all of it or nothing."""
    write_bytes(path, png(picture))


def png(picture: Image.Image) -> bytes:
    """A picture as the content of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def enlarged(picture: Image.Image, side: int) -> Image.Image:
    """A square of white with the picture in it as large as fits: whole pixels of a small one, a large one shrunk."""
    scale = side / max(picture.size)
    scale = int(scale) if scale > 1 else scale
    size = tuple(max(1, round(length * scale)) for length in picture.size)
    way = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    square = Image.new("RGB", (side, side), "white")
    square.paste(
        picture.convert("RGB").resize((size[0], size[1]), way), ((side - size[0]) // 2, (side - size[1]) // 2)
    )
    return square

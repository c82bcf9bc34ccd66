"""Pictures inside the page, as many as it has room for."""

import base64
import struct
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import Damaged, FileError
from pellucid.ledger import checksums

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SMALL = 100  # pixels; below, a picture is enlarged and its pixels should be seen


@dataclass(frozen=True)
class Picture:
    """A picture, or why it is not there."""

    alt: str
    source: str = ""
    width: int = 1
    height: int = 1
    lack: str = ""

    @property
    def small(self) -> bool:
        """Whether it is shown larger than it is; a strip of images is as small as one of them."""
        return min(self.width, self.height) < _SMALL


@dataclass(frozen=True)
class Map:
    """A picture with what is written over and under it."""

    heading: str
    picture: Picture
    note: str = ""


class Album:
    """Takes in pictures until `room` characters are full; counts those left out."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.left_out = 0

    def picture(self, root: Path, name: object, alt: str) -> Picture:
        """The picture that a part left under a network's folder."""
        path = root / str(name)
        try:
            if not path.resolve().is_relative_to(root.resolve()):
                return Picture(alt, lack="lies outside the audit's folder")
            content = checksums.read(path)
        except Damaged:
            return Picture(alt, lack="damaged; audit again")
        except (FileError, OSError, ValueError):  # the last where no file can have such a name
            return Picture(alt, lack="not found")
        if content[:8] != _SIGNATURE or len(content) < 24:
            return Picture(alt, lack="no PNG picture")
        source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        if len(source) > self.room:
            self.left_out += 1
            return Picture(alt, lack=f"left out for its size; see {path.name}")
        self.room -= len(source)
        width, height = struct.unpack(">II", content[16:24])
        return Picture(alt, source, width, height)

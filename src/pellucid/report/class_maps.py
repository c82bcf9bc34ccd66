"""What matters for each class, as pictures beside each other and one by one."""

import re
from pathlib import Path

import numpy
import torch
from PIL import Image

from pellucid.drawing import Cell, Sheet, coloured, save, scaled

_ACROSS = 5


def write_class_maps(folder: Path) -> dict[str, str]:
    """Draw the maps that `pellucid normlime` has left in `maps.npz`; where each lies, and under "sheet" all of them.

    All share one scale, so that classes can be compared. There are none where superpixels have words.
    """
    if not (folder / "maps.npz").exists():
        return {}
    with numpy.load(folder / "maps.npz") as arrays:
        maps, classes = torch.from_numpy(arrays["maps"]), [str(name) for name in arrays["classes"]]
    _, scale = scaled(maps.flatten(1), share=1.0)
    maps = maps / (scale or 1.0)
    pictures = {name: Image.fromarray(coloured(map, signed=False)) for name, map in zip(classes, maps, strict=True)}
    paths = {name: folder / f"class-{re.sub(r'[^A-Za-z0-9._-]+', '_', name)}.png" for name in classes}
    for name, picture in pictures.items():
        save(picture, paths[name])
    nothing = Cell(Image.new("RGB", (1, 1), "white"))
    cells = [Cell(picture, (name,)) for name, picture in pictures.items()]
    across = min(_ACROSS, len(cells))
    cells += [nothing] * (-len(cells) % across)
    rows = [cells[first : first + across] for first in range(0, len(cells), across)]
    sheet = Sheet([""] * across, rows, f"the darkest purple is an importance of {scale:.3g}, for all classes alike")
    save(sheet.drawn(), folder / "classes.png")
    return {"sheet": str(folder / "classes.png"), **{name: str(path) for name, path in paths.items()}}

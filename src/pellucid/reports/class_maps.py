"""What matters for each class, as pictures beside each other and one by one."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from PIL import Image

from pellucid.drawing import Cell, Sheet, colored, save
from pellucid.ledger import checksums

_ACROSS = 5
_MOST = 20  # classes that are missing and stand on the sheet; of more their number does


def write_class_maps(folder: Path, missing: Mapping[str, str]) -> dict[str, str]:
    """Draw the maps that `pellucid normlime` has left in `maps.npz`; where each lies, and under "sheet" all of them.

    All share one scale, so that classes can be compared. Classes that are `missing` are gray, and the sheet says
    why. There are no maps where superpixels have words.
    """
    if not (folder / "maps.npz").exists():
        return {}
    arrays = checksums.read_arrays(folder / "maps.npz")
    maps, used = torch.from_numpy(arrays["maps"]), torch.from_numpy(arrays["used"])
    classes = [str(name) for name in arrays["classes"]]
    shown = dict(list(missing.items())[: _MOST if len(missing) <= _MOST or len(missing) == len(classes) else 0])
    known = [name for name in classes if name not in missing]
    scale = float(maps.max())
    maps = (maps / (scale or 1.0)).where(used > 0, torch.nan)
    pictures = {
        name: Image.fromarray(colored(map, signed=False))
        for name, map in zip(classes, maps, strict=True)
        if name in known or name in shown
    }
    paths = {name: folder / f"class-{re.sub(r'[^A-Za-z0-9._-]+', '_', name)}.png" for name in pictures}
    for name, picture in pictures.items():
        save(picture, paths[name])
    nothing = Cell(Image.new("RGB", (1, 1), "white"))
    cells = [Cell(picture, (name, *((shown[name],) if name in shown else ()))) for name, picture in pictures.items()]
    across = min(_ACROSS, len(cells))
    cells += [nothing] * (-len(cells) % across)
    rows = [cells[first : first + across] for first in range(0, len(cells), across)]
    lines = [f"the darkest purple is an importance of {scale:.3g}, for all classes alike"] if known else []
    if any(bool((used[classes.index(name)] == 0).any()) for name in known):
        lines.append("gray: nothing that could be hidden is there in any image of the class")
    if len(missing) > len(shown):
        more = len(missing) - len(shown)
        lines.append(f"of {more} more classes nothing is known: {next(iter(missing.values()))}")
    sheet = Sheet([""] * across, rows, "\n".join(lines))
    save(sheet.drawn(), folder / "classes.png")
    return {"sheet": str(folder / "classes.png"), **{name: str(path) for name, path in paths.items()}}

"""What happens to files: bits that flip, ends that are cut off or added, zeros where something was."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pellucid.errors import Damaged

T = TypeVar("T")
KINDS = ("flip", "cut", "empty", "zero", "extend")


def harm(path: Path, kind: str, luck: random.Random, start: int = 0) -> None:
    """Damage one file somewhere from a byte on; an empty one can only grow."""
    content = bytearray(path.read_bytes())
    if kind == "flip" and content:
        bit = luck.randrange(8 * start, 8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
    elif kind == "cut" and content:
        del content[luck.randrange(start, len(content)) :]
    elif kind == "empty" and content:
        content.clear()
    elif kind == "zero" and any(content[start:]):
        content[start:] = bytes(len(content) - start)
    else:
        content += luck.randbytes(1 + luck.randrange(40))
    path.write_bytes(content)  # in place, as a failing disk does it


def harmed(folder: Path, seed: int, files: int = 1) -> list[tuple[Path, str]]:
    """Damage some files of a folder, chosen by chance, and say which."""
    luck = random.Random(seed)
    there = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    chosen = [(path, luck.choice(KINDS)) for path in luck.sample(there, min(files, len(there)))]
    for path, kind in chosen:
        harm(path, kind, luck)
    return chosen


def followed(work: Callable[[], T], tries: int = 8) -> T:
    """What comes of work after the remedy that its errors name has been followed."""
    for _ in range(tries):
        try:
            return work()
        except Damaged as error:
            told = str(error)
            assert "\n" not in told
            assert "give the" in told, told
            if "remove it" in told:
                path = Path(told.split("'")[1])
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    raise AssertionError("the remedies did not help")

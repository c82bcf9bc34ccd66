"""Disturbing a work, and seeing that the same command then ends with the same bits."""

import operator
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from campaign.works import Work
from contents import contents
from nursery import Death, Fault, Nursery
from pellucid.ledger import checksums

Said = str | None
"""What went wrong, where something did."""

SPENT = frozenset({"forwards", "backwards"})
"""Columns that say what an attempt has cost."""

FILES = r"\.(npz|npy|json|jsonl|toml|ckpt|safetensors|partial|html)$"


def undisturbed(nursery: Nursery, work: Work) -> dict[str, Any]:
    """What a work leaves where nothing happens to it."""
    clear(nursery, work)
    ended = nursery.failing(*work.command, fault=Fault("disk", 0))
    assert ended.status == 0, ended.said
    return contents(work.left(nursery.folder))


def operations(nursery: Nursery, work: Work, kind: Literal["disk", "memory"]) -> int:
    """How many operations can fail."""
    clear(nursery, work)
    return nursery.failing(*work.command, fault=Fault(kind, 0)).operations


def clear(nursery: Nursery, work: Work) -> None:
    """Remove what a work has left."""
    shutil.rmtree(work.left(nursery.folder), ignore_errors=True)


def failed_once(
    nursery: Nursery, work: Work, kind: Literal["disk", "memory"], at: int, expected: dict[str, Any]
) -> Said:
    """A work whose operation number `at` fails, and the same command again."""
    clear(nursery, work)
    ended = nursery.failing(*work.command, fault=Fault(kind, at))
    if wrong := _not_one_line(ended.status, ended.said):
        return f"{work.name}, {kind} operation {at}: {wrong}"
    spent = SPENT if kind == "memory" else frozenset[str]()  # a batch that is halved costs other passes
    return _again(nursery, work, expected, f"{work.name} after {kind} operation {at}", spent)


def killed(nursery: Nursery, work: Work, draw: random.Random, expected: dict[str, Any]) -> tuple[int, Said]:
    """A work that dies at random moments until it ends by itself: the number of deaths, and what went wrong."""
    clear(nursery, work)
    for deaths in range(1000):
        after = draw.choice((0, 0, 1, 2, 3))
        # on a busy machine nothing may be done in so short a time: later deaths leave more
        seconds = draw.uniform(0, 0.02 if after else 0.25) * (1 + deaths / 20)
        status = nursery.run(*work.command, death=Death(FILES, after, seconds))
        if status == 0:
            return deaths, _differs(nursery, work, expected, f"{work.name} after {deaths} kills")
    return 1000, f"{work.name} makes no progress"


def damaged(nursery: Nursery, work: Work, draw: random.Random, expected: dict[str, Any]) -> Said:
    """A work that is stopped on its way or complete, of which a file is damaged; then the same command again."""
    clear(nursery, work)
    if draw.random() < 0.7:
        nursery.run(*work.command, death=Death(FILES, draw.randint(1, 8), draw.uniform(0, 0.01)))
    else:
        nursery.run(*work.command)
    left = [path for path in work.left(nursery.folder).rglob("*") if path.is_file() and path.name != ".lock"]
    if not left:
        return None
    path = draw.choice(sorted(left))
    how = _damage(path, draw)
    name = f"{work.name}, {path.relative_to(nursery.folder)} {how}"
    said = ""
    for _ in range(4):
        ended = nursery.failing(*work.command, fault=Fault("disk", 0))
        if wrong := _not_one_line(ended.status, ended.said):
            return f"{name}: {wrong}"
        if ended.status == 0:
            # what the command has no need to read stays as it is, and its ledger tells
            # and what a run ran on is removed, since nobody knows it any more
            unread = not checksums.sound(path) if path.exists() else path.name == "environment.json"
            apart = path.relative_to(work.left(nursery.folder)).as_posix() if unread else ""
            return _differs(nursery, work, expected, name, apart=apart)
        said = ended.said
        if not (harmed := _named(ended.said, nursery.folder)):
            return f"{name}: no file is named in {ended.said!r}"
        if "remove it" not in ended.said and "remove the folder" not in ended.said:
            return f"{name}: no remedy in {ended.said!r}"
        if "remove the folder" in ended.said:
            shutil.rmtree(harmed if harmed.is_dir() else harmed.parent)
        else:
            harmed.unlink()
    return f"{name}: the remedy does not help: {said!r}"


def moments(total: int, most: int) -> Iterator[int]:
    """Numbers from 1 to `total`: all, or so many spread over them."""
    if total <= most:
        yield from range(1, total + 1)
    else:
        yield from sorted({1 + round(number * (total - 1) / (most - 1)) for number in range(most)})


def _damage(path: Path, draw: random.Random) -> str:
    content = bytearray(path.read_bytes())
    kinds: list[tuple[str, Callable[[], bytes | bytearray]]] = [
        ("emptied", lambda: b""),
        ("cut short", lambda: content[: draw.randrange(max(1, len(content)))]),
        ("zeroed", lambda: bytes(len(content))),
        ("with more at its end", lambda: content + b"more"),
        ("with a bit flipped", lambda: _flipped(content, draw)),
        ("with a bit flipped", lambda: _flipped(content, draw)),
        ("with noise in the middle", lambda: _noisy(content, draw)),
    ]
    how, make = draw.choice(kinds)
    path.write_bytes(make())
    return how


def _flipped(content: bytearray, draw: random.Random) -> bytearray:
    if content:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return content


def _noisy(content: bytearray, draw: random.Random) -> bytearray:
    start = len(content) // 2
    content[start : start + 16] = draw.randbytes(len(content[start : start + 16]))
    return content


def _again(nursery: Nursery, work: Work, expected: dict[str, Any], when: str, spent: frozenset[str]) -> Said:
    ended = nursery.failing(*work.command, fault=Fault("disk", 0))
    if ended.status != 0:
        return f"{when}: the same command ends with {ended.status}: {ended.said.strip()!r}"
    return _differs(nursery, work, expected, when, spent)


def _differs(
    nursery: Nursery,
    work: Work,
    expected: dict[str, Any],
    when: str,
    spent: frozenset[str] = frozenset(),
    apart: str = "",
) -> Said:
    found, wanted = (_without(spent, files) for files in (contents(work.left(nursery.folder)), expected))
    same = _equal_but_for_rounding if spent else operator.eq
    names = sorted(
        name for name in {*found, *wanted} if not same(found.get(name), wanted.get(name)) and name != apart
    )
    return f"{when}: other than undisturbed: {', '.join(names)}" if names else None


def _equal_but_for_rounding(one: Any, other: Any) -> bool:
    """Whether values are the same to a hundred-thousandth of the largest beside them.

    A halved batch is rounded otherwise, and sums of hundreds of numbers of seven digits keep five.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal_but_for_rounding(one[key], other[key]) for key in one)
    if one == other or not (isinstance(one, tuple) and isinstance(other, tuple)):
        return one == other
    (kind, values), (other_kind, others) = one, other
    found, wanted = np.array(values), np.array(others)
    if kind != other_kind or found.shape != wanted.shape or found.dtype.kind != "f":
        return False
    return np.allclose(found, wanted, rtol=0, atol=1e-5 * float(np.nanmax(np.abs(wanted))), equal_nan=True)


def _without(columns: frozenset[str], files: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: value for key, value in held.items() if key not in columns} if isinstance(held, dict) else held
        for name, held in files.items()
    }


def _not_one_line(status: int, said: str) -> Said:
    """What is wrong with how a command ended."""
    if "Traceback" in said:
        return said.strip().splitlines()[-1] + " with a traceback"
    if "not foreseen" in said:
        return said.strip()
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    if status not in (0, 1) or (status == 1 and len(errors) != 1):
        return f"it ends with {status}: {said.strip()!r}"
    return None


def _named(said: str, folder: Path) -> Path | None:
    """The file below a folder that an error names."""
    line = next(line for line in said.splitlines() if line.startswith("error: "))
    words = line.replace("'", " ").replace(";", " ").replace(":", " ").split()
    return next((folder / word for word in words if "/" in word and (folder / word).exists()), None)

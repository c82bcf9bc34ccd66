"""A data set in its splits, and what it takes to load one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pellucid import limits
from pellucid.batch import listed
from pellucid.data.augmentation import Augmentation
from pellucid.data.download import Report
from pellucid.data.split import Split
from pellucid.errors import DataError
from pellucid.intake import Intake
from pellucid.printable import printable


@final
@dataclass(frozen=True)
class Data:
    """The splits of one data set, what training on it should augment, and which files were left out as unreadable.

    `whole` holds all images where they came undivided, for measuring a network that was trained on others.
    """

    name: str
    train: Split
    test: Split
    validation: Split | None = None
    augment: tuple[Augmentation, ...] = ()
    skipped: tuple[str, ...] = ()
    whole: Split | None = None

    def __repr__(self) -> str:
        splits = {"train": self.train, "test": self.test, "validation": self.validation, "whole": self.whole}
        lines = [
            f"Data '{self.name}'",
            *(f"  {name:10}  {split}" for name, split in splits.items() if split is not None),
        ]
        if self.augment:
            lines.append(f"  augmented   {', '.join(map(repr, self.augment))}")
        if self.skipped:
            lines.append(f"  left out    {len(self.skipped)} files that cannot be read: {listed(self.skipped, 3)}")
        return "\n".join(map(printable, lines))


@final
@dataclass(frozen=True)
class Decoding:
    """How files are unpacked: with so many bytes of `memory`, and images by so many `workers` where they need more.

    A file may unpack to 1 GiB, to `memory` bytes or to sixteen times its own length, whichever is the most. Image
    files are held in memory if their pixels need at most `memory` bytes, else decoded by `workers` processes whenever
    they are looked at. `intake` says how a network wants image files scaled and cropped; a `size` that is asked for
    overrides its shape and its crop.
    """

    memory: int = 2**30
    workers: int = 2
    intake: Intake = Intake()  # noqa: RUF009, a frozen value


@final
@dataclass(frozen=True)
class Request:
    """What `load` was asked for, in the words of its parameters. `path` is None where a data set was named.

    `only` names the class folders that alone are read; where it is empty, all are.
    """

    path: Path | None
    root: Path
    download: bool
    size: int | None
    skip_bad: bool
    decoding: Decoding
    split_seed: int
    report: Report
    only: tuple[str, ...] = ()

    @property
    def room(self) -> int:
        """How many bytes a file may unpack to, however short it is."""
        return max(self.decoding.memory, limits.MEMORY)

    def given(self, kind: str) -> Path:
        """The path, for a kind of data that has no files of its own."""
        if self.path is None:
            raise DataError(f"'{kind}' is a kind of data, not a data set; load the path of your own")
        return self.path


Loader = Callable[[Request], Data]

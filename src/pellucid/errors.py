"""Every error that Pellucid raises on purpose.

    PellucidError
    ├── PixelError        pixels outside [0, 1], or not finite
    ├── LabelError        labels outside the classes
    ├── ShapeError        channels, sizes or lengths that do not fit
    ├── UnknownName       a name that no registry knows
    ├── ConfigError       a setting that does not exist or has the wrong type
    ├── DataError         files that are missing, empty, damaged or unreadable
    │   └── DownloadError a file that could not be fetched or is not what it should be
    ├── WeightsError      weights that do not fit the network, or cannot be read safely
    ├── NotTrusted        code that a file brings or names, which nobody said to trust
    ├── MissingExtra      an optional package that is not installed
    ├── FileError         a file or folder that cannot be read or written
    │   └── Damaged       a file that is not as it was written
    ├── Diverged          a loss that became NaN or infinite
    ├── NotFinite         a network whose outputs are NaN or infinite
    ├── NetworkError      a network that fails on images, whose code ends the program, or that has no weights
    │   └── NoGradients   a network without a way from its logits to its pixels
    ├── NetworkBusy       a network that another thread uses in a way that excludes this one
    ├── NoRoom            a single image that memory does not suffice for
    ├── PartDone          a share of a work is done, and others are missing
    ├── MeasurementError  a figure whose premise does not hold, or measurements that cannot be used
    └── RunError          a run folder that cannot be used
        ├── RunBusy       another process is working in it
        └── CheckpointError no checkpoint could be written or read

Messages say what was wrong, with the value; where; and what to do.
"""

import difflib
from collections.abc import Iterable


class PellucidError(Exception):
    """The base of every error below; the command line prints these without a traceback.

    The middle is left out where somebody typed, or a file holds, more than anybody reads.
    """

    def __str__(self) -> str:
        text = super().__str__()
        return text if len(text) <= _LONGEST_LINE else f"{text[:_HEAD]} ... {text[_HEAD - _LONGEST_LINE :]}"


_LONGEST_LINE, _HEAD = 4000, 3000


class PixelError(PellucidError, ValueError):
    """Pixels are outside [0, 1] or not finite."""


class LabelError(PellucidError, ValueError):
    """A label names no class."""


class ShapeError(PellucidError, ValueError):
    """Channels, sizes or lengths do not fit together."""


class UnknownName(PellucidError, LookupError):
    """A name is in no registry and no plug-in provides it."""


class ConfigError(PellucidError, ValueError):
    """A setting does not exist, has the wrong type or an impossible value."""


class DataError(PellucidError):
    """Data files are missing, empty, damaged or unreadable."""


class DownloadError(DataError):
    """A file could not be fetched, or what came is not what was expected."""


class WeightsError(PellucidError):
    """Weights do not fit the network or cannot be read safely."""


class NotTrusted(PellucidError):
    """A file brings code or names it, and nobody said to trust that."""


class MissingExtra(PellucidError, ImportError):
    """An optional package is needed and not installed."""


class FileError(PellucidError):
    """A file or folder cannot be read or written: no room, no permission, or something else in its place."""


class Damaged(FileError):
    """A file is not as it was written: cut short, changed or mixed up."""


class Diverged(PellucidError, ArithmeticError):
    """A loss became NaN or infinite."""


class NotFinite(PellucidError, ArithmeticError):
    """A network's outputs are NaN or infinite."""


class NetworkError(PellucidError, RuntimeError):
    """A network failed on images, its code tried to end the program, or it cannot be worked with as it is."""


class NoGradients(NetworkError):
    """No gradient leads from a network's logits to its pixels."""


class NetworkBusy(PellucidError):
    """Another thread uses the network, or a part of it, in a way that excludes this one."""


class NoRoom(PellucidError, MemoryError):
    """Memory does not suffice for a single image."""


class PartDone(PellucidError):
    """The share of a work that was asked for is done, and others are still to be made."""


class MeasurementError(PellucidError, ValueError):
    """A figure's premise does not hold, or saved measurements cannot be used."""


class RunError(PellucidError):
    """A run folder cannot be used."""


class RunBusy(RunError):
    """Another process is working in the run folder."""


class CheckpointError(RunError):
    """No checkpoint could be written or read."""


def count_of(count: int, one: str) -> str:
    """A number of things in words.

    >>> count_of(1, "class"), count_of(2, "class"), count_of(0, "image")
    ('1 class', '2 classes', '0 images')
    """
    return f"{count} {one}{'' if count == 1 else 'es' if one.endswith('s') else 's'}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for a near miss, else what there is to choose from."""
    candidates = sorted(known)
    if near := nearest_name(name, candidates):
        return f" (did you mean '{near}'?)"
    return f" (there are: {', '.join(candidates)})" if candidates else " (there are none)"


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """What somebody who typed `name` most likely meant; none where nothing is near, or several short names are."""
    if len(name) > _LONGEST:
        return None
    candidates = sorted(known)
    if close := difflib.get_close_matches(name, candidates, n=1):
        return close[0]
    # a slip changes most of a short name, such as 'n' or 'lr', so that shares of letters tell nothing
    slips = [candidate for candidate in candidates if _one_slip(name, candidate)]
    return slips[0] if len(slips) == 1 else None


_LONGEST = 100  # letters that a name may have; looking for what is near to more takes long


def _one_slip(typed: str, meant: str) -> bool:
    """Whether one letter was changed, left out, added, or exchanged with the next."""
    start = next(
        (i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant))
    )
    one, other = typed[start:], meant[start:]
    exchanged = one[:2] == other[1::-1] and len(one) > 1 and one[2:] == other[2:]
    return one[1:] == other[1:] or one[1:] == other or one == other[1:] or exchanged

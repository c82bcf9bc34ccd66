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
    ├── MissingExtra      an optional package that is not installed
    ├── Diverged          a loss that became NaN or infinite
    ├── NotFinite         a network whose outputs are NaN or infinite
    ├── MeasurementError  a figure whose premise does not hold, or measurements that cannot be used
    └── RunError          a run folder that cannot be used
        ├── RunBusy       another process is working in it
        └── CheckpointError no checkpoint could be written or read

Messages say what was wrong, with the value; where; and what to do.
"""

import difflib
from collections.abc import Iterable


class PellucidError(Exception):
    """The base of every error below; the command line prints these without a traceback."""


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


class MissingExtra(PellucidError, ImportError):
    """An optional package is needed and not installed."""


class Diverged(PellucidError, ArithmeticError):
    """A loss became NaN or infinite."""


class NotFinite(PellucidError, ArithmeticError):
    """A network's outputs are NaN or infinite."""


class MeasurementError(PellucidError, ValueError):
    """A figure's premise does not hold, or saved measurements cannot be used."""


class RunError(PellucidError):
    """A run folder cannot be used."""


class RunBusy(RunError):
    """Another process is working in the run folder."""


class CheckpointError(RunError):
    """No checkpoint could be written or read."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for a near miss, else what there is to choose from."""
    candidates = sorted(known)
    close = difflib.get_close_matches(name, candidates, n=1)
    if close:
        return f" (did you mean '{close[0]}'?)"
    return f" (there are: {', '.join(candidates)})" if candidates else " (there are none)"

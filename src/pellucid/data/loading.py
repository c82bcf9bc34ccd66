"""From a name or a path to data that a network can be trained on."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pellucid import limits
from pellucid.data import DATA
from pellucid.data.cifar import holds_batches
from pellucid.data.datasets import Data, Decoding, Request
from pellucid.data.download import Report, silent
from pellucid.data.mnist import holds_idx
from pellucid.errors import ConfigError, DataError, UnknownName, suggestion

_CACHE = Path("~/.cache/pellucid")


def load(
    source: str | Path,
    *,
    root: Path | None = None,
    download: bool = False,
    size: int | None = None,
    skip_bad: bool = False,
    decoding: Decoding = Decoding(),  # noqa: B008, a frozen value
    split_seed: int = 0,
    only: Sequence[str] = (),
    report: Report = silent,
) -> Data:
    """The data set of a name, or the data at a path: arrays, MNIST's or CIFAR's files, or folders of images.

    `hf:OWNER/NAME` and `hf:/path/to/folder` are data sets of Hugging Face's datasets. A string that is a registered
    name means that data set; write `./name` or give a `Path` for a folder called so.

    `root` keeps published files, each data set in a folder of its own name, and `download` allows fetching them.

    `decoding` says how much memory images may take. `size` makes image files square; `skip_bad` leaves out those that
    cannot be read, which costs decoding every file once. `split_seed` divides what comes undivided. `only` names the
    class folders that alone are read of a folder of images; `read_folders` reads such a list from a file.
    """
    folder = (root or _CACHE).expanduser()
    with limits.reading(source):
        request = Request(None, folder, download, size, skip_bad, decoding, split_seed, report, tuple(only))
        return _load(source, request)


def _load(source: str | Path, request: Request) -> Data:
    named = isinstance(source, str) and source in DATA
    hub = isinstance(source, str) and source.startswith("hf:")
    path = None if named else Path(source).expanduser()
    if isinstance(source, str) and path and not hub and not path.exists():
        raise UnknownName(f"no dataset is called '{source}'{suggestion(source, DATA)}, and no such path exists")
    kind = "hf" if hub else str(source) if path is None else _kind_of(path)
    if request.size is not None and kind not in ("folder", "hf"):
        raise ConfigError(f"size={request.size} scales folders of images, and '{source}' is none; leave size out")
    if request.size is not None and request.size < 1:
        raise ConfigError(f"images cannot be scaled to size={request.size}; give 1 pixel or more")
    if request.only and kind != "folder":
        raise ConfigError(f"only chooses among folders of images by class, and '{source}' has none; leave only out")
    return DATA[kind](replace(request, path=path))


def has_class_folders(source: str | Path) -> bool:
    """Whether `load` takes a source for a folder of class folders."""
    path = Path(source).expanduser()
    return not (isinstance(source, str) and source in DATA) and path.is_dir() and _kind_of(path) == "folder"


def _kind_of(path: Path) -> str:
    """Which loader reads a path."""
    if not path.exists():
        raise DataError(f"'{path}' does not exist; give the path of a file or folder")
    if path.is_dir():
        if holds_idx(path):
            return "mnist"
        return "cifar10" if holds_batches(path) else "folder"  # the loader of one reads the other too
    if path.suffix == ".npz":
        return "npz"
    if path.suffixes[-2:-1] == [".tar"] or path.suffix in (".tar", ".tgz"):
        return "cifar10"
    raise DataError(f"'{path}' is no data that can be read; give a .npz file, a CIFAR archive or a folder")

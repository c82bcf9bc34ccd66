"""CIFAR-10 and CIFAR-100, from a folder or straight from an archive."""

from pathlib import Path

import torch

from pellucid.batch import check_labels
from pellucid.data.archive import contents_of
from pellucid.data.augment import Flip, PadCrop
from pellucid.data.cifar_forms import FORMS, Form
from pellucid.data.datasets import Data, Request
from pellucid.data.download import Remote, require, whole
from pellucid.data.tensors import TensorSplit
from pellucid.errors import DataError

_SITE = "https://www.cs.toronto.edu/~kriz"
_TEN = Remote(f"{_SITE}/cifar-10-python.tar.gz", "md5:c58f30108f718f92721af3b95e74349a")
_HUNDRED = Remote(f"{_SITE}/cifar-100-python.tar.gz", "md5:eb9058c3a382ffc7106e4002c42a8d85")


def load_cifar10(request: Request) -> Data:
    """60,000 photographs of 32x32 pixels in ten classes."""
    return _load(request, "cifar10", 10, _TEN)


def load_cifar100(request: Request) -> Data:
    """60,000 photographs of 32x32 pixels in a hundred classes."""
    return _load(request, "cifar100", 100, _HUNDRED)


def holds_batches(folder: Path) -> bool:
    """Whether a folder has the files of either data set, or the folder that they are published in."""
    return _place(folder, FORMS) is not None


def _load(request: Request, name: str, classes: int, remote: Remote) -> Data:
    if request.path is not None:
        place = request.path if request.path.is_file() else _place(request.path, FORMS)
        return _read(place or request.path, request.path.resolve().name, FORMS, request.room)
    folder = request.root / name
    forms = tuple(form for form in FORMS if form.classes == classes)
    place = _place(folder, forms) or next(iter(sorted(folder.glob(f"cifar-{classes}-*.tar.?z"))), None)
    if place is None:
        require([remote], folder, download=request.download, report=request.report)
    return _read(whole(place or folder / remote.name), name, forms, request.room)


def _place(folder: Path, forms: tuple[Form, ...]) -> Path | None:
    """Where below a folder the unpacked files are."""
    for form in forms:
        for place in (folder, folder / form.folder):
            if place.is_dir() and form.begun({path.name for path in place.iterdir() if path.is_file()}):
                return place
    return None


def _read(place: Path, name: str, forms: tuple[Form, ...], room: int) -> Data:
    wanted = {file for form in forms for file in (*form.train, form.test, form.meta)}
    contents = contents_of(place, wanted.__contains__, room)
    form = next((form for form in forms if form.begun(contents)), None)
    if form is None:
        raise DataError(f"'{place}' holds no CIFAR batches; give the archive as it is published, or a folder")
    missing = [file for file in (*form.train, form.test) if file not in contents]
    if missing:
        raise DataError(f"'{place}' lacks {', '.join(missing)}; fetch it again, whole")
    classes = form.class_names(contents, f"'{place}'")

    def split(*files: str) -> TensorSplit:
        batches = [form.batch(contents[file], f"'{file}' in '{place}'") for file in files]
        for file, (_, labels) in zip(files, batches, strict=True):
            check_labels(labels, len(classes), f"'{file}' in '{place}'")
        pixels, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
        return TensorSplit(pixels, labels, classes)

    return Data(name, split(*form.train), split(form.test), augment=(PadCrop(4), Flip()))

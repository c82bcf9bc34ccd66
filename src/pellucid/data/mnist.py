"""MNIST, and whatever else comes in the same four files."""

from pathlib import Path

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from pellucid.batch import check_labels
from pellucid.data.classes import numbered
from pellucid.data.datasets import Data, Request
from pellucid.data.download import Remote, require, whole
from pellucid.data.idx import read_idx
from pellucid.data.tensors import TensorSplit
from pellucid.errors import DataError, ShapeError

_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"

REMOTES = {
    name: Remote(f"{_MIRROR}/{name}.gz", f"sha256:{digest}", unpacked=True)
    for name, digest in {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }.items()
}


def load_mnist(request: Request) -> Data:
    """70,000 gray digits of 28x28 pixels; or a folder of IDX files under the names of MNIST's."""
    folder = request.path or request.root / "mnist"
    missing = [name for name in REMOTES if _find(folder, name) is None]
    if missing and request.path:
        raise DataError(
            f"'{folder}' has some IDX files but lacks {', '.join(missing)}; put them there, gzipped or not"
        )
    require([REMOTES[name] for name in missing], folder, download=request.download, report=request.report)
    pixels, labels = _read(folder, "train", request.room)
    classes = numbered(labels, f"the training set in '{folder}'", "number the classes from 0")
    test_pixels, test_labels = _read(folder, "t10k", request.room)
    check_labels(test_labels, len(classes), f"the test set in '{folder}'")
    name = folder.resolve().name if request.path else "mnist"
    return Data(name, TensorSplit(pixels, labels, classes), TensorSplit(test_pixels, test_labels, classes))


def holds_idx(folder: Path) -> bool:
    """Whether a folder has any of the four files, gzipped or not."""
    return any(_find(folder, name) for name in REMOTES)


def _find(folder: Path, name: str) -> Path | None:
    dotted = ".idx".join(name.rsplit("-idx", 1))  # as some mirrors write it
    candidates = (folder / f"{stem}{end}" for stem in (name, dotted) for end in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _read(folder: Path, part: str, room: int) -> tuple[UInt8[Tensor, "n 1 h w"], Int[Tensor, " n"]]:
    images, labels = (_find(folder, f"{part}-{content}-ubyte") for content in ("images-idx3", "labels-idx1"))
    assert images and labels, "they were looked for before"
    pixels, classes = read_idx(whole(images), room), read_idx(whole(labels), room)
    if pixels.dtype != torch.uint8 or pixels.ndim != 3:
        raise ShapeError(
            f"'{images}' holds {pixels.dtype} of shape {tuple(pixels.shape)}; images are bytes (n, h, w)"
        )
    if classes.is_floating_point() or classes.shape != pixels.shape[:1]:
        raise ShapeError(
            f"'{labels}' holds {classes.dtype} of shape {tuple(classes.shape)} for {len(pixels)} images; "
            "each image needs one whole number"
        )
    return pixels[:, None], classes.long()

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from numpy.typing import NDArray

from pellucid.data import Split, load, sequential
from pellucid.errors import DataError, LabelError, PellucidError, PixelError, ShapeError

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]
Write = Callable[..., Path]

NOISE = numpy.random.default_rng(0).integers(0, 256, (20, 6, 5, 3), dtype=numpy.uint8)  # NHWC
LABELS = numpy.arange(20) % 2


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def save(**arrays: Any) -> Path:
        numpy.savez(tmp_path / "mine.npz", **arrays)
        return tmp_path / "mine.npz"

    return save


def pixels(split: Split) -> torch.Tensor:
    (batch,) = split.batches(sequential(split, 99))
    return batch.x


def divided(x: NDArray[Any], **more: Any) -> dict[str, Any]:
    return {"x_train": x, "y_train": LABELS, "x_test": x[:4], "y_test": LABELS[:4], **more}


def test_every_layout_gives_the_same_images(write: Write):
    expected = torch.from_numpy(NOISE).permute(0, 3, 1, 2) / 255
    for x in (NOISE, NOISE.transpose(0, 3, 1, 2), numpy.asfortranarray(NOISE)):
        data = load(write(**divided(x)))
        assert (data.name, data.augment, data.validation) == ("mine", (), None)
        assert torch.equal(pixels(data.train), expected)
        assert torch.equal(pixels(data.test), expected[:4])
        assert torch.equal(data.train.labels, torch.from_numpy(LABELS))
    gray = load(write(**divided(NOISE[..., 0])))
    assert torch.equal(pixels(gray.train), expected[:, :1])


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f4"])
def test_floats(write: Write, kind: str):
    x = (NOISE / 255).astype(kind)
    read = pixels(load(write(**divided(x))).train)
    assert torch.equal(read, torch.from_numpy(x.astype("float32")).permute(0, 3, 1, 2))


def test_a_stated_layout_settles_it(write: Write):
    x = numpy.zeros((20, 3, 4, 3), numpy.uint8)
    assert load(write(**divided(x, layout="NHWC"))).train.shape == (3, 3, 4)
    assert load(write(**divided(x, layout="NCHW"))).train.shape == (3, 4, 3)
    assert load(write(**divided(numpy.zeros((20, 4, 4, 4), numpy.uint8), layout="NCHW"))).train.shape == (4, 4, 4)


def test_class_names(write: Write):
    assert load(write(x=NOISE, y=LABELS)).train.classes == ("0", "1")
    assert load(write(x=NOISE, y=LABELS, classes=["no", "yes", "perhaps"])).test.classes == ("no", "yes", "perhaps")


def test_one_set_is_divided_by_the_seed(write: Write):
    path = write(x=NOISE, y=LABELS)
    data, again, other = load(path), load(path), load(path, split_seed=1)
    assert data.train.labels.bincount().tolist() == [8, 8]
    assert data.test.labels.bincount().tolist() == [2, 2]
    together = torch.cat([pixels(data.train), pixels(data.test)])
    assert len(together.unique(dim=0)) == 20
    assert data.test.fingerprint() == again.test.fingerprint() != other.test.fingerprint()


SHAPE = "'x' in '{path}' has the shape"
BAD: list[tuple[dict[str, Any], type[PellucidError], str]] = [
    (
        {"x": numpy.where(NOISE == 7, numpy.nan, NOISE / 255), "y": LABELS},
        PixelError,
        "'x' in '{path}' has pixels from nan to nan; they must lie in [0, 1]: divide by 255, "
        "and put normalization inside the model",
    ),
    (
        {"x": NOISE / 250, "y": LABELS},
        PixelError,
        "'x' in '{path}' has pixels from 0 to 1.02; they must lie in [0, 1]: divide by 255, "
        "and put normalization inside the model",
    ),
    (
        {"x": NOISE.astype("int64"), "y": LABELS},
        PixelError,
        "'x' in '{path}' holds int64 pixels; save bytes (uint8), or floats in [0, 1]",
    ),
    (
        {"x": NOISE, "y": LABELS / 2},
        LabelError,
        "'y' in '{path}' is float64 of shape (20,); save one whole number per image",
    ),
    (
        {"x": NOISE, "y": LABELS - 1},
        LabelError,
        "'y' in '{path}' has the label -1 and 1 class; labels run from 0 to 0",
    ),
    (
        {"x": NOISE, "y": LABELS, "classes": ["one"]},
        LabelError,
        "'y' in '{path}' has the label 1 and 1 class; labels run from 0 to 0",
    ),
    (
        divided(NOISE, y_test=numpy.array([0, 1, 2, 0])),
        LabelError,
        "'y_test' in '{path}' has the label 2 and 2 classes; labels run from 0 to 1",
    ),
    (
        {"x": NOISE, "y": LABELS[1:]},
        ShapeError,
        "'{path}' has 20 images in 'x' and 19 labels in 'y'; pair them up",
    ),
    (
        divided(NOISE, x_test=NOISE[:4, 1:]),
        ShapeError,
        "'{path}' has training images of shape (3, 6, 5) and test images of (3, 5, 5); make them alike",
    ),
    (
        {"x": NOISE[:, :3], "y": LABELS},
        ShapeError,
        f"{SHAPE} (20, 3, 5, 3), where both ends could be 1 or 3 channels; "
        "save layout='NHWC' or layout='NCHW' beside it",
    ),
    (
        {"x": NOISE[..., :2], "y": LABELS},
        ShapeError,
        f"{SHAPE} (20, 6, 5, 2), where neither end could be 1 or 3 channels; "
        "save layout='NHWC' or layout='NCHW' beside it",
    ),
    (
        {"x": NOISE[:, 0, 0], "y": LABELS},
        ShapeError,
        f"{SHAPE} (20, 3); save images as (n, h, w), (n, h, w, c) or (n, c, h, w)",
    ),
    (
        {"x": NOISE, "y": LABELS, "layout": "HWCN"},
        ShapeError,
        f"{SHAPE} (20, 6, 5, 3) and the layout 'HWCN'; save 'NHW', 'NHWC' or 'NCHW'",
    ),
    (
        {"x": NOISE[:0], "y": LABELS[:0]},
        DataError,
        "'x' in '{path}' has no images; save some",
    ),
    (
        {"images": NOISE, "y": LABELS},
        DataError,
        "'{path}' has the keys images, y; save x and y, or x_train, y_train, x_test and y_test",
    ),
    (
        {"x": NOISE.astype(object), "y": LABELS},
        DataError,
        "'x' in '{path}' holds a pickle, which could run code; save plain arrays of numbers",
    ),
]


@pytest.mark.parametrize(("arrays", "error", "message"), BAD, ids=[message[-40:] for _, _, message in BAD])
def test_refusals(write: Write, raises: Raises, arrays: dict[str, Any], error: type[PellucidError], message: str):
    path = write(**arrays)
    with raises(error, message.replace("{path}", str(path))):
        load(path)


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_damaged_files(write: Write, raises: Raises, content: bytes | None):
    path = write(x=NOISE, y=LABELS)
    path.write_bytes(path.read_bytes()[:-30] if content is None else content)
    with raises(DataError, f"'{path}' is cut short, or is no .npz file; write it again with numpy.savez"):
        load(path)


@pytest.mark.data
def test_photographs():
    if "PELLUCID_DATA" not in os.environ:
        pytest.skip("PELLUCID_DATA does not name a folder of data sets")
    data = load(Path(os.environ["PELLUCID_DATA"]) / "cifar10" / "cifar10-lossless-train-prefix.npz")
    assert (len(data.train), len(data.test), data.train.shape) == (4068, 1017, (3, 32, 32))
    assert len(data.train.classes) == 10

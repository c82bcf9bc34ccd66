import gzip
import math
import os
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.data import load, sequential
from pellucid.data.download import require
from pellucid.data.mnist import REMOTES, read_idx
from pellucid.errors import DataError, LabelError, ShapeError

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]

NAMES = tuple(REMOTES)
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(values: NDArray[Any]) -> bytes:
    header = bytes([0, 0, CODES[values.dtype.str[1:]], values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """Twelve and six images of 5x4 pixels in three classes."""
    for name, count in (("train", 12), ("t10k", 6)):
        pixels = numpy.arange(count * 20, dtype=numpy.uint8).reshape(count, 5, 4)
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx(pixels))
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(idx(numpy.arange(count, dtype=numpy.uint8) % 3))
    return tmp_path


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(sorted(CODES)), st.lists(st.integers(0, 4), max_size=4), st.booleans())
def test_whatever_is_written_is_read(tmp_path: Path, kind: str, shape: list[int], packed: bool):
    values = (numpy.arange(math.prod(shape)) * 7 - 40).astype("i8").astype(kind).reshape(shape)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx(values), 1) if packed else idx(values))
    read = read_idx(path)
    assert torch.equal(read, torch.from_numpy(values))
    assert read.dtype == torch.from_numpy(values).dtype


@pytest.mark.parametrize("change", ["plain", "gzipped", "dotted"])
def test_a_folder_of_idx_files(four: Path, change: str):
    for name in NAMES:
        path = four / name
        if change == "gzipped":
            path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        if change == "dotted":
            path.rename(four / name.replace("-idx", ".idx"))
    data = load(four)
    assert (data.name, len(data.train), len(data.test), data.validation) == (four.name, 12, 6, None)
    assert data.train.classes == data.test.classes == ("0", "1", "2")
    (batch,) = data.train.batches(sequential(data.train, 99))
    assert torch.equal((batch.x * 255).round().flatten(), torch.arange(240.0))
    assert torch.equal(batch.y, torch.arange(12) % 3)
    assert data.augment == ()


@pytest.mark.parametrize(
    ("kept", "added", "message"),
    [
        (slice(4, None), b"\x89PNG", "is no IDX file: it begins with 0x89504e47; fetch it again"),
        (slice(4, None), b"\0\0\x0a\x03", "is no IDX file: it begins with 0x00000a03; fetch it again"),
        (slice(0, 0), b"", "is no IDX file: it begins with 0x; fetch it again"),
        (slice(0, 9), b"", "is cut short: its header ends after 9 of 16 bytes; fetch it again"),
        (slice(0, -1), b"", "has 255 bytes where its header promises 256 for (12, 5, 4); fetch it again"),
    ],
)
def test_damaged_files(four: Path, raises: Raises, kept: slice, added: bytes, message: str):
    path = four / NAMES[0]
    path.write_bytes(added + path.read_bytes()[kept])
    with raises(DataError, f"'{path}' {message}"):
        load(four)


def test_files_that_go_on_or_stop_short(four: Path, raises: Raises):
    path = four / NAMES[0]
    good = path.read_bytes()
    path.write_bytes(good + b"more")
    with raises(DataError, f"'{path}' has 260 bytes where its header promises 256 for (12, 5, 4); fetch it again"):
        load(four)
    path.write_bytes(gzip.compress(good)[:-12])
    with raises(DataError, f"'{path}' is cut short or damaged: gzip cannot unpack it; fetch it again"):
        load(four)


def test_files_that_do_not_fit_together(four: Path, raises: Raises):
    images, labels = four / NAMES[2], four / NAMES[3]
    labels.write_bytes(idx(numpy.zeros(5, "u1")))
    with raises(
        ShapeError,
        f"'{labels}' holds torch.uint8 of shape (5,) for 6 images; each image needs one whole number",
    ):
        load(four)
    labels.write_bytes(idx(numpy.full(6, 3, "u1")))
    with raises(LabelError, f"the test set in '{four}' has the label 3 and 3 classes; labels run from 0 to 2"):
        load(four)
    images.write_bytes(idx(numpy.zeros((6, 5), "f4")))
    with raises(ShapeError, f"'{images}' holds torch.float32 of shape (6, 5); images are bytes (n, h, w)"):
        load(four)
    images.unlink()
    with raises(DataError, f"'{four}' has some IDX files but lacks {NAMES[2]}; put them there, gzipped or not"):
        load(four)


def test_a_cache_without_the_files(tmp_path: Path, raises: Raises):
    folder = tmp_path / "mnist"
    with raises(
        DataError,
        f"'{folder}' lacks {', '.join(f'{name}.gz' for name in NAMES)}; "
        "fetch with download=True (--download), or put them there from "
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ):
        load("mnist", root=tmp_path)


@pytest.fixture
def published() -> Path:
    if "PELLUCID_DATA" not in os.environ:
        pytest.skip("PELLUCID_DATA does not name a folder of data sets")
    return Path(os.environ["PELLUCID_DATA"])


@pytest.mark.data
def test_the_real_one(published: Path):
    data = load("mnist", root=published)
    assert (data.name, data.train.shape, data.train.classes) == ("mnist", (1, 28, 28), tuple("0123456789"))
    assert data.train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.test.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.data
def test_the_digests_are_those_of_the_real_one(published: Path, tmp_path: Path, shelf: Any):
    for remote in REMOTES.values():
        shelf.files[remote.name] = (published / "mnist" / remote.name).read_bytes()
    require(
        [replace(remote, url=f"{shelf.url}/{remote.name}") for remote in REMOTES.values()], tmp_path, download=True
    )
    assert len(load(tmp_path).test) == 10_000

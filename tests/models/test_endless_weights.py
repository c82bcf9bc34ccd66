"""Weights that stand for more than they hold, or for no file at all: refused in one line, without memory."""

import io
import os
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bounded import bounded
from pellucid.errors import WeightsError
from pellucid.models.weight_files import is_torchscript, read_weights

_MORE = 2**29


def packed() -> bytes:
    """What `torch.save` writes, with its parts packed."""
    plain, tight = io.BytesIO(), io.BytesIO()
    torch.save({"w": torch.zeros(10**6)}, plain)
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(tight, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
    return tight.getvalue()


def claiming(size: int) -> bytes:
    """The same, whose first part says that it is of another size."""
    content = io.BytesIO()
    torch.save({"w": torch.zeros(4)}, content)
    whole = content.getvalue()
    place = whole.index(b"PK\1\2") + 24
    return whole[:place] + struct.pack("<I", size) + whole[place + 4 :]


def safetensors(header: str, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header.encode()


def nested(depth: int) -> bytes:
    content: Any = {"w": torch.zeros(1)}
    for _ in range(depth):
        content = {"model": content}
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


TERABYTE = '{"w": {"dtype": "F32", "shape": [274877906944], "data_offsets": [0, 1099511627776]}}'


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.pt", packed, "unpacks to more than it holds, which torch.save never writes; save it again"),
        ("a.pt", lambda: claiming(2**32 - 2), "unpacks to more than it holds"),
        ("a.pt", lambda: nested(60), "holds things that are not tensors: model; save model.state_dict()"),
        ("a.pt", lambda: b"", "is damaged, cut short or no weights file"),
        ("a.safetensors", lambda: safetensors(TERABYTE), "is damaged, cut short or no weights file"),
        ("a.safetensors", lambda: safetensors("{}", 2**62), "is damaged, cut short or no weights file"),
        ("a.safetensors", lambda: safetensors("[" * 10**5), "is damaged, cut short or no weights file"),
    ],
)
def test_weights_that_stand_for_more(tmp_path: Path, name: str, make: Callable[[], bytes], message: str) -> None:
    path = tmp_path / name
    path.write_bytes(make())
    with bounded(_MORE), pytest.raises(WeightsError, match=re.escape(message)) as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


def test_a_hole_of_four_terabytes(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors(TERABYTE))
    os.truncate(path, 2**42)
    with bounded(_MORE), pytest.raises(WeightsError, match="stands for 4 TiB, more than the 1 GiB that it may"):
        read_weights(path)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_what_is_no_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    os.mkfifo(path)
    with pytest.raises(WeightsError, match="is a pipe, no regular file"):
        read_weights(path)
    path.unlink()
    for target, what in (("/dev/zero", "a device"), (str(tmp_path), "a folder")):
        path.symlink_to(target)
        with pytest.raises(WeightsError, match=f"is {what}, no regular file"):
            read_weights(path)
        path.unlink()
    path.symlink_to(path.name)
    for odd in (path, tmp_path / ("a" * 5000), Path("a\0b")):
        with pytest.raises(WeightsError):
            read_weights(odd)


def test_archives_that_are_none_hold_no_program(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    for content in (b"", b"PK\5\6" + b"\xff" * 18, packed()[:-30]):
        path.write_bytes(content)
        assert not is_torchscript(path)

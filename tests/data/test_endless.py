"""Small files that stand for endless ones, and names that stand for no file: refused in one line, without memory."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import re
import socket
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from bounded import bounded
from pellucid import limits
from pellucid.data import Decoding, column_from, load, pictures
from pellucid.data.mnist import read_idx
from pellucid.data.pickles import read_pickle
from pellucid.errors import PellucidError

Write = Callable[[Path], Any]

_MORE = 5 * 2**28  # bytes beyond what the test has: what a file may unpack to, and a little


def header(kind: str, shape: str) -> bytes:
    """A .npy file of any shape, without its numbers."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    numpy.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def claiming(content: bytes, size: int) -> bytes:
    """The same archive, whose directory says that its last member unpacks to so many bytes."""
    place = content.rindex(b"PK\1\2") + 24
    return content[:place] + struct.pack("<I", size) + content[place + 4 :]


def overlapping() -> bytes:
    """An archive whose members all lie at the same place."""
    content = archive({"x.npy": header("|u1", "(1000000,)") + bytes(10**6)})
    start = content.index(b"PK\1\2")
    end = content.rindex(b"PK\5\6")
    entry = content[start:end]
    directory = b"".join(entry.replace(b"x.npy", f"{number:05}".encode()) for number in range(5000))
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 5000, 5000, len(directory), start, 0)
    return content[:start] + directory + tail


def zeros(path: Path, header: bytes, length: int) -> None:
    """A gzip file of zeros after a header, written a part at a time."""
    with path.open("wb") as file:
        packer = zlib.compressobj(1, wbits=31)
        file.write(packer.compress(header))
        part = bytes(2**20)
        for _ in range(length >> 20):
            file.write(packer.compress(part))
        file.write(packer.flush())


def endless(name: str, size: int) -> Any:
    """A tar archive with a member of so many zeros, as much of it as anyone will read."""
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


def sparse(path: Path) -> None:
    """A tar archive of a kilobyte, whose one file is a terabyte without content."""
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "test_batch"}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as file:
        member = tarfile.TarInfo("GNUSparseFile/test_batch")
        member.pax_headers = {**pax, "GNU.sparse.realsize": str(2**40)}
        content = b"1\n1099511627776\n0\n".ljust(512, b"\0")
        member.size = len(content)
        file.addfile(member, io.BytesIO(content))


SMALL = numpy.zeros((5, 4, 4), numpy.uint8)
ENDLESS: dict[str, tuple[str, bytes | Write, str]] = {
    "a label of 2**40": (
        "a.npz",
        npz(x=SMALL, y=numpy.array([0, 1, 2, 2**40, 0])),
        "'y' in '{path}' has the label 1099511627776 in row 3, and labels of 5 images stand for 1000 classes at "
        "most; number the classes from 0, or save the names of all as 'classes'",
    ),
    "a label of 2**64 - 1": (
        "a.npz",
        npz(x=SMALL, y=numpy.array([0, 1, 2, 2**64 - 1, 0], "u8")),
        "'y' in '{path}' has the label 18446744073709551615; number the classes from 0",
    ),
    "a terabyte of pixels": (
        "a.npz",
        archive({"x.npy": header("|u1", "(1605300000000,)"), "y.npy": header("<i8", "(1,)") + bytes(8)}),
        "'x' in '{path}' stands for 1.46 TiB, more than the 1 GiB that it may; "
        "save it without compression, or give more memory where that can be set",
    ),
    "a negative shape": ("a.npz", archive({"x.npy": header("|u1", "(-5, 4)")}), "'{path}' holds no plain array"),
    "a shape that overflows": (
        "a.npz",
        archive({"x.npy": header("<f8", f"({2**62}, {2**62})")}),
        "'x' in '{path}' stands for 2^127 bytes, more than",
    ),
    "no bytes, endless rows": (
        "a.npz",
        archive({"classes.npy": header("|V0", f"({2**40},)")}),
        "'classes' in '{path}' stands for 1 TiB, more than",
    ),
    "empty names without end": (
        "a.npz",
        archive({"classes.npy": header("<U0", f"({2**40},)")}),
        "'classes' in '{path}' stands for 1 TiB, more than",
    ),
    "records": ("a.npz", archive({"x.npy": header("|V9", "(1,)") + bytes(9)}), "has the keys x; save x and y"),
    "nested parentheses": ("a.npz", archive({"x.npy": header("|u1", "(" * 4000)}), "is cut short, or no .npy file"),
    "a member that says it is larger": (
        "a.npz",
        claiming(archive({"x.npy": header("|u1", "(10,)") + bytes(10)}), 2**32 - 2),
        "'{path}' stands for 4 GiB, more than",
    ),
    "many members at one place": ("a.npz", overlapping(), "'{path}' stands for 4.66 GiB, more than"),
    "packed as numpy never does": ("a.npz", archive({"x.npy": b""}, zipfile.ZIP_LZMA), "holds things that are no"),
    "no archive but a hole": ("a.npz", lambda path: os.truncate(path, 2**42), "'{path}' is cut short, or is no .npz"),
    "a column of a terabyte": ("a.npy", header("<f4", f"({2**38},)"), "'{path}' stands for 1 TiB, more than"),
    "a column of a hole": (
        "a.npy",
        lambda path: (path.write_bytes(header("|u1", f"({2**40},)")), os.truncate(path, 2**40 + 128)),
        "'{path}' stands for 1 TiB, more than",
    ),
    "IDX without numbers": (
        "a.idx",
        b"\0\0\x08\1" + struct.pack(">I", 2**32 - 1),
        "'{path}' has 8 bytes where its header promises 4294967303 for (4294967295,); fetch it again",
    ),
    "IDX in gzip without numbers": (
        "a.idx",
        gzip.compress(b"\0\0\x08\1" + struct.pack(">I", 2**32 - 1)),
        "'{path}' stands for 4 GiB, more than the 1 GiB that it may; unpack it with gunzip if it",
    ),
    "IDX in gzip with an axis of nothing": (
        "a.idx",
        gzip.compress(b"\0\0\x08\2" + struct.pack(">2I", 2**32 - 1, 0)),
        "'{path}' stands for 4 GiB, more than",
    ),
    "IDX in gzip that goes on": (
        "a.idx",
        lambda path: zeros(path, b"\0\0\x08\1" + struct.pack(">I", 9), 2**24),
        "'{path}' has more than 17 bytes where its header promises 17 for (9,)",
    ),
    "CIFAR in gzip that goes on": (
        "a.tar.gz",
        lambda path: zeros(path, endless("test_batch", 2**33), 2**30 + 2**24),
        "'{path}' unpacks to more than the 1 GiB that it may; unpack it yourself, and give the folder",
    ),
    "CIFAR with a name that goes on": (
        "a.tar.gz",
        lambda path: zeros(path, endless("././@LongLink", 2**33).replace(b"\x000\0", b"\0L\0"), 2**30 + 2**24),
        "'{path}' unpacks to more than the 1 GiB",
    ),
    "CIFAR with a hole": ("a.tar", sparse, "'{path}' holds no CIFAR batches"),
    "CIFAR in bzip2": ("a.tar.bz2", bz2.compress(b"no archive"), "'{path}' is cut short, or is no tar archive"),
    "CIFAR in xz": ("a.tar.xz", lzma.compress(b"no archive")[:-9], "'{path}' is cut short, or is no tar archive"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_small_files_that_stand_for_endless_ones(tmp_path: Path, name: str) -> None:
    file, content, message = ENDLESS[name]
    path = tmp_path / file
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.touch()
        content(path)
    readers: Mapping[str, Callable[[Path], Any]] = {".idx": read_idx, ".npy": column_from}
    with (
        bounded(_MORE),
        pytest.raises(PellucidError, match=re.escape(message.replace("{path}", str(path)))) as caught,
    ):
        readers.get(path.suffix, load)(path)
    assert "\n" not in str(caught.value)


def test_labels_of_idx_that_stand_for_endless_classes(tmp_path: Path) -> None:
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\3" + struct.pack(">3I", 2, 1, 1) + b"ab")
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x0c\1" + struct.pack(">3I", 2, 0, 2**31 - 1))
    with bounded(_MORE), pytest.raises(PellucidError, match="has the label 2147483647 in row 1, and labels of 2 im"):
        load(tmp_path)


def reduced(*words: bytes) -> bytes:
    return b"\x80\x02" + b"".join(words) + b"."


@pytest.mark.parametrize(
    "content",
    [
        reduced(b"N", b"r\xff\xff\xff\x7f"),  # a memo of 2**31 entries
        reduced(b"\x96" + struct.pack("<Q", 2**40)),  # a terabyte of bytes
        reduced(b"\x8d" + struct.pack("<Q", 2**40)),
        reduced(b"cnumpy\nndarray\n", b"\x8a\x06" + (2**40).to_bytes(6, "little"), b"\x85R"),
        reduced(
            *(b"c_codecs\nencode\nq\0X", struct.pack("<I", 10**5), b"a" * 10**5),
            *(b"q\1X\6\0\0\0latin1\x86q\2]", b"h\0h\2Ra" * 999),
        ),
        b"(" * 10**6,
        b"]" * 10**5 + b"a" * (10**5 - 1) + b".",
    ],
    ids=["memo", "bytes", "text", "array", "encoded", "marks", "lists"],
)  # fmt: skip
def test_pickles_that_grow(content: bytes) -> None:
    with bounded(2**28):
        try:
            read_pickle(content, "here")
        except PellucidError as error:
            assert str(error) == "here is no pickle, or is damaged; fetch it again"


def test_labels_of_cifar_that_are_lists_without_end(tmp_path: Path) -> None:
    labels: list[Any] = [1]
    for _ in range(60):
        labels = [labels, labels]
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (tmp_path / name).write_bytes(pickle.dumps({"data": numpy.zeros((2, 3072), "u1"), "labels": labels}, 2))
    with bounded(_MORE), pytest.raises(PellucidError, match="holds no array of pixels and list of labels; fetch it"):
        load(tmp_path)


def picture(path: Path, width: int, height: int) -> None:
    """A PNG file of white pixels, packed as tightly as may be."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer, row = zlib.compressobj(1), b"\0" + b"\xff" * ((width + 7) // 8)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def test_pictures_of_too_many_pixels(photos: Path) -> None:
    picture(photos / "cat" / "3.png", 13_000, 13_000)
    words = (
        "has 13000x13000 pixels, more than 67,108,864; scale it down, or leave it out with skip_bad=True (--skip-bad)"
    )
    with bounded(_MORE):
        for size in (None, 8):
            with pytest.raises(PellucidError, match=re.escape(f"'cat/3.png' in '{photos}' {words}")):
                load(photos, decoding=Decoding(workers=0), size=size)
        assert load(photos, decoding=Decoding(workers=0), skip_bad=True).skipped == ("cat/3.png",)
        with pytest.raises(PellucidError, match="has 13000x13000 pixels, more than 67,108,864; give another file"):
            pictures([photos / "cat" / "3.png"], (3, 8, 8))


def test_a_large_photograph_is_read_at_half_its_size(photos: Path) -> None:
    for number, progressive in enumerate((False, True)):
        large = Image.new("RGB", (9000, 8000), (10, 200, 30))
        large.save(photos / "cat" / f"large-{number}.jpg", quality=20, progressive=progressive)
    with pytest.raises(PellucidError, match="'cat/large-1.jpg' .* has 8000x9000 pixels, more than 67,108,864; scale"):
        load(photos, decoding=Decoding(workers=0), size=8)
    (photos / "cat" / "large-1.jpg").unlink()
    found = pictures([photos / "cat" / "large-0.jpg"], (3, 8, 8)).x[0, :, 4, 4] * 255
    assert (found - torch.tensor([10.0, 200.0, 30.0])).abs().max() < 8
    with pytest.raises(PellucidError, match="differ in size"):
        load(photos, decoding=Decoding(workers=0))
    assert load(photos, decoding=Decoding(workers=0), size=8).train.shape == (3, 8, 8)


@pytest.mark.parametrize("ending", ["gif", "webp", "tif", "bmp", "png", "jpg"])
def test_pictures_that_only_say_they_are_large(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "gif":  # a screen far larger than the image on it
        Image.new("L", (4, 4)).save(path)
        content = path.read_bytes()
        path.write_bytes(content[:6] + struct.pack("<2H", 65535, 65535) + content[10:])
    elif ending == "webp":
        canvas = b"\0\0\0\0" + (2**24 - 1).to_bytes(3, "little") + (2**7 - 1).to_bytes(3, "little")
        body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas
        path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    elif ending == "jpg":
        Image.new("L", (8, 8)).save(path)
        content = path.read_bytes()
        place = content.index(b"\xff\xc0") + 5
        path.write_bytes(content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :])
    else:
        Image.new("L", (4, 4)).save(path)
        content = path.read_bytes()
        sizes = {"png": (16, ">2I"), "bmp": (18, "<2i"), "tif": (0, "")}[ending]
        if ending == "tif":
            content = content.replace(
                struct.pack("<HHI", 256, 4, 1) + b"\4\0", struct.pack("<HHI", 256, 4, 1) + b"\xff\xff"
            )
            content = content.replace(
                struct.pack("<HHI", 257, 4, 1) + b"\4\0", struct.pack("<HHI", 257, 4, 1) + b"\xff\xff"
            )
        else:
            content = content[: sizes[0]] + struct.pack(sizes[1], 10**5, 10**5) + content[sizes[0] + 8 :]
        path.write_bytes(content)
    with bounded(_MORE), pytest.raises(PellucidError, match="cannot read|more than 67,108,864"):
        pictures([path], (3, 8, 8))


def test_a_picture_is_only_what_its_kind_may_be(tmp_path: Path) -> None:
    proof = tmp_path / "was here"
    (tmp_path / "a.png").write_text(
        f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({proof}) (w) file closefile\n%%EOF\n"
    )
    with pytest.raises(PellucidError, match="it is no image or is cut short"):
        pictures([tmp_path / "a.png"], (3, 8, 8))
    assert not proof.exists()


def special(path: Path) -> dict[str, str]:
    """Names of everything that is no regular file, and what each is."""
    os.mkfifo(path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as one:
        place = Path.cwd()
        os.chdir(path)  # a socket's own name must be short
        one.bind("socket.png")
        os.chdir(place)
    (path / "zero.png").symlink_to("/dev/zero")
    (path / "loop.png").symlink_to("loop.png")
    (path / "nowhere.png").symlink_to("nothing")
    return {
        "pipe.png": "is a pipe, no regular file",
        "socket.png": "is a socket, no regular file",
        "zero.png": "is a device, no regular file",
        "loop.png": "Too many levels of symbolic links",
        "nowhere.png": "No such file",
    }


def test_special_files_are_named_and_never_waited_for(photos: Path, tmp_path: Path) -> None:
    found = special(photos / "cat")
    for name, words in found.items():
        with pytest.raises(PellucidError, match=words):
            limits.read(photos / "cat" / name)
        with pytest.raises(PellucidError, match=f"{name}|does not exist"):
            pictures([photos / "cat" / name], (3, 8, 8))
        with pytest.raises(PellucidError, match=f"{name}|does not exist"):
            column_from(photos / "cat" / name)
        (tmp_path / "a.npz").symlink_to(photos / "cat" / name)
        with pytest.raises(PellucidError):
            load(tmp_path / "a.npz")
        (tmp_path / "a.npz").unlink()
    with pytest.raises(PellucidError, match="loop.png"):
        load(photos, decoding=Decoding(workers=0))
    data = load(photos, decoding=Decoding(workers=0), skip_bad=True)
    assert sorted(data.skipped) == sorted(f"cat/{name}" for name in found)


def test_a_link_to_a_picture_is_followed(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.png").write_bytes((photos / "cat" / "0.png").read_bytes())
    (photos / "dog" / "linked.png").symlink_to(tmp_path / "elsewhere.png")
    assert load(photos, decoding=Decoding(workers=0)).skipped == ()


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 3000, "~nobody-at-all/x", "a\0b"])
def test_names_that_no_file_has(name: str) -> None:
    for read in (load, column_from):
        with pytest.raises(PellucidError):
            read(name)
    with pytest.raises(PellucidError):
        pictures([Path(name)], (3, 8, 8))

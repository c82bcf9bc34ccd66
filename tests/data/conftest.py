import io
import pickle
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pellucid.data import TensorSplit

Save = Callable[..., Path]
Pack = Callable[[Mapping[str, bytes], Path], Path]


@pytest.fixture
def raises() -> Callable[[type[Exception], str], AbstractContextManager[Any]]:
    """Expects an error whose whole text is given."""
    return lambda error, message: pytest.raises(error, match=f"^{re.escape(message)}$")


@pytest.fixture
def toy() -> TensorSplit:
    """Forty tiny color images in three unequal classes."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (40, 3, 4, 5), generator=generator, dtype=torch.uint8)
    labels = torch.tensor([0] * 22 + [1] * 13 + [2] * 5)[torch.randperm(40, generator=generator)]
    return TensorSplit(pixels, labels, ("ape", "bee", "cow"))


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes an image of seeded noise below `tmp_path / "images"`."""

    def write(name: str, mode: str = "RGB", size: tuple[int, int] = (8, 6), seed: int = 0) -> Path:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
        noise = numpy.random.default_rng([seed, *name.encode()]).integers(0, 256, shape, dtype=numpy.uint8)
        Image.fromarray(noise).save(path)
        return path

    return write


@pytest.fixture
def photos(save: Save, tmp_path: Path) -> Path:
    """A folder of two classes with ten lossless images each."""
    for name in ("cat", "dog"):
        for number in range(10):
            save(f"{name}/{number}.png")
    return tmp_path / "images"


@pytest.fixture
def pack() -> Pack:
    """Writes files into a tar archive below a folder, as published ones are."""

    def write(files: Mapping[str, bytes], path: Path) -> Path:
        with tarfile.open(path, "w:xz" if path.suffix == ".xz" else "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"published/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    return write


@pytest.fixture
def batches() -> Mapping[str, tuple[NDArray[numpy.uint8], list[int]]]:
    """Six files' worth of images and labels, four of each."""
    generator = numpy.random.default_rng(0)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    return {
        name: (
            generator.integers(0, 256, (4, 3072), dtype=numpy.uint8),
            [int(label) for label in generator.integers(0, 10, 4)],
        )
        for name in names
    }


@pytest.fixture
def pickled(batches: Mapping[str, tuple[NDArray[numpy.uint8], list[int]]]) -> dict[str, bytes]:
    """CIFAR-10 in its pickled form."""
    files = {name: pickle.dumps({"data": data, "labels": labels}, 2) for name, (data, labels) in batches.items()}
    return files | {"batches.meta": pickle.dumps({"label_names": [f"class{number}" for number in range(10)]}, 2)}


class Shelf(ThreadingHTTPServer):
    """A server on this machine, with files to give away and ways to misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.files: dict[str, bytes] = {}
        self.ranges = True
        self.cut: int | None = None  # send so many bytes, then hang up
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Clerk(BaseHTTPRequestHandler):
    server: Shelf  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        name, asked = self.path.lstrip("/"), self.headers["Range"]
        self.server.asked.append((name, asked))
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.server.cut])

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _workers_for_few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are started for a handful of images, too, so that what they do is tried with few."""
    monkeypatch.setattr("pellucid.data.workers._WORTH", 0)

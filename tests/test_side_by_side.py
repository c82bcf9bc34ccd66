"""Several processes in one tree of folders: nobody sees, removes or breaks what another one is writing."""

import hashlib
import random
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy
import pytest
from PIL import Image

from pellucid import data, files
from pellucid.ledger import checksums

CONTENT = random.Random(0).randbytes(1_500_000)
FETCHING = """
import hashlib, sys, pathlib
from pellucid.data.download import Remote, fetch
url, digest, folder = sys.argv[1:]
print(hashlib.sha256(fetch(Remote(url, digest), pathlib.Path(folder)).read_bytes()).hexdigest())
"""
WRITING = """
import sys, pathlib
from pellucid.ledger import checksums
path = pathlib.Path(sys.argv[1])
print("ready", flush=True)
for number in range(150):
    checksums.write_json(path, {"number": number, "long": "x" * 5000})
"""
MAPPING = """
import sys, pathlib
from pellucid import Job, data, errors, explainers, models
from pellucid.train.references import make
out = pathlib.Path(sys.argv[1])
model, some = models.build("mlp", seed=0, shape=(1, 8, 8)), data.load("digits").train.take(60)
while True:
    try:
        print(make(model.eval(), some, explainers.Gradient(), out, job=Job(7)).load().double().abs().sum().item())
        break
    except errors.RunBusy:
        pass
"""


def begun(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(others: list[subprocess.Popen[str]]) -> list[str]:
    said = [other.communicate(timeout=300) for other in others]
    assert [other.returncode for other in others] == [0] * len(others), said
    return [out.strip() for out, _ in said]


@pytest.mark.slow
def test_processes_that_fetch_the_same_file_at_once_have_it_whole(tmp_path: Path) -> None:
    asked: list[str] = []

    class Slowly(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            for start in range(0, len(CONTENT), 100_000):
                self.wfile.write(CONTENT[start : start + 100_000])
                self.wfile.flush()

        def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slowly)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        digest = hashlib.sha256(CONTENT).hexdigest()
        url = f"http://127.0.0.1:{server.server_port}/a.bin"
        assert ended([begun(FETCHING, url, f"sha256:{digest}", tmp_path) for _ in range(3)]) == [digest] * 3
        assert len(asked) == 1, "those that waited found it there"
        assert {path.name for path in tmp_path.iterdir()} == {"a.bin", checksums.LEDGER}
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_a_reader_never_meets_damage_while_others_write(tmp_path: Path) -> None:
    """Two write, one clears up, and this one reads."""
    path = tmp_path / "runs" / "a.json"
    path.parent.mkdir()
    checksums.write_json(path, {"number": 0})
    others = [begun(WRITING, path), begun(WRITING, path)]
    reads = 0
    while any(other.poll() is None for other in others):
        assert checksums.read_json(path)["number"] >= 0
        files.clear_unfinished(tmp_path)
        assert {found.name for found in path.parent.glob("[!.]*")} == {"a.json", checksums.LEDGER}
        reads += 1
    ended(others)
    assert reads and checksums.read_json(path)["number"] == 149


@pytest.mark.slow
def test_processes_that_make_the_same_maps_make_them_once(tmp_path: Path) -> None:
    found = ended([begun(MAPPING, tmp_path) for _ in range(3)])
    assert len(set(found)) == 1 and float(found[0]) > 0
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {"maps.npy", "reference.json", checksums.LEDGER, ".lock"}


def test_pictures_that_are_being_written_are_none_of_a_data_set(tmp_path: Path) -> None:
    picture = Image.fromarray(numpy.zeros((6, 6), numpy.uint8))
    for name in ("a", "b"):
        for number in range(4):
            path = tmp_path / name / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            picture.save(path)
    with files.replacing(tmp_path / "a" / "new.png") as write:
        write(b"half")
        found = data.load(str(tmp_path))
        assert len(found.train) + len(found.test) + len(found.validation or ()) == 8
        write((tmp_path / "a" / "0.png").read_bytes()[4:])
    assert (tmp_path / "a" / "new.png").exists()

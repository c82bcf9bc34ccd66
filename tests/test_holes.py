"""Files of ours in whose place a hole of 100 GB lies: one line at once, and no memory is asked for."""

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from bounded import bounded
from command import call, refused
from pellucid import limits
from pellucid.data import TensorSplit
from pellucid.errors import Damaged
from pellucid.explainers import Gradient
from pellucid.ledger import checksums
from pellucid.train import Checkpoints
from pellucid.train.references import make

HOLE = 100 * 10**9
_MORE = 2**26  # bytes
_SECONDS = 10  # to read the hole would take longer


@contextmanager
def quickly() -> Generator[None]:
    before = time.monotonic()
    with bounded(_MORE):
        yield
    assert time.monotonic() - before < _SECONDS


READERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "any": (checksums.read, "1 GiB"),
    "json": (checksums.read_json, "64 MiB"),
    "arrays": (checksums.read_arrays, "1 GiB"),
    "check": (checksums.check, "1 GiB"),
    "checksum": (checksums.checksum, "1 GiB"),
}


@pytest.mark.parametrize("name", READERS)
def test_a_hole_is_damage(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    checksums.write(path, b"{}")
    os.truncate(path, HOLE)
    read, most = READERS[name]
    with quickly(), pytest.raises(Damaged) as caught:
        read(path)
    told = f"it has 93.1 GiB, more than the {most} that it may"
    assert str(caught.value) == f"'{path}' is damaged: {told}; {checksums.AGAIN}"


def test_a_hole_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    checksums.write(path, b"{}")
    os.truncate(path, HOLE)
    with quickly(), pytest.warns(UserWarning, match=f"more than the 1 GiB that it may; {checksums.MADE_AGAIN}"):
        assert not checksums.kept(path)
    checksums.write(path, b"{}")
    assert checksums.kept(path)


def test_a_ledger_that_is_a_hole_is_damage(tmp_path: Path) -> None:
    checksums.write(tmp_path / "a", b"{}")
    os.truncate(tmp_path / checksums.LEDGER, HOLE)
    with (
        quickly(),
        pytest.raises(Damaged, match=f"{checksums.LEDGER}' is damaged: it has 93.1 GiB, more than the 256 M"),
    ):
        checksums.read(tmp_path / "a")


def test_a_checkpoint_that_is_a_hole_is_passed_over(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for epoch in (1, 2):
        checkpoints.save(epoch, {"epoch": epoch})
    os.truncate(tmp_path / "epoch-000002.ckpt", HOLE)
    with quickly():
        found, (told,) = checkpoints.latest()
    assert found == {"epoch": 1} and "epoch-000002.ckpt' stands for 93.1 GiB, more than" in told


def test_maps_that_are_a_hole_are_refused_and_made_again(tmp_path: Path) -> None:
    split = TensorSplit(torch.rand(3, 1, 4, 4), torch.tensor([0, 1, 0]), ("a", "b"))
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2)).eval()
    maps = make(network, split, Gradient(), tmp_path)
    path, before = maps.path / "maps.npy", maps.load()
    os.truncate(path, HOLE)
    with quickly(), pytest.raises(Damaged, match="maps.npy' is damaged: it has 93.1 GiB"):
        maps.load()
    with quickly(), pytest.warns(UserWarning, match="maps.npy' is damaged: it has 93.1 GiB"):
        again = make(network, split, Gradient(), tmp_path)
    assert torch.equal(again.load(), before)


def test_to_read_a_short_file_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"short")
    with bounded(_MORE):
        assert limits.read(path) == b"short"
    assert b"Pid:" in limits.read(Path("/proc/self/status")), "a file that does not know its size"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spec.toml", "model.json", "model.safetensors", "epochs.jsonl", "result.json"])
def test_a_hole_in_a_run_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    settings = ["--model", "mlp", "--set", "recipe.epochs=1", "--set", "data.first=60", "--device", "cpu"]
    call("train", "standard", *settings, "--json")
    (run,) = (path for path in Path("runs").iterdir() if path.is_dir())
    os.truncate(run / name, HOLE)
    before = time.monotonic()
    shows = name in ("spec.toml", "epochs.jsonl", "result.json")
    said = refused("show", str(run)) if shows else refused("measure", str(run), "--attack", "pgd", "--n", "4")
    assert time.monotonic() - before < _SECONDS
    assert "93.1 GiB" in said

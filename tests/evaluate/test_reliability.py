"""What happens to measurements that are killed at any moment, told by killing them."""

import os
import random
import signal
import time
from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from nursery import Nursery, alive
from pellucid.evaluate import Record

COMMAND = [
    *["measure", "mlp", "--data", "digits", "--attack", "pgd", "--eps", "0.2", "--split", "train", "--batch", "24"],
    *["--set", "steps=60", "--n", "700", "--device", "cpu", "--seed", "3", "--no-verdicts", "--json"],
]


@pytest.fixture
def nursery(tmp_path: Path) -> Generator[Nursery]:
    nursery = Nursery(tmp_path)
    yield nursery
    if nursery.process.poll() is None:
        nursery.close()


@pytest.mark.slow
def test_a_measurement_killed_again_and_again_ends_with_the_same_record(tmp_path: Path, nursery: Nursery) -> None:
    nursery.start(*COMMAND, "--out", "undisturbed")
    assert nursery.status() == 0
    draw = random.Random(0)
    kills = attempts = 0
    while True:
        attempts += 1
        assert attempts < 200, "the measurement makes no progress"
        before = chunks(tmp_path)
        child = nursery.start(*COMMAND, "--out", "killed")
        further, deadline = draw.choice([0, 1, 2]), time.monotonic() + 60
        while alive(child) and chunks(tmp_path) < before + further and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.3 if further == 0 else 0.02))
        killed = alive(child)
        if killed:
            os.kill(child, signal.SIGKILL)
        status = nursery.status()
        if not killed or status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
    assert kills >= 10
    assert status == 0
    (undisturbed,) = (tmp_path / "undisturbed").iterdir()
    (survivor,) = (tmp_path / "killed").iterdir()
    assert undisturbed.name == survivor.name
    expected, found = Record.load(undisturbed / "record.npz"), Record.load(survivor / "record.npz")
    assert found.about == expected.about
    assert all(torch.equal(found.columns[name], expected.columns[name]) for name in expected.columns)
    assert len(found) == 700
    assert not list(survivor.rglob(".*.unfinished")), "no half-written file is left"
    assert not list((survivor / "chunks").iterdir())


def chunks(folder: Path) -> int:
    return len(list(folder.glob("killed/*/chunks/*.npz")))

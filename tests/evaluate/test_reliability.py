"""What happens to measurements that are killed at any moment, told by killing them."""

from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from nursery import Nursery, finished_despite_kills
from pellucid.evaluate import Record

COMMAND = [
    *["measure", "mlp", "--data", "digits", "--attack", "pgd", "--eps", "0.2", "--split", "train", "--batch", "12"],
    *["--set", "steps=150", "--n", "700", "--device", "cpu", "--seed", "3", "--no-verdicts", "--json"],
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
    kills = finished_despite_kills(
        nursery,
        *COMMAND,
        "--out",
        "killed",
        progress=lambda: len(list(tmp_path.glob("killed/*/chunks/*.npz"))),
        ahead=[0, 1, 2],
        late=0.02,
        early=0.3,
    )
    assert kills >= 10
    (undisturbed,) = (tmp_path / "undisturbed").iterdir()
    (survivor,) = (tmp_path / "killed").iterdir()
    assert undisturbed.name == survivor.name
    expected, found = Record.load(undisturbed / "record.npz"), Record.load(survivor / "record.npz")
    assert found.about == expected.about
    assert all(torch.equal(found.columns[name], expected.columns[name]) for name in expected.columns)
    assert len(found) == 700
    assert not list(survivor.rglob(".*.unfinished")), "no half-written file is left"
    assert not list((survivor / "chunks").iterdir())

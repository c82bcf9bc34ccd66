"""What happens to measurements that are killed at any moment, told by killing them."""

from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from nursery import Nursery, undisturbed_and_killed
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
    undisturbed, survivor = undisturbed_and_killed(nursery, tmp_path, *COMMAND, ahead=[0, 1, 2], least=10)
    expected, found = Record.load(undisturbed / "record.npz"), Record.load(survivor / "record.npz")
    assert found.about == expected.about
    assert all(torch.equal(found.columns[name], expected.columns[name]) for name in expected.columns)
    assert len(found) == 700
    assert not list(survivor.rglob(".*.unfinished")), "no half-written file is left"
    assert not list((survivor / "chunks").glob("*"))

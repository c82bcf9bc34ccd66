"""Attacking a split in chunks, and going on after an end that came too soon."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from networks import images, smooth
from pellucid.attacks import PGD, Attack, Engine, Misclassified, RandomPoint, Repeat
from pellucid.attacks.victim import Images, Victim
from pellucid.data import TensorSplit, sample
from pellucid.errors import MeasurementError, NoRoom
from pellucid.evaluate import Record, measure
from pellucid.ledger import Job, Progress, fingerprint
from pellucid.norms import Linf

ATTACK = Repeat(PGD(eps=0.05, steps=3), 2)


def subject(count: int = 23) -> tuple[nn.Module, TensorSplit]:
    model = smooth().float()
    x = images(count, 1, 6, 6).float()
    last = list(model.modules())[-1]
    assert isinstance(last, nn.Linear)
    last.bias.data -= model(x).detach().mean(0)  # or all images were of one class, far from any other
    y = model(x).argmax(1)
    y[0] = (y[0] + 1) % 4
    return model, TensorSplit(x, y, ("a", "b", "c", "d"))


def same(one: Record, other: Record) -> bool:
    return one.about == other.about and all(
        torch.equal(one.columns[name], other.columns[name]) for name in one.columns
    )


def test_chunks_do_not_show_in_the_result() -> None:
    model, split = subject()
    whole, parts = measure(model, split, ATTACK, job=Job(23)), measure(model, split, ATTACK, job=Job(4))
    assert torch.equal(whole.columns["reached"], parts.columns["reached"])
    assert torch.allclose(whole.columns["distance"], parts.columns["distance"], atol=1e-5)
    assert whole.columns["index"].tolist() == list(range(23))
    direct = ATTACK(model, split.pixels, split.labels)
    assert torch.equal(whole.columns["reached"], direct.reached)
    assert torch.equal(whole.columns["forwards"], direct.forwards)
    assert whole.accuracy.value == pytest.approx(22 / 23)
    assert whole.columns["reached_at_start"].tolist() == [True] + [False] * 22


def test_progress_tells_the_running_accuracy() -> None:
    model, split = subject()
    steps: list[Progress] = []
    record = measure(model, split, ATTACK, job=Job(10, watch=steps.append))
    assert [(step.done, step.total) for step in steps] == [(10, 23), (20, 23), (23, 23)]
    assert steps[-1].words == f"accuracy {record.robust_accuracy(0.05).value:.3f}"


def test_a_measurement_that_was_cut_short_goes_on(tmp_path: Path) -> None:
    model, split = subject()
    expected = measure(model, split, ATTACK, job=Job(5))
    begun: list[Progress] = []

    def stop(step: Progress) -> None:
        begun.append(step)
        if len(begun) == 2:
            raise Stop

    with pytest.raises(Stop):
        measure(model, split, ATTACK, folder=tmp_path, job=Job(5, watch=stop))
    assert len(list((tmp_path / "chunks").glob("*.npz"))) == 2
    # another batch size does not disturb what is there
    steps: list[Progress] = []
    found = measure(model, split, ATTACK, folder=tmp_path, job=Job(8, watch=steps.append))
    assert [step.done for step in steps] == [10, 15, 20, 23]
    assert same(found, expected)
    assert same(Record.load(tmp_path / "record.npz"), expected)
    assert not list((tmp_path / "chunks").glob("*"))


class Stop(Exception):
    """What ends a measurement before its time."""


def test_a_complete_measurement_is_read_back(tmp_path: Path) -> None:
    model, split = subject()
    first = measure(model, split, ATTACK, folder=tmp_path)
    counted = Broken()
    counted.load_state_dict(model.state_dict(), strict=False)
    (tmp_path / "chunks").mkdir(exist_ok=True)
    (tmp_path / "chunks" / "00000.npz").write_bytes(b"left by a kill")
    assert same(measure(model, split, ATTACK, folder=tmp_path), first)
    assert not list((tmp_path / "chunks").glob("*"))


class Broken(nn.Module):
    """A network that must not be asked."""

    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("asked")


def test_a_folder_keeps_to_its_measurement(tmp_path: Path) -> None:
    model, split = subject()
    measure(model, split, ATTACK, folder=tmp_path)
    message = f"^{re.escape(f'{tmp_path} holds another measurement; give each a folder of its own')}$"
    others = [
        lambda: measure(model, split, ATTACK, folder=tmp_path, seed=1),
        lambda: measure(model, split, PGD(), folder=tmp_path),
        lambda: measure(smooth(seed=5).float(), split, ATTACK, folder=tmp_path),
        lambda: measure(model, split.take(5), ATTACK, folder=tmp_path),
        lambda: measure(model, split, ATTACK, folder=tmp_path, engine=Engine("bf16-mixed")),
    ]
    for other in others:
        with pytest.raises(MeasurementError, match=message):
            other()


class Hungry(nn.Module):
    """A network that runs out of memory above three images."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 3:
            raise torch.OutOfMemoryError("more than there is")
        return self.network(x)


def test_chunks_are_halved_until_they_fit() -> None:
    model, split = subject()
    found, expected = measure(Hungry(model), split, ATTACK), measure(model, split, ATTACK)
    assert torch.equal(found.columns["reached"], expected.columns["reached"])
    assert found.columns["index"].tolist() == list(range(23))


def test_a_single_image_that_does_not_fit() -> None:
    class Insatiable(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("more than there is")

    with pytest.raises(NoRoom):
        measure(Insatiable(), subject()[1], ATTACK)


def test_an_empty_split() -> None:
    model, split = subject()
    message = "this split has no images; measure on one or more"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        measure(model, split.take(torch.tensor([], dtype=torch.long)), ATTACK)


def test_a_search_in_bfloat16_is_decided_in_float32() -> None:
    model, split = subject()
    found = measure(model, split, PGD(eps=0.05, steps=10), engine=Engine("bf16-mixed"))
    exact = measure(model, split, PGD(eps=0.05, steps=10))
    # bfloat16 knows logits to a hundredth only, so what it takes for fallen must be looked at again
    assert (found.columns["reached"] == exact.columns["reached"]).float().mean() > 0.9
    assert found.columns["distance"].dtype == torch.float32


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling for a CPU needs g++")
@pytest.mark.filterwarnings("ignore")  # which torch's compiler gives of itself
def test_a_compiled_search_finds_the_same() -> None:
    model, split = subject()
    found = measure(model, split, PGD(eps=0.05, steps=5), engine=Engine(compiled=True))
    exact = measure(model, split, PGD(eps=0.05, steps=5))
    assert torch.equal(found.columns["reached"], exact.columns["reached"])
    assert torch.allclose(found.columns["distance"], exact.columns["distance"], atol=1e-5)


def test_an_attack_of_ones_own_needs_no_registry(tmp_path: Path) -> None:
    class Mine(Attack):
        norm, goal = Linf(), Misclassified()

        def search(self, victim: Victim) -> Images:
            return victim.x * 0

        def __repr__(self) -> str:
            return "Mine()"

    model, split = subject()
    record = measure(model, split, Mine(), folder=tmp_path)
    assert record.about["attack"] == "Mine()"
    assert json.loads((tmp_path / "measurement.json").read_text())["about"]["attack"] == "Mine()"


def test_fingerprints_tell_networks_apart() -> None:
    one, other = smooth(), smooth()
    assert fingerprint(one) == fingerprint(other)
    next(other.parameters()).data[0] += 1e-6
    assert fingerprint(one) != fingerprint(other)


def test_samples_are_the_same_images_in_order() -> None:
    _, split = subject()
    some = sample(split, 7, seed=1)
    assert len(some) == 7
    (batch,) = some.batches([torch.arange(7)])
    assert batch.index.tolist() == sorted(batch.index.tolist())
    assert torch.equal(sample(split, 7, seed=1).labels, some.labels)
    assert sample(split, 100) is split
    assert measure(subject()[0], some, RandomPoint()).columns["index"].tolist() == batch.index.tolist()

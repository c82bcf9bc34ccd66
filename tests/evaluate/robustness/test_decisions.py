"""What a network decides, image by image."""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks import images, smooth
from pellucid.data import TensorSplit
from pellucid.errors import LabelError, MeasurementError, NoRoom, NotFinite
from pellucid.evaluate import Decisions, decide

CLASSES = ("a", "b", "c", "d")


class Cramped(nn.Module):
    """A network for which no more than `room` images fit in memory."""

    def __init__(self, network: nn.Module, room: int) -> None:
        super().__init__()
        self.network = network
        self.room = room
        self.sizes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("no room")
        self.sizes.append(len(x))
        return self.network(x)


def split(count: int = 23) -> TensorSplit:
    return TensorSplit(images(count, 1, 6, 6).float(), torch.arange(count) % 4, CLASSES)


def same(one: Decisions, other: Decisions) -> bool:
    return all(torch.allclose(one.columns[name], other.columns[name]) for name in one.columns)


def test_columns_are_those_of_the_logits() -> None:
    model = smooth().float()
    found, logits = decide(model, split()), model(split().pixels).detach().double()
    assert torch.equal(found.columns["predicted"], logits.argmax(1))
    assert torch.allclose(found.columns["confidence"], logits.softmax(1).amax(1))
    assert torch.allclose(found.columns["loss"], F.cross_entropy(logits, split().labels, reduction="none"), atol=1e-6)
    assert found.columns["index"].tolist() == list(range(23))
    assert found.accuracy.value == pytest.approx(float((logits.argmax(1) == split().labels).double().mean()))
    assert found.loss.value == pytest.approx(float(found.columns["loss"].mean()))
    assert (found.classes, len(found)) == (4, 23)


def test_chunks_do_not_show() -> None:
    model = smooth().float()
    assert same(decide(model, split(), batch=5), decide(model, split(), batch=100))


def test_confusion_counts_every_image_once() -> None:
    found = decide(smooth().float(), split())
    confusion = found.confusion()
    assert int(confusion.sum()) == 23
    assert confusion.sum(1).tolist() == split().labels.bincount(minlength=4).tolist()
    assert int(confusion.diagonal().sum()) == int(found.right.sum())
    for number in range(4):
        own = found.accuracy_of(number)
        assert own is not None and own.value == pytest.approx(int(confusion[number, number]) / own.n)
    assert decide(smooth().float(), split(3)).accuracy_of(3) is None


@pytest.mark.parametrize("room", [1, 3, 8])
def test_batches_are_halved_where_memory_does_not_suffice(room: int) -> None:
    model = smooth().float()
    cramped = Cramped(model, room)
    assert same(decide(cramped, split(), batch=16), decide(model, split()))
    assert sum(cramped.sizes) == 23


def test_memory_that_holds_no_image_is_an_error() -> None:
    with pytest.raises(NoRoom, match=r"single image \(no room\)"):
        decide(Cramped(smooth().float(), 0), split())


def test_a_network_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(36), nn.Linear(36, 4)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    decide(model, split())
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_tables_can_be_read_back(tmp_path: Path) -> None:
    found = decide(smooth().float(), split())
    found.save(tmp_path / "decisions.npz")
    again = Decisions.load(tmp_path / "decisions.npz")
    assert same(found, again) and again.about == found.about


def test_what_cannot_be_decided() -> None:
    with pytest.raises(MeasurementError, match="^this split has no images; look at one or more$"):
        decide(smooth().float(), split(0))
    broken = nn.Sequential(smooth().float(), nn.Threshold(1e9, float("nan")))
    with pytest.raises(NotFinite, match=f"^{re.escape('the network' + chr(39) + 's logits are NaN or infinite')}"):
        decide(broken, split())
    with pytest.raises(LabelError):
        decide(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), split())

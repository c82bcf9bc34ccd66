"""Networks that write over what they are given, or hand out the same memory at every call."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from networks import images, smooth
from pellucid import attacks, evaluate
from pellucid.attacks import FMN, PGD, Square
from pellucid.batch import Batch
from pellucid.data import TensorSplit
from pellucid.evaluate.explanations import Deletion, Insertion
from pellucid.explainers import LRP, RISE, Explainer, Gradient, IntegratedGradients, Occlusion
from pellucid.explainers.lime import Grid, Lime
from pellucid.ledger import Job
from pellucid.looking import look
from pellucid.objectives import CrossEntropy, GradientNorm, Objective
from pellucid.probe import Probe

CLASSES = ("ant", "bee", "cat", "dog")
Write = Callable[[Tensor], object]
When = Callable[[int, Tensor], bool]


def through_a_view(x: Tensor) -> None:
    x.flatten(1)[:, :5] = 0


def through_numpy(x: Tensor) -> None:
    x.detach().numpy()[:] = 0


def through_dlpack(x: Tensor) -> None:
    torch.from_dlpack(x.detach()).zero_()


def out(x: Tensor) -> None:
    with torch.no_grad():
        torch.mul(x, 0, out=x.detach())


WRITES: dict[str, Write] = {
    "zero": lambda x: x.detach().zero_(),
    "data": lambda x: x.data.zero_(),
    "clamp": lambda x: x.data.clamp_(0.4, 0.6),
    "subtract": lambda x: x.data.sub_(0.5),
    "view": lambda x: through_a_view(x.data),
    "numpy": through_numpy,
    "dlpack": through_dlpack,
    "out": out,
    "swap": lambda x: x.data.copy_(x.data.flip(0)),
}


WHEN: dict[str, When] = {
    "always": lambda calls, x: True,
    "third": lambda calls, x: calls % 3 == 0,
    "no gradients": lambda calls, x: not x.requires_grad,
    "gradients": lambda calls, x: x.requires_grad,
    "many": lambda calls, x: len(x) > 5,
    "bright": lambda calls, x: bool(x.detach().max() > 0.99),
}


class Writing(nn.Module):
    """A network that answers, and then writes over its input, on some calls."""

    def __init__(self, network: nn.Module, write: Write, when: When) -> None:
        super().__init__()
        self.network, self.write, self.when = network, write, when
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        answer = self.network(x.clone())
        if self.when(self.calls, x):
            self.write(x)
        return answer


class InPlace(nn.Module):
    """A network that prepares its input in place, as many do."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        x.sub_(0.5).mul_(2)
        return self.network(x)


class NotInPlace(InPlace):
    def forward(self, x: Tensor) -> Tensor:
        return self.network((x - 0.5) * 2)


class Buffered(nn.Module):
    """A network that puts every answer into the same memory."""

    def __init__(self, network: nn.Module, rows: int = 64) -> None:
        super().__init__()
        self.network = network
        self.kept = torch.empty(rows, 4)

    def forward(self, x: Tensor) -> Tensor:
        answer = self.network(x)
        if answer.requires_grad:
            return answer
        self.kept[: len(x)] = answer
        return self.kept[: len(x)]


def batch(count: int = 12) -> Batch:
    x = images(count, 1, 6, 6).float()
    y = smooth().float()(x).argmax(1)
    y[::3] = (y[::3] + 1) % 4
    return Batch(x, y)


def split() -> TensorSplit:
    return TensorSplit(batch().x, batch().y, CLASSES)


def same(one: evaluate.Record, other: evaluate.Record) -> bool:
    return all(torch.equal(one.columns[name], other.columns[name]) for name in one.columns)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(
    "when",
    WHEN.values(),
    ids=WHEN,
)
def test_figures_are_those_of_the_network_without_the_write(write: Write, when: When) -> None:
    plain, given = smooth().float(), batch()
    data, before = TensorSplit(given.x, given.y, CLASSES), given.x.clone()
    for attack in (PGD(eps=0.1, steps=3), Square(eps=0.1, queries=5), FMN(steps=5)):
        found = evaluate.measure(Writing(plain, write, when), data, attack, job=Job(6))
        assert same(found, evaluate.measure(plain, data, attack, job=Job(6)))
    assert torch.equal(given.x, before)


@pytest.mark.parametrize("attack", [PGD(eps=0.1, steps=3), FMN(steps=5)], ids=["pgd", "fmn"])
def test_a_network_that_prepares_its_input_in_place_is_attacked_as_any_other(attack: attacks.Attack) -> None:
    plain, data = smooth().float(), split()
    found = evaluate.measure(InPlace(plain), data, attack)
    assert same(found, evaluate.measure(NotInPlace(plain), data, attack))
    assert (found.columns["predicted"] != found.columns["y"]).any()


def test_decisions_are_those_of_the_images() -> None:
    plain, data = smooth().float(), split()
    found = evaluate.decide(InPlace(plain), data)
    assert found.columns["loss"].equal(evaluate.decide(NotInPlace(plain), data).columns["loss"])


@pytest.mark.parametrize(
    "explainer",
    [Gradient(), IntegratedGradients(steps=4), Occlusion(), RISE(masks=20), Lime(Grid(), masks=60), LRP()],
    ids=lambda one: type(one).__name__,
)
def test_maps_are_those_of_the_images(explainer: Explainer) -> None:
    plain, data = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)), batch()
    found = explainer(InPlace(plain), data.x, "predicted")
    assert torch.equal(found.map, explainer(NotInPlace(plain), data.x, "predicted").map)


@pytest.mark.parametrize("metric", [Deletion(), Insertion()], ids=["deletion", "insertion"])
def test_metrics_are_those_of_the_images(metric: Deletion) -> None:
    plain = smooth().float()
    found = metric.on(InPlace(plain), batch(), explainer=Gradient())
    assert torch.equal(found.value, metric.on(NotInPlace(plain), batch(), explainer=Gradient()).value)


def test_a_loss_is_differentiated_through_the_copy() -> None:
    found: list[Tensor] = []
    for kind in (InPlace, NotInPlace):
        model = kind(smooth())
        probe = Probe(model, Batch(images(3, 1, 6, 6), torch.tensor([0, 1, 2])))
        Objective.of(CrossEntropy() + 0.1 * GradientNorm()).losses(probe).total.backward()
        gradients = [parameter.grad for parameter in model.parameters()]
        found.append(torch.cat([gradient.flatten() for gradient in gradients if gradient is not None]))
    assert torch.equal(*found)


def test_an_answer_stays_what_it_was() -> None:
    model = Buffered(smooth().float())
    first, x = look(model, torch.zeros(2, 1, 6, 6)), batch().x
    kept = first.clone()
    look(model, x[:2])
    assert torch.equal(first, kept)
    record = evaluate.measure(model, split(), PGD(eps=0.1, steps=3))
    assert same(record, evaluate.measure(smooth().float(), split(), PGD(eps=0.1, steps=3)))
    found = Occlusion()(model, x, "predicted").map
    assert torch.equal(found, Occlusion()(smooth().float(), x, "predicted").map)


class Holding(Buffered):
    """One that hands the same memory out in a table."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return {"logits": super().forward(x)}


def test_an_answer_in_a_table_stays_what_it_was() -> None:
    model = Holding(smooth().float())
    with torch.no_grad():
        first = look(model, torch.zeros(2, 1, 6, 6))
        kept = first.clone()
        look(model, batch().x[:2])
    assert torch.equal(first, kept)


def test_images_stay_laid_out_as_they_were() -> None:
    strides: list[tuple[int, ...]] = []

    class Looking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            strides.append(x.stride())
            return x.flatten(1)

    from pellucid.autograd.layout import channels_last

    for x in (torch.rand(2, 3, 4, 5), channels_last(torch.rand(2, 3, 4, 5)), channels_last(torch.rand(2, 1, 4, 5))):
        look(Looking(), x)
        assert strides[-1] == x.stride()

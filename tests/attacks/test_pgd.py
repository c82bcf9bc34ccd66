"""Projected gradient descent, where its result is known in closed form."""

import re

import pytest
import torch
from torch import Tensor, nn

import pellucid
from networks import Counting, images, linear
from pellucid.attacks import PGD, HighestLoss, noack2021
from pellucid.batch import Batch
from pellucid.data import TensorSplit
from pellucid.errors import ConfigError, LabelError, MeasurementError, NotFinite, PixelError, ShapeError
from pellucid.norms import L1, L2, RMS, Linf
from pellucid.protocols import Norm
from pellucid.randomness import Noise

DUAL: list[tuple[Norm, int | float]] = [(Linf(), 1), (L2(), 2), (L1(), torch.inf)]


def two_classes(pixels: int = 9) -> nn.Module:
    return linear(classes=2, pixels=pixels)


def right(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x).argmax(1)


def boundary(model: nn.Sequential, x: Tensor, y: Tensor, order: int | float) -> Tensor:
    """The distance of the decision boundary of a linear network with two classes."""
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    weight = layer.weight.detach()[0] - layer.weight.detach()[1]
    margin = model(x).detach().diff(dim=1).squeeze(1).abs()
    return margin / torch.linalg.vector_norm(weight, order)


@pytest.mark.parametrize(("norm", "order"), DUAL)
@pytest.mark.parametrize(("factor", "falls"), [(0.98, False), (1.02, True)])
def test_an_image_falls_if_the_ball_reaches_the_boundary(
    norm: Norm, order: int | float, factor: float, falls: bool
) -> None:
    model = linear(classes=2)
    x = 0.45 + 0.1 * images(1, 1, 3, 3, seed=4)  # far from the walls of the box
    y = right(model, x)
    eps = factor * boundary(model, x, y, order).item()
    assert eps < 0.4
    found = PGD(eps=eps, steps=200, step=0.1, norm=norm, start="here")(model, x, y)
    assert found.reached.item() is falls
    assert found.distance.item() <= eps * (1 + 1e-9)


def test_the_budget_is_used_up_where_the_network_is_linear() -> None:
    model, x = linear(classes=4), 0.45 + 0.1 * images(5, 1, 3, 3)
    y = right(model, x)
    # so small a ball that nothing falls: the best point lies on its surface
    found = PGD(eps=1e-4, steps=10, norm=L2())(model, x, y)
    assert not found.reached.any()
    assert torch.allclose(found.distance, torch.full((5,), 1e-4, dtype=torch.float64))


def test_fgsm_is_one_step_of_the_sign() -> None:
    model, x = linear(), 0.3 + 0.4 * images(5, 1, 3, 3)
    y = right(model, x)
    found = PGD(eps=0.01, steps=1, step=1, start="here")(model, x, y)
    leaf = x.clone().requires_grad_()
    slope = torch.autograd.grad(nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf)[0]
    assert torch.allclose(found.x, x + 0.01 * slope.sign())


def test_momentum_remembers_where_it_went() -> None:
    model, x = linear(), 0.3 + 0.4 * images(5, 1, 3, 3)
    y = right(model, x)
    plain = PGD(eps=0.01, steps=5, start="here", norm=L2())(model, x, y)
    heavy = PGD(eps=0.01, steps=5, start="here", norm=L2(), momentum=1.0)(model, x, y)
    assert not torch.equal(plain.x, heavy.x)


def test_what_falls_early_costs_no_more() -> None:
    model, x = linear(), images(6, 1, 3, 3)
    y = right(model, x)
    counting = Counting(model)
    found = PGD(eps=0.9, steps=50, start="here")(counting, x, y)
    assert found.reached.all()
    assert counting.forwards < 30
    assert found.forwards.max() < 30
    assert found.backwards.max() == found.forwards.max() - 2  # all but the first and the last look


def test_passes_of_images_that_stand_are_counted() -> None:
    model, x = linear(), 0.45 + 0.1 * images(6, 1, 3, 3)
    found = PGD(eps=1e-5, steps=7)(model, x, right(model, x))
    assert found.backwards.tolist() == [7] * 6
    assert found.forwards.tolist() == [9] * 6


def test_published_settings_are_in_pixel_units() -> None:
    strong = noack2021.MNIST_L2_STRONG
    assert strong.eps * strong.step == pytest.approx(1.2)
    assert noack2021.MNIST_LINF_STRONG.eps * noack2021.MNIST_LINF_STRONG.step == pytest.approx(0.0125)
    assert noack2021.CIFAR_L2_STRONG.eps * noack2021.CIFAR_L2_STRONG.step == pytest.approx(0.16)
    assert noack2021.CIFAR_L2_TRAINING.eps * noack2021.CIFAR_L2_TRAINING.step == pytest.approx(0.1)


@pytest.mark.parametrize("norm", [Linf(), L2(), L1(), RMS()])
def test_starts_lie_in_the_ball(norm: Norm) -> None:
    model, x = linear(), images(6, 1, 3, 3)
    for start in ("ball", "image", "here"):
        found = PGD(eps=0.05, steps=1, step=1e-9, norm=norm, start=start)(model, x, right(model, x))
        assert (found.distance <= 0.05 + 1e-9).all()
        assert (found.distance > 1e-3).any() == (start != "here")


@pytest.mark.parametrize("norm", [Linf(), L2(), L1(), RMS()])
def test_signs_are_half_a_budget_away_and_up_or_down(norm: Norm) -> None:
    model, x = linear(), 0.4 + 0.2 * images(6, 1, 3, 3)  # far from the walls of the box
    found = points(PGD(eps=0.05, steps=1, step=1e-12, norm=norm, start="signs"), model, x) - x
    assert torch.allclose(norm.size(found), torch.full((6,), 0.025, dtype=torch.float64), rtol=1e-6)
    size = found.flatten(1).abs()
    assert torch.allclose(size, size[:, :1].expand_as(size)), "every pixel by as much"
    assert 0.2 < float((found > 0).double().mean()) < 0.8


def points(attack: PGD, model: nn.Module, x: Tensor) -> Tensor:
    y = right(model, x)
    return attack.points(model, Batch.trusted(x, y, {}), noise=Noise(3, torch.arange(len(x))))


def test_beyond_is_noise_in_twice_the_ball_and_a_whole_step_from_there() -> None:
    model, x, eps = linear(), images(40, 1, 3, 3), 0.1
    attack = PGD(eps=eps, steps=1, step=1, start="beyond", goal=HighestLoss())
    y, noise = right(model, x), Noise(3, torch.arange(40))
    drawn = (x + Linf().random(x, 2 * eps, noise.stream("start"))).clamp(0, 1)
    leaf = drawn.clone().requires_grad_()
    slope = torch.autograd.grad(nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf)[0]
    found = points(attack, model, x)
    assert torch.equal(found, (drawn + eps * slope.sign()).clamp(0, 1))
    # nothing is drawn back into the ball, nor into twice of it
    distance = Linf().size(found - x)
    assert bool((distance > 2 * eps).any()) and bool((distance <= 3 * eps + 1e-12).all())


def test_what_starts_beyond_the_ball_is_measured_by_how_far_it_may_end() -> None:
    model, x = linear(), 0.4 + 0.2 * images(30, 1, 3, 3)
    attack = PGD(eps=0.05, steps=1, step=1, start="beyond")
    assert attack.budget == pytest.approx(0.15) and attack.levels == (attack.budget,) and not attack.nearest
    assert PGD(eps=0.02, steps=10, start="beyond").budget == pytest.approx(0.02 * 4.5)
    assert PGD(eps=0.05, start="signs").budget == PGD(eps=0.05).budget == 0.05
    y = right(model, x)
    found = attack(model, x, y)
    assert bool((found.distance > 0.05).any()) and bool((found.distance <= attack.budget + 1e-9).all())
    record = pellucid.measure(model, TensorSplit(x.float(), y, ("a", "b", "c", "d")), attack)
    standing = float((~found.reached).double().mean())
    assert record.robust_accuracy(attack.budget).value == pytest.approx(standing, abs=0.2)
    with pytest.raises(MeasurementError, match="had the budget 0.15"):
        record.robust_accuracy(0.05)


def test_what_may_end_beyond_every_pixel_is_refused() -> None:
    message = (
        "PGD has eps=0.4 with start='beyond', which may end 1.2 away; that is more than the whole range of a pixel, "
        "so give a smaller eps"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        PGD(eps=0.4, steps=1, step=1, start="beyond")


def test_a_budget_longer_than_the_box_is_wide() -> None:
    message = "PGD has eps=3.5; images of this size are at most 3 apart"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        PGD(eps=3.5, norm=L2())(linear(), X, Y)


class Answers(nn.Module):
    """A network that answers whatever it is told to."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> object:
        return self.answer


X, Y = images(2, 1, 3, 3), torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"eps": 0.0}, "PGD has eps=0; a budget is a length above 0 in [0, 1] pixel units"),
        ({"eps": -0.1}, "PGD has eps=-0.1; a budget is a length above 0 in [0, 1] pixel units"),
        ({"eps": torch.nan}, "PGD has eps=nan; a budget is a length above 0 in [0, 1] pixel units"),
        ({"eps": 8.0}, "PGD has eps=8, more than the whole range of a pixel; did you mean 8/255?"),
        ({"steps": 0}, "PGD has steps=0; a search takes 1 step or more"),
        (
            {"step": -1.0},
            "PGD has step=-1; a step is a share of eps, 2 at most, which crosses "
            "the ball, or 0 for 2.5 / steps; how many there are is said by steps",
        ),
        ({"start": "her"}, "PGD has start='her' (did you mean 'here'?)"),
        ({"momentum": -1.0}, "PGD has momentum=-1; it is the share of what was before, from 0 to 1"),
    ],
)
def test_settings_that_make_no_attack(settings: dict[str, float | str], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        PGD(**settings)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("model", "x", "y", "error", "message"),
    [
        (linear(), X[:0], Y[:0], ShapeError, "this batch has no images; an attack needs one or more"),
        (
            linear(),
            X,
            Y.float(),
            ShapeError,
            "labels are (2,) of torch.float32; give one whole number per image",
        ),
        (
            linear(),
            X,
            torch.tensor([0, 4]),
            LabelError,
            "this batch has the label 4 and 4 classes; labels run from 0 to 3",
        ),
        (
            linear(classes=1),
            X,
            Y * 0,
            ShapeError,
            "the network has 1 class; an attack needs two to choose from",
        ),
        (
            Answers(torch.tensor([[0.0, torch.nan], [0.0, 1.0]])),
            X,
            Y,
            NotFinite,
            "the network's logits are NaN or infinite for 1 of 2 images; nothing can be measured on those",
        ),
        (
            Answers((torch.zeros(2, 4), torch.ones(2, 4))),
            X,
            Y,
            ShapeError,
            "the network returned tuple for 2 images; it must return (images, classes)",
        ),
        (
            linear(),
            X * 255,
            Y,
            PixelError,
            "this batch has pixels from 45.08 to 247.4; they must lie in [0, 1]: "
            "divide by 255, and put normalization inside the model",
        ),
    ],
)
def test_what_cannot_be_attacked(
    model: nn.Module, x: Tensor, y: Tensor, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        PGD()(model, x, y)  # pyright: ignore[reportArgumentType]

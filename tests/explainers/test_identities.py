import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from chance import strays
from networks import Counting, images, linear, smooth
from pellucid.batch import Batch
from pellucid.errors import ConfigError, LabelError, NotFinite, PixelError, ShapeError
from pellucid.explainers import Explainer, Gradient, Smooth, SmoothGrad, SmoothGradSquared, VarGrad
from pellucid.probe import Probe

X, Y = images(5, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0])


class Seeing(nn.Module):
    """A network that keeps what it was shown."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach())
        return self.network(x)


def test_the_gradient_is_that_of_finite_differences() -> None:
    model, step = smooth(), 1e-6
    found = Gradient()(model, X, Y).map
    for place in ((0, 0, 0), (0, 3, 4)):
        delta = torch.zeros_like(X)
        delta[:, *place] = step
        difference = (model(X + delta) - model(X - delta)).gather(1, Y[:, None])[:, 0] / (2 * step)
        assert torch.allclose(found[:, *place], difference, atol=1e-8)


@pytest.mark.parametrize("clean", [True, False])
def test_without_noise_smoothgrad_is_the_gradient(clean: bool) -> None:
    model = smooth()
    assert torch.allclose(SmoothGrad(sigma=0, samples=3, clean=clean)(model, X, Y).map, Gradient()(model, X, Y).map)


@settings(max_examples=20)
@given(st.floats(0, 1), st.integers(1, 9), st.booleans(), st.booleans())
def test_of_a_linear_model_every_map_is_the_weight(sigma: float, samples: int, clean: bool, clip: bool) -> None:
    model, x, y = linear(), images(3, 1, 3, 3), torch.tensor([3, 1, 0])
    weight = model.get_parameter("1.weight")[y].view_as(x)
    assert torch.allclose(SmoothGrad(samples, sigma, clean, clip)(model, x, y).map, weight)
    assert torch.allclose(Gradient()(model, x, y).map, weight)


@pytest.mark.parametrize("memory", [1, 40_000, None])
def test_terms_are_the_samples_and_the_clean_image_and_all_of_them_images(memory: int | None) -> None:
    model = Seeing(smooth())
    SmoothGrad(samples=7, sigma=0.5)(model, X, Y, memory=memory)
    rows = torch.cat(model.seen)
    assert len(rows) == len(X) * (7 + 1)
    assert float(rows.min()) == 0 and float(rows.max()) == 1, "noise this strong must have been clipped"
    assert torch.equal(rows[: len(X)], X)
    assert max(map(len, model.seen)) <= (len(X) if memory == 1 else 64), "one copy at a time, or what a CPU is fed"
    unclipped = Seeing(smooth())
    SmoothGrad(samples=7, sigma=0.5, clean=False, clip=False)(unclipped, X, Y, memory=memory)
    assert sum(map(len, unclipped.seen)) == len(X) * (7 + 1), "the one pass that looks at the classes is still there"
    assert float(torch.cat(unclipped.seen).min()) < 0


def test_how_much_memory_there_is_changes_nothing_but_the_order_of_summands() -> None:
    model = smooth()
    whole = SmoothGrad(samples=11)(model, X, Y, seed=2).map
    for memory in (1, 20_000, 40_000):
        assert torch.allclose(SmoothGrad(samples=11)(model, X, Y, seed=2, memory=memory).map, whole, atol=1e-12)


def test_a_map_is_the_mean_over_the_copies_that_the_network_saw() -> None:
    model = Seeing(smooth())
    found = SmoothGrad(samples=4, sigma=0.2)(model, X, Y).map
    by_hand = torch.zeros_like(X)
    for x in torch.cat(model.seen).split(len(X)):
        by_hand += Gradient()(smooth(), x, Y).map
    assert torch.allclose(found, by_hand / 5)


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    model = Seeing(linear(pixels=900))
    x = torch.full((2, 1, 30, 30), 0.5, dtype=torch.float64)
    SmoothGrad(samples=20, sigma=0.1, clean=False, clip=False)(model, x, 0)
    noise = torch.cat(model.seen)[2:] - 0.5
    assert not strays(noise.square().flatten().tolist(), 0.1**2)
    assert not strays(noise.flatten().tolist(), 0)


def test_passes_are_as_few_as_can_be() -> None:
    model = Counting(smooth())
    Gradient()(model, X, "predicted")
    assert model.forwards == 1
    SmoothGrad(samples=24)(model, X, Y)
    assert model.forwards == 1 + 1 + 2, "12 copies of 5 images are near enough to 64 rows"


def test_the_kin_of_smoothgrad_are_settings_of_one_explainer() -> None:
    assert SmoothGrad() == Smooth(Gradient(), 50, 0.15, clean=True, clip=True)
    assert VarGrad(3, 0.1) == Smooth(Gradient(), 3, 0.1, statistic="variance")
    assert SmoothGradSquared(3, 0.1) == Smooth(Gradient(), 3, 0.1, statistic="mean-square")
    for kin in (VarGrad(), SmoothGradSquared()):
        assert not kin.signed and kin.legend.startswith("purple has no sign: the darker, the ")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SmoothGrad(samples=0), ConfigError, "Smooth has samples=0; give 1 or more"),
        (
            lambda: Gradient()(smooth(), X, Y, memory=0),
            ConfigError,
            "memory is 0; give a number of bytes, 1 or more",
        ),
        (
            lambda: SmoothGrad(sigma=-0.1),
            ConfigError,
            "Smooth has sigma=-0.1; a deviation is 0 or more, in [0, 1] pixel units",
        ),
        (
            lambda: Gradient()(smooth(), 3 * torch.ones(1, 1, 6, 6), 0),
            PixelError,
            "this batch has pixels from 3 to 3; they must lie in [0, 1]: "
            "divide by 255, and put normalization inside the model",
        ),
        (
            lambda: Gradient()(smooth(), X[:0], 0),
            ShapeError,
            "this batch has no images; an explainer needs one or more",
        ),
        (
            lambda: Gradient()(smooth(), X, Y[:2]),
            ShapeError,
            "of is (2,) of torch.int64 for 5 images; give one whole number for each",
        ),
        (
            lambda: Gradient()(smooth(), X, 4),
            LabelError,
            "this batch has the label 4 and 4 classes; labels run from 0 to 3",
        ),
        (
            lambda: Gradient()(smooth(), X, "label"),
            ConfigError,
            "of is 'label'; give a class, a class for each image, 'predicted' or 'runner-up'",
        ),
        (
            lambda: Gradient().on(smooth(), Batch(X, Y), "best"),
            ConfigError,
            "of is 'best'; give a class, a class for each image, 'label', 'predicted' or 'runner-up'",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


def test_gradients_that_are_no_numbers_are_refused() -> None:
    class Root(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1).sqrt()[:, :3]

    x = images(4, 1, 2, 2)
    x[1] = 0  # where the root has no slope
    message = (
        "Gradient gave NaN or infinite maps for 1 of 4 images; see whether the network's gradients are finite there"
    )
    with pytest.raises(NotFinite, match=re.escape(message)):
        Gradient()(Root(), x, 0)


def test_copies_of_copies_have_random_numbers_of_their_own() -> None:
    seen: list[Tensor] = []

    @dataclass(frozen=True)
    class Noisy(Explainer):
        def maps(self, probe: Probe, of: Tensor, rows: int) -> Tensor:
            seen.append(probe.noise.stream("mine").uniform(1))
            return torch.zeros_like(probe.x)

    Smooth(Smooth(Noisy(), samples=7), samples=5)(smooth(), X, Y)
    drawn = torch.cat(seen).flatten().tolist()
    assert len(drawn) == 7 * 5 * len(X)
    assert len(set(drawn)) == len(drawn)

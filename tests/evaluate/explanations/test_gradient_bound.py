"""How gradients turn, and what bounds that: closed forms, and what must not matter."""

import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.networks import images, linear, smooth
from torch import Tensor, nn

from chance import strays
from pellucid.batch import Batch
from pellucid.errors import ConfigError, NoRoom
from pellucid.evaluate.explanations import GradientBound
from pellucid.explainers import Gradient
from pellucid.norms import Linf
from pellucid.randomness import Noise

SCALED = {"squared_change": 2, "first_order_change": 1, "neighbor_length": 1, "hessian": 1}
"""The columns that a factor of the network changes, and by which power of it."""


class Quadratic(nn.Module):
    """Two logits, of which the first is half of x H x and a linear part."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        root = torch.randn(pixels, pixels, generator=generator, dtype=torch.float64)
        self.hessian = root + root.T

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return torch.stack([0.5 * ((flat @ self.hessian) * flat).sum(1), flat.sum(1)], 1)


class Scarce(nn.Module):
    """A network in whose memory are only so many rows."""

    def __init__(self, network: nn.Module, rows: int) -> None:
        super().__init__()
        self.network = network
        self.rows = rows

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad and len(x) > self.rows:
            raise torch.OutOfMemoryError("more than there is")
        return self.network(x)


def rectified() -> nn.Module:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 40), nn.ReLU(), nn.Linear(40, 4)).double()


def multiplied(model: nn.Module, factor: float) -> nn.Module:
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.mul_(factor)
        last.bias.mul_(factor)
    return model


@pytest.mark.parametrize("make", [smooth, rectified])
@pytest.mark.parametrize("factor", [0.1, 2.0, 7.0])
def test_a_factor_of_the_last_layer_changes_no_angle(make: Callable[[], nn.Module], factor: float) -> None:
    metric, x = GradientBound(0.3, 3, probes=2), images(5, 1, 6, 6)
    before, after = metric(make(), x), metric(multiplied(make(), factor), x)
    assert (after.value - before.value).abs().max() < 1e-15
    for name, column in before.columns.items():
        assert torch.allclose(after.columns[name], factor ** SCALED.get(name, 0) * column, rtol=1e-10), name


@settings(max_examples=6)
@given(seed=st.integers(0, 2**20), eps=st.floats(1e-4, 1), normal=st.booleans())
def test_the_bounds_hold_for_every_image(seed: int, eps: float, normal: bool) -> None:
    x = images(8, 1, 6, 6, seed=seed)
    for model in (smooth(), rectified()):
        found = GradientBound(eps, 1, "normal" if normal else "uniform", 1)(model, x, seed=seed)
        assert bool((found.value <= found.columns["bound"] * (1 + 1e-9) + 1e-30).all())
        assert bool((found.columns["bound"] <= found.columns["loose_bound"] * (1 + 1e-9)).all())


def test_the_distance_is_half_of_what_lacks_to_a_cosine_of_1() -> None:
    model, x = smooth(), 0.4 + 0.2 * images(6, 1, 6, 6)
    found = GradientBound(0.4, 1)(model, x, 2, seed=3)
    noise = Noise(3, torch.arange(len(x))).stream("gradient-bound", 0)
    there = x + Linf().random(x, 0.4, noise)
    own, other = (Gradient()(model, each, 2).map.flatten(1) for each in (x, there))
    assert torch.allclose(found.value, (1 - torch.cosine_similarity(own, other)) / 2, atol=1e-14)
    assert torch.allclose(found.columns["squared_change"], (own - other).square().sum(1))
    assert torch.allclose(found.columns["neighbor_length"], other.norm(dim=1))


def test_a_quadratic_network_is_known_exactly() -> None:
    model, x = Quadratic(9), images(4, 1, 3, 3)
    found = GradientBound(0.2, 1, probes=400)(model, x, 0)
    columns = found.columns
    assert torch.allclose(columns["squared_change"], columns["first_order_change"].square())
    assert torch.allclose(columns["loose_bound"], columns["first_order_bound"])
    size = torch.linalg.matrix_norm(model.hessian).item()
    assert columns["hessian"].tolist() == pytest.approx([size] * 4, rel=0.1)


def test_the_hessian_of_a_smooth_network_is_that_of_its_entries() -> None:
    model, x = smooth(size=3), images(3, 1, 3, 3)
    found = GradientBound(draws=1, probes=400)(model, x, 1).columns["hessian"]

    def logit(one: Tensor) -> Tensor:
        return model(one[None])[0, 1]

    for image, size in zip(x, found, strict=True):
        entries = torch.autograd.functional.hessian(logit, image)
        assert isinstance(entries, Tensor)
        assert size.item() == pytest.approx(entries.norm().item(), rel=0.1)


def test_a_little_step_changes_the_gradient_by_the_hessian() -> None:
    columns = GradientBound(1e-5, 1)(smooth(), images(4, 1, 6, 6)).columns
    assert torch.allclose(columns["squared_change"].sqrt(), columns["first_order_change"], rtol=1e-4)
    assert torch.allclose(columns["loose_bound"], columns["first_order_bound"], rtol=1e-4)


def test_nothing_bends_in_a_piecewise_linear_network() -> None:
    found = GradientBound(0.5, 3, probes=2)(rectified(), images(4, 1, 6, 6))
    for name in ("first_order_change", "first_order_bound", "hessian"):
        assert not found.columns[name].any()
    # and yet gradients turn, where a unit switches
    assert bool((found.value > 0.001).all())


def test_a_linear_network_has_one_gradient() -> None:
    found = GradientBound(0.5, 3, probes=2)(linear(), images(4, 1, 3, 3))
    assert not found.value.any()
    assert not any(column.any() for name, column in found.columns.items() if name != "neighbor_length")


def test_normal_noise_is_longer() -> None:
    model, x = Quadratic(9), images(16, 1, 3, 3)
    model.hessian = torch.eye(9, dtype=torch.float64)
    squares = {GradientBound(0.1, 60, probes=1): 1 / 3, GradientBound(0.1, 60, "normal", 1): 1.0}
    for metric, square in squares.items():
        found = metric(model, x, 0).columns["squared_change"]
        assert not strays(found.flatten().tolist(), 9 * square * 0.01)


def test_an_image_s_own_row_is_the_same_however_much_memory_there_is() -> None:
    x = images(20, 1, 6, 6)
    batch = Batch(x, torch.zeros(20, dtype=torch.long))
    metric = GradientBound(0.3, 2, probes=2)
    for found in (metric.on(smooth(), batch, memory=1), metric(Scarce(smooth(), 3), x)):
        for name, column in metric(smooth(), x).columns.items():
            assert torch.allclose(found.columns[name], column, rtol=1e-9), name
    with pytest.raises(NoRoom, match="more than there is"):
        metric(Scarce(smooth(), 0), x)


def test_a_network_that_says_nothing_gives_no_value() -> None:
    found = GradientBound()(multiplied(smooth(), 0), images(3, 1, 6, 6))
    assert not found.defined.any()
    assert GradientBound().undefined == "the gradient is zero, at the image or at a neighbor"


def test_settings_that_measure_nothing_are_refused() -> None:
    wanted = "gradient-bound has eps=0; give how far pixels may move, above 0 and at most 1"
    with pytest.raises(ConfigError, match=re.escape(wanted)):
        GradientBound(0)
    with pytest.raises(ConfigError, match=re.escape("gradient-bound has draws=0; it needs 1 or more")):
        GradientBound(draws=0)
    with pytest.raises(ConfigError, match=re.escape("gradient-bound has probes=0; it needs 1 or more")):
        GradientBound(probes=0)
    assert GradientBound().cost == "11 gradients and 20 products with the Hessian"

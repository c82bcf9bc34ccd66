"""RISE against constants, expectations of linear black boxes, and the scatter between seeds."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from chance import strays
from networks import images, linear, smooth
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.explainers import RISE
from pellucid.probe import Probe

X, Y = images(3, 1, 6, 6), torch.tensor([3, 1, 0])
PLAIN = RISE(masks=400, cells=3, of_probability=False)


class Constant(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.new_tensor([0.25, -1.5, 3.0]).expand(len(x), 3) + 0 * x.flatten(1)[:, :1]


def masks(explainer: RISE, count: int) -> Tensor:
    """What a network that answers with the pixels of a white image is shown."""
    model = Seeing()
    explainer(model, torch.ones(1, 1, 6, 6, dtype=torch.float64), 0)
    shown = torch.cat(model.seen)[1:]
    assert len(shown) == count
    return shown[:, 0]


class Seeing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach())
        return x.flatten(1)[:, :4]


@pytest.mark.parametrize("number", [1, 3, 50])
def test_a_network_that_says_one_thing_has_a_map_of_that_or_of_nothing(number: int) -> None:
    """Dividing by p alone, as the paper does, leaves the masks' own scatter in the map."""
    for of, value in enumerate((0.25, -1.5, 3.0)):
        explainer = RISE(masks=number, cells=3, of_probability=False)
        assert torch.equal(explainer(Constant(), X, of).map, torch.full_like(X, value))
        centered = RISE(masks=number, cells=3, of_probability=False, centered=True)
        assert torch.equal(centered(Constant(), X, of).map, torch.zeros_like(X))
    share = torch.tensor([0.25, -1.5, 3.0], dtype=torch.float64).softmax(0)[2]
    assert torch.allclose(RISE(masks=number, cells=3)(Constant(), X, 2).map, share)


def test_a_map_is_the_weighted_mean_of_the_answers() -> None:
    for centered in (False, True):
        explainer = RISE(masks=40, cells=3, of_probability=False, centered=centered)
        x = torch.ones(1, 1, 6, 6, dtype=torch.float64)
        shown = masks(explainer, 40)
        answers = smooth()(shown[:, None])[:, 2].detach()
        by_hand = (answers[:, None, None] * shown).sum(0) / shown.sum(0) - (answers.mean() if centered else 0)
        assert torch.allclose(explainer(smooth(), x, 2).map[0, 0], by_hand)


def test_masks_show_what_they_should() -> None:
    for keep in (0.2, 0.5):
        shown = masks(RISE(masks=4000, cells=3, keep=keep), 4000)
        assert float(shown.min()) >= 0 and float(shown.max()) <= 1
        assert not any(strays(pixel.tolist(), keep) for pixel in shown.flatten(1).T)
    fine = masks(RISE(masks=200, cells=6), 200)
    assert len({tuple(mask.flatten().tolist()) for mask in fine}) == 200


def test_masks_do_not_depend_on_how_many_are_drawn_together() -> None:
    probe = Probe(smooth(), Batch(X, Y), second_order=False)
    together = PLAIN.drawn(probe, range(7))
    assert torch.equal(torch.cat([PLAIN.drawn(probe, range(n, n + 1)) for n in range(7)]), together)


def test_masks_are_the_enlarged_grid_of_the_paper() -> None:
    """The grid as an image, enlarged to one cell more than needed, and cut out."""
    explainer, side, cell = RISE(masks=1, cells=3), 8, 3
    x = torch.ones(4, 1, side, side, dtype=torch.float64)
    probe = Probe(smooth(size=side), Batch(x, torch.zeros(4, dtype=torch.long)), second_order=False, seed=5)
    noise = probe.noise.stream("rise")
    grid = (noise.stream("cells").uniform(3, 3, dtype=torch.float64) < 0.5).double()
    large = nn.functional.interpolate(grid[:, None], (4 * cell, 4 * cell), mode="bilinear", align_corners=False)
    (found,) = explainer.drawn(probe, range(1))
    tops, lefts = ((noise.stream(axis).uniform(dtype=torch.float64) * 4).long() for axis in ("down", "across"))
    for number, (top, left) in enumerate(zip(tops.tolist(), lefts.tolist(), strict=True)):
        assert torch.allclose(found[number], large[number, 0, top : top + side, left : left + side])


def test_a_linear_black_box_has_the_expected_map_within_its_errors() -> None:
    """Its expectation is Σ c E[M M'] / E[M], with what each pixel contributes, c."""
    model, x = linear(pixels=36), X[:1]
    shown = masks(RISE(masks=8000, cells=3), 8000).flatten(1)
    parts = (model.get_parameter("1.weight")[2].detach() * x.flatten()).double()
    expected = (shown.T @ (shown @ parts)) / shown.sum(0) + model.get_parameter("1.bias")[2].detach()
    found, errors = PLAIN.with_errors(model, x, 2, seed=7)
    assert (((found.map.flatten() - expected) / errors.flatten()).abs() < 4).all()
    assert torch.equal(found.map, PLAIN(model, x, 2, seed=7).map)


def test_a_linear_black_box_ranks_parts_by_what_they_contribute() -> None:
    """Quarters of the image, each of weight its own: what shows most of the heaviest answers highest."""
    last = nn.Linear(4, 1, bias=False)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), last).double()
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[0.0, 3.0, -2.0, 1.0]]))
    x = torch.ones(1, 1, 6, 6, dtype=torch.float64)
    found = RISE(masks=2000, cells=6, of_probability=False)(model, x, 0).map
    quarters = nn.functional.adaptive_avg_pool2d(found, 2).flatten()
    assert quarters.argsort().tolist() == [2, 0, 3, 1]


@pytest.mark.parametrize("centered", [False, True])
def test_errors_are_the_scatter_between_seeds(centered: bool) -> None:
    explainer = RISE(masks=100, cells=3, of_probability=False, centered=centered)
    runs = [explainer.with_errors(smooth(), X[:1], 1, seed=seed) for seed in range(120)]
    scatter = torch.stack([found.map for found, _ in runs]).std(0)
    said = torch.stack([errors for _, errors in runs]).square().mean(0).sqrt()
    assert torch.allclose(said, scatter, rtol=0.35)
    assert float((said / scatter).mean()) == pytest.approx(1, abs=0.06)


def test_errors_do_not_depend_on_memory_nor_on_the_batch() -> None:
    model = smooth()
    _, whole = PLAIN.with_errors(model, X, Y)
    _, frugal = PLAIN.with_errors(model, X, Y, memory=20_000)
    _, alone = PLAIN.with_errors(model, X[:1], Y[:1])
    assert torch.allclose(whole, frugal)
    assert torch.allclose(whole[:1], alone)


def test_every_image_has_masks_of_its_own() -> None:
    same = X[:1].expand(3, -1, -1, -1)
    found = RISE(masks=5, cells=3)(smooth(), same, 0).map
    assert not torch.allclose(found[0], found[1])


def test_a_pixel_that_no_mask_has_shown_has_the_mean_answer() -> None:
    explainer = RISE(masks=1, cells=6, keep=1e-9, of_probability=False)
    found = explainer(smooth(), X, Y).map
    dark = smooth()(torch.zeros_like(X)).gather(1, Y[:, None]).detach()
    assert torch.allclose(found, dark[..., None, None].expand_as(X))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RISE(masks=0), "RISE has masks=0; give 1 or more"),
        (lambda: RISE(cells=0), "RISE has cells=0; give 1 or more"),
        (lambda: RISE(keep=1), "RISE has keep=1; a probability of showing a cell lies between 0 and 1"),
        (lambda: RISE(baseline=2), "RISE has baseline=2; give a number in [0, 1], 'mean', 'blur' or 'network-mean'"),
        (
            lambda: RISE(masks=1).with_errors(smooth(), X, Y),
            "RISE has masks=1; errors can be told from 2 or more",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()

import re
from collections.abc import Callable
from typing import final

import numpy
import pytest
import torch
from torch import Tensor, nn

from networks import Counting, images, linear, smooth
from pellucid.batch import Batch
from pellucid.errors import ConfigError, LabelError, NotFinite, ShapeError
from pellucid.explainers.lime import Grid, Lime, Pixels, Quickshift, Segmentation, Slic, Surrogates, TooFewMasks
from pellucid.explainers.lime.hidden import SegmentBaseline
from pellucid.explainers.rounding import ROUNDED

X, Y = images(5, 1, 6, 6), torch.tensor([0, 3, 1, 2, 0])
CHEAP = Lime(Grid(3, 3), masks=60)


def of_six(classes: int = 4, channels: int = 1) -> Batch:
    return Batch(images(6, channels, 12, 12), torch.arange(6) % classes)


class Together(nn.Module):
    """1 where all of these pixels of a black image are white, in the first logit."""

    def __init__(self, pixels: list[int]) -> None:
        super().__init__()
        self.pixels = pixels

    def forward(self, x: Tensor) -> Tensor:
        seen = x.flatten(1)[:, self.pixels].prod(1)
        return torch.stack([seen, torch.zeros_like(seen)], 1)


class Linear(nn.Module):
    """A linear function of images of any number of pixels."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight + 0.7


@pytest.mark.parametrize("channels", [1, 3, 13])
@pytest.mark.parametrize("segmentation", [Grid(4, 4), Slic(segments=12), Quickshift(kernel=1, distance=2)])
@pytest.mark.parametrize("kernel", ["cosine", "hamming", "none"])
def test_of_a_linear_network_coefficients_are_what_hiding_a_segment_takes_away(
    channels: int, segmentation: Grid | Slic | Quickshift, kernel: str
) -> None:
    x = images(3, channels, 12, 12)
    weight = torch.randn(x[0].numel(), 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lime = Lime(segmentation, masks=800, alpha=1e-8, kernel=kernel, baseline=0.3, output="logit")  # pyright: ignore[reportArgumentType]
    found = lime.local(Linear(weight), Batch(x, torch.zeros(3, dtype=torch.long)), classes=(0, 1))
    parts = torch.einsum("bchw,chwk->bkhw", x - 0.3, weight.view(*x[0].shape, 2))
    expected = torch.zeros_like(found.coefficients).scatter_add_(
        2, found.segments.flatten(1)[:, None].expand(-1, 2, -1), parts.flatten(2)
    )
    assert int(found.counts.max()) > 5
    assert torch.allclose(found.coefficients, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))
    base = Linear(weight)(torch.full_like(x, 0.3))
    assert torch.allclose(found.intercepts, base, rtol=0, atol=1e-8)
    assert torch.allclose(found.r2, torch.ones(3, 2, dtype=torch.float64))


def test_ridge_shrinks_in_proportion_to_its_penalty() -> None:
    x = images(1, 3, 14, 14)
    model = linear(classes=2, pixels=x.numel())

    def distance(alpha: float) -> float:
        lime = Lime(Grid(), masks=1000, alpha=alpha, output="logit")
        found = lime.local(model, Batch(x, torch.zeros(1, dtype=torch.long))).coefficients
        exact = Lime(Grid(), masks=1000, alpha=0.0, output="logit")
        against = exact.local(model, Batch(x, torch.zeros(1, dtype=torch.long))).coefficients
        return float((found - against).norm() / against.norm())

    errors = [distance(alpha) for alpha in (1.0, 1e-2, 1e-4)]
    assert 1e-3 < errors[0] < 2e-2
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.02)
    assert errors[1] / errors[2] == pytest.approx(100, rel=0.001)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_of_what_is_seen_all_together_coefficients_halve_with_each_part(size: int) -> None:
    """Each of m segments that must all be there: Cov(f, z) / Var(z) = 2^-(m+1) / (1/4) = 2^(1-m), and 0 elsewhere.

    Under weights of 1 the least squares of independent bits are these covariances. The intercept is
    2^-m - m 2^(1-m) / 2 = (1 - m) 2^-m.
    """
    lime = Lime(Pixels(), masks=50_000, alpha=0.0, kernel="none", baseline=0.0, output="logit")
    found = lime.local(Together([4, 7, 2][:size]), _white(1), 0)
    expected = torch.zeros(9, dtype=torch.float64)
    expected[[4, 7, 2][:size]] = 2.0 ** (1 - size)
    assert torch.allclose(found.coefficients[0, 0], expected, atol=0.02)
    assert float(found.intercepts) == pytest.approx((1 - size) * 2.0**-size, abs=0.02)
    away = (found.coefficients[0, 0] - expected).abs()
    assert bool((away <= 5 * found.standard_errors[0, 0] + 1e-9).all())


def test_the_error_falls_with_the_root_of_the_number_of_masks() -> None:
    expected = torch.zeros(9, dtype=torch.float64)
    expected[[4, 7]] = 0.5
    errors = list[float]()
    for masks in (200, 800, 3200):
        lime = Lime(Pixels(), masks, alpha=0.0, kernel="none", baseline=0.0, output="logit", antithetic=False)
        found = lime.local(Together([4, 7]), _white(60), 0)
        errors.append(float((found.coefficients[:, 0] - expected).square().mean().sqrt()))
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("kernel", ["cosine", "hamming"])
def test_under_a_kernel_masks_lead_to_what_all_of_them_say(kernel: str) -> None:
    every = (numpy.arange(512)[:, None] >> numpy.arange(9)) & 1
    share = every.mean(1)
    distance = 1 - (numpy.sqrt(share) if kernel == "cosine" else share)
    root = numpy.exp(-(distance**2) / (4 * 0.4**2))[:, None]
    design = numpy.column_stack([every, numpy.ones(512)])
    answers = every[:, [4, 7]].prod(1)
    exact = numpy.linalg.lstsq(design * root, answers * root[:, 0])[0]
    lime = Lime(Pixels(), masks=40_000, alpha=0.0, kernel=kernel, width=0.4, baseline=0.0, output="logit")  # pyright: ignore[reportArgumentType]
    found = lime.local(Together([4, 7]), _white(1), 0)
    assert found.coefficients[0, 0].numpy() == pytest.approx(exact[:9], abs=0.01)
    assert float(found.intercepts) == pytest.approx(exact[9], abs=0.01)


def test_a_network_that_says_the_same_always_has_coefficients_of_exactly_0() -> None:
    for alpha in (0.0, 1.0):
        found = Lime(Grid(3, 3), masks=60, alpha=alpha).local(Linear(torch.zeros(144, 4).double()), of_six())
        assert not bool(found.coefficients.any())
        assert not bool(found.standard_errors.any())
        assert torch.equal(found.intercepts, torch.full_like(found.intercepts, 0.25))
        assert torch.equal(found.r2, torch.ones_like(found.r2))
        assert torch.equal(found.adjusted_r2, torch.ones_like(found.r2))
        assert not bool(found.map().any())


def test_what_is_padded_is_exactly_0_and_changes_nothing() -> None:
    batch = Batch(images(4, 3, 20, 20), torch.zeros(4, dtype=torch.long))
    model = smooth(channels=3, size=20)
    for lime in (Lime(Slic(30)), Lime(Slic(30), alpha=0.0), Lime(Slic(30), features=4)):
        found = lime.local(model, batch, classes=(0, 1))
        assert len(set(found.counts.tolist())) > 1, "images of different numbers of segments"
        beyond = torch.arange(found.coefficients.shape[2]) >= found.counts[:, None, None]
        assert not bool((found.coefficients * beyond).any())
        assert not bool((found.standard_errors * beyond).any())
        for number in range(4):
            rows = slice(number, number + 1)
            alone = lime.local(
                model, Batch(batch.x[rows], batch.y[rows], {"index": torch.tensor([number])}), classes=(0, 1)
            )
            count = int(alone.counts)
            assert alone.coefficients.shape[2] == count
            assert torch.allclose(alone.coefficients[0], found.coefficients[number, :, :count], atol=1e-12)
            assert torch.allclose(alone.standard_errors[0], found.standard_errors[number, :, :count], atol=1e-12)
            assert torch.allclose(alone.adjusted_r2[0], found.adjusted_r2[number], atol=1e-12)


@pytest.mark.parametrize(
    ("lime", "memory"),
    [
        (CHEAP, 1),
        (CHEAP, 60_000),
        (Lime(Grid(3, 3), masks=60, antithetic=False), 20_000),
        (Lime(Slic(4), masks=1100), 60_000),
    ],
)
def test_neither_memory_nor_order_nor_company_matters(lime: Lime, memory: int) -> None:
    model = smooth(size=12)
    whole = lime.local(model, of_six(), classes=(0, 2), seed=3)
    assert torch.allclose(
        lime.local(model, of_six(), classes=(0, 2), seed=3, memory=memory).coefficients,
        whole.coefficients,
        atol=1e-12,
    )
    order = torch.tensor([4, 1, 5])
    some = Batch(of_six().x[order], of_six().y[order], {"index": order})
    assert torch.allclose(
        lime.local(model, some, 2, seed=3).coefficients[:, 0], whole.coefficients[order, 1], atol=1e-12
    )
    assert not torch.allclose(
        lime.local(model, of_six(), 2, seed=4).coefficients[:, 0], whole.coefficients[:, 1], atol=1e-6
    )


def test_classes_are_explained_together_as_each_alone() -> None:
    model, batch = smooth(size=12), of_six()
    predicted = model(batch.x).argmax(1)
    found = CHEAP.local(model, batch, classes=(0, 1, 2, 3))
    assert found.classes.tolist() == [[0, 1, 2, 3]] * 6
    for of, classes in (("label", batch.y), ("predicted", predicted), (2, torch.full((6,), 2))):
        alone = CHEAP.local(model, batch, of)
        assert torch.equal(alone.classes[:, 0], classes)
        assert torch.allclose(alone.coefficients[:, 0], found.coefficients[range(6), classes], atol=1e-12)
    table = torch.stack([batch.y, predicted], 1)
    assert torch.equal(CHEAP.local(model, batch, table).classes, table)
    assert torch.equal(CHEAP.local(model, batch, "runner-up").classes[:, 0], model(batch.x).topk(2).indices[:, 1])
    # probabilities add up to 1, and so coefficients to 0
    assert torch.allclose(found.coefficients.sum(1), torch.zeros(6, 9, dtype=torch.float64), atol=1e-12)


def test_a_map_is_the_coefficients_painted_on_their_segments() -> None:
    model, batch = smooth(channels=3, size=12), of_six(channels=3)
    lime = Lime(Grid(3, 4), masks=80)
    found = lime.local(model, batch, seed=5)
    cells = found.coefficients[:, 0].view(6, 3, 4).repeat_interleave(4, 1).repeat_interleave(3, 2)
    assert torch.equal(found.map(), cells)
    explained = lime.on(model, batch, seed=5).map
    assert torch.allclose(explained, cells[:, None].expand(-1, 3, -1, -1))
    assert explained.shape == batch.x.shape


def test_only_the_largest_are_kept_and_fitted_again() -> None:
    model, batch = smooth(size=12), of_six()
    full = Lime(Grid(3, 3), masks=200, alpha=0.01).local(model, batch, classes=(0, 1))
    found = Lime(Grid(3, 3), masks=200, features=4).local(model, batch, classes=(0, 1))
    assert bool(((found.coefficients != 0).sum(2) == 4).all())
    largest = full.coefficients.abs().topk(4, dim=2).indices.sort(2).values
    assert torch.equal(found.coefficients.abs().topk(4, dim=2).indices.sort(2).values, largest)
    assert torch.equal(found.standard_errors != 0, found.coefficients != 0)
    everything = Lime(Grid(3, 3), masks=200, features=20).local(model, batch, classes=(0, 1))
    assert torch.allclose(
        everything.coefficients, Lime(Grid(3, 3), masks=200).local(model, batch, classes=(0, 1)).coefficients
    )


def test_masks_are_as_many_as_asked_for() -> None:
    model = Counting(smooth(size=12))
    found = Lime(Grid(3, 3), masks=1030).local(model, of_six())
    assert found.masks.tolist() == [1030] * 6
    assert model.forwards == 1 + -(-6 * 1024 // 64) + 1, "the pass that looks at the classes, full ones, a rest"
    auto = Lime(Grid(9, 9), baseline=0.0).local(smooth(size=12), of_six())
    assert auto.masks.tolist() == [81 * 20] * 6
    assert Lime(Grid(3, 3)).local(smooth(size=12), of_six()).masks.tolist() == [1000] * 6


def test_with_a_tolerance_masks_are_doubled_until_errors_are_small() -> None:
    model, batch = smooth(size=12), of_six()
    lime = Lime(Grid(3, 3), masks=60, tolerance=0.01)
    found = lime.local(model, batch)
    assert bool((found.standard_errors.amax(2) <= 0.01 * found.coefficients.abs().amax(2)).all())
    assert len(set(found.masks.tolist())) > 1, "each image has masks of its own"
    for number, masks in enumerate(found.masks.tolist()):
        assert masks in [60 * 2**power for power in range(8)]
        fixed = Lime(Grid(3, 3), masks=masks).local(model, batch)
        assert torch.allclose(fixed.coefficients[number], found.coefficients[number], atol=1e-12)
        if masks > 60:
            before = Lime(Grid(3, 3), masks=masks // 2).local(model, batch)
            largest = before.coefficients[number].abs().max()
            assert before.standard_errors[number].max() > 0.01 * largest
    capped = Lime(Grid(3, 3), masks=60, tolerance=1e-6, most=100).local(model, batch)
    assert capped.masks.tolist() == [100] * 6
    constant = Linear(torch.zeros(144, 4).double())
    assert lime.local(constant, batch).masks.tolist() == [60] * 6


@pytest.mark.parametrize(
    ("lime", "message"),
    [
        (
            Lime(Grid(4, 4), masks=79),
            "Lime drew 79 masks for up to 16 segments, so that coefficients are mostly noise; "
            "set masks to 80 or more",
        ),
        (
            Lime(Grid(4, 4), masks=10, alpha=0.0),
            "Lime drew 10 masks for up to 16 segments, so few that coefficients are not determined; "
            "set masks to 80 or more",
        ),
    ],
)
def test_too_few_masks_are_warned_of(lime: Lime, message: str) -> None:
    with pytest.warns(TooFewMasks, match=f"^{re.escape(message)}$"):
        found = lime.local(smooth(size=12), of_six())
    assert bool(found.coefficients.isfinite().all())
    if lime.masks == 10:
        assert bool((found.adjusted_r2 == -torch.inf).all())
        assert bool((found.standard_errors[found.standard_errors > 0] == torch.inf).all())


def test_images_are_hidden_behind_what_the_baseline_says() -> None:
    x = images(2, 3, 6, 6)
    seen = list[Tensor]()

    class Seeing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.clone())
            return x.flatten(1)[:, :3]

    def nothing_shown(lime: Lime) -> Tensor:
        seen.clear()
        lime.local(Seeing(), Batch(x, torch.zeros(2, dtype=torch.long)))
        rows = torch.cat(seen[1:])
        assert torch.equal(rows[0], x[0]), "the first mask shows everything"
        return rows[1]

    cells = x[0].view(3, 2, 3, 2, 3).mean((2, 4)).repeat_interleave(3, 1).repeat_interleave(3, 2)
    assert torch.allclose(nothing_shown(Lime(Grid(2, 2), masks=20)), cells)
    color = x[0].mean((1, 2))[:, None, None].expand(3, 6, 6)
    assert torch.allclose(nothing_shown(Lime(Grid(2, 2), masks=20, baseline="mean")), color)
    assert torch.equal(nothing_shown(Lime(Grid(2, 2), masks=20, baseline=0.5)), torch.full((3, 6, 6), 0.5).double())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Lime(masks=1), ConfigError, "Lime has masks=1; give 2 or more, or 'auto'"),
        (lambda: Lime(alpha=-1.0), ConfigError, "Lime has alpha=-1; give 0 or more"),
        (lambda: Lime(tolerance=-0.1), ConfigError, "Lime has tolerance=-0.1; give 0 or more"),
        (lambda: Lime(width=0.0), ConfigError, "Lime has width=0; give a number above 0"),
        (
            lambda: Lime(baseline=float("nan")),
            ConfigError,
            "Lime has baseline=nan; give a finite number, 'segment-mean', 'mean', 'blur' or 'network-mean'",
        ),
        (
            lambda: Lime(Pixels()),
            ConfigError,
            "Lime has baseline='segment-mean' with segments of a pixel each, and the mean of a pixel is the pixel; "
            "set the baseline to 'mean' or to a number",
        ),
        (
            lambda: Lime(Grid(4, 5), masks=200)(smooth(), images(1, 1, 6, 6), 0),
            ConfigError,
            "Lime has baseline='segment-mean', and 8 of 20 cells are a single pixel of images of 6 x 6, whose mean "
            "is the pixel; give fewer rows and columns, or the baseline 'mean' or a number",
        ),
        (lambda: Lime(features=-1), ConfigError, "Lime has features=-1; give 1 or more, or 0 for all"),
        (lambda: Lime(most=1), ConfigError, "Lime has most=1; give 2 or more"),
        (lambda: Grid(0, 3), ConfigError, "Grid has rows=0 and columns=3; give 1 or more of each, or 'auto'"),
        (lambda: Slic(0), ConfigError, "Slic has segments=0; give 1 or more"),
        (lambda: Slic(compactness=0.0), ConfigError, "Slic has compactness=0; give a number above 0"),
        (lambda: Slic(sigma=-1.0), ConfigError, "Slic has sigma=-1; a deviation is 0 or more, in pixels"),
        (lambda: Quickshift(0.5), ConfigError, "Quickshift has kernel=0.5; give 1 or more, in pixels, or 'auto'"),
        (lambda: Quickshift(distance=0.0), ConfigError, "Quickshift has distance=0; give a number above 0"),
        (lambda: Quickshift(ratio=2.0), ConfigError, "Quickshift has ratio=2; give 0 to 1"),
        (
            lambda: CHEAP.local(smooth(), Batch(X[:0], Y[:0])),
            ShapeError,
            "this batch has no images; an explainer needs one or more",
        ),
        (
            lambda: CHEAP.local(smooth(), Batch(X, Y), "best"),
            ConfigError,
            "of is 'best'; give a class, a class for each image, 'label', 'predicted' or 'runner-up'",
        ),
        (
            lambda: CHEAP.local(smooth(), Batch(X, Y), Y[:2]),
            ShapeError,
            "of is (2,) of torch.int64 for 5 images; give one whole number for each, or a row of them",
        ),
        (
            lambda: CHEAP.local(smooth(), Batch(X, Y), classes=(0, 4)),
            LabelError,
            "this batch has the label 4 and 4 classes; labels run from 0 to 3",
        ),
        (
            lambda: CHEAP.local(smooth(), Batch(X, Y), memory=0),
            ConfigError,
            "memory is 0; give a number of bytes, 1 or more",
        ),
        (
            lambda: CHEAP.local(linear(pixels=9), Batch(images(2, 9), Y[:2])),
            ShapeError,
            "Lime divides images [b c h w] into segments; these are of shape [2, 9]",
        ),
        (
            lambda: CHEAP.local(Linear(torch.full((36, 4), torch.nan).double()), Batch(X, Y)),
            NotFinite,
            "Lime gave NaN or infinite coefficients for 5 of 5 images; "
            "see whether the network's outputs are finite there",
        ),
        (
            lambda: _found().map(2),
            ShapeError,
            "there is no class number 2; surrogates are of 2, from 0",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


def _found() -> Surrogates:
    return CHEAP.local(smooth(), Batch(X, Y), classes=(0, 1))


def _white(count: int) -> Batch:
    return Batch(torch.ones(count, 1, 3, 3, dtype=torch.float64), torch.zeros(count, dtype=torch.long))


def test_segments_of_a_pixel_each_that_would_hide_nothing_are_refused() -> None:
    x = images(2, 1, 6, 6)
    with pytest.raises(ConfigError, match="^Lime has baseline='segment-mean', and 36 of 36 cells are a single pixel"):
        Lime(Grid(6, 6))(smooth(), x, 0)
    assert bool(Lime(Grid(6, 6), masks=200, baseline=0.0)(smooth(), x, 0).map.any())


@pytest.mark.parametrize(
    ("shape", "cells"),
    [
        ((1, 8, 8), (4, 4)),
        ((3, 9, 28), (4, 7)),
        ((1, 28, 28), (7, 7)),
        ((3, 32, 48), (7, 7)),
        ((3, 224, 224), (7, 7)),
        ((1, 3, 5), (1, 2)),
    ],
)
def test_cells_are_as_many_as_the_image_has_room_for(shape: tuple[int, ...], cells: tuple[int, int]) -> None:
    segments = Grid()(torch.zeros(1, *shape))
    sizes = torch.bincount(segments.flatten())
    assert len(sizes) == cells[0] * cells[1]
    for line in (*segments[0], *segments[0].T):
        assert int(line.unique_consecutive(return_counts=True)[1].min()) >= 2


class Black(nn.Module):
    """Reads the light of the upper half, for any number of classes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        light = x[:, :, : x.shape[2] // 2].mean((1, 2, 3))
        return torch.stack([light, *[0 * light] * (self.classes - 1)], 1)


@pytest.mark.parametrize("classes", [2, 1000])
@pytest.mark.parametrize("baseline", ["segment-mean", 0.0])
def test_what_hides_nothing_has_no_coefficient_and_is_counted(classes: int, baseline: SegmentBaseline) -> None:
    x = images(3, 3, 8, 12)
    x[0, :, :, :6] = 0  # half of this image is black, and all of the last
    x[2] = 0
    lime = Lime(Grid(4, 4), masks=100, baseline=baseline, output="logit", alpha=0.0)
    found = lime.local(Black(classes), Batch(x, torch.zeros(3, dtype=torch.long)), 0)
    black = torch.tensor([column < 2 for _ in range(4) for column in range(4)])
    assert torch.equal(found.idle, torch.stack([black, black & False, black | True]))
    assert found.idle_share.tolist() == [0.5, 0, 1]
    assert not found.coefficients[found.idle[:, None]].any()
    assert not found.standard_errors[found.idle[:, None]].any()
    if baseline == 0.0:  # where the network is linear the others have what they add, and nothing else
        parts = (x * (torch.arange(8) < 4)[:, None] / (3 * 4 * 12)).sum(1).view(3, 4, 2, 4, 3).sum((2, 4)).flatten(1)
        assert torch.allclose(found.coefficients[:, 0], parts, atol=1e-12)
    explained = lime(Black(classes), x, 0)
    # a mean stays the same where segments show their own
    rounded = (ROUNDED,) if baseline == "segment-mean" else ()
    assert explained.idle is not None and explained.idle.tolist() == [0.5, 0, 1]
    assert explained.notes == (
        ("half of the image or more is as the baseline already: what is there cannot show", *rounded),
        rounded,
        ("the whole image is as the baseline already: the map says nothing",),
    )


def test_superpixels_of_a_pixel_are_their_own_mean() -> None:
    x = torch.full((1, 1, 16, 16), 0.5, dtype=torch.float64)
    x[..., 8:] = images(1, 1, 16, 8)
    x[0, 0, 3, 3] = 1

    @final
    class Lonely(Segmentation):
        def __call__(self, images: Tensor) -> Tensor:
            segments = (torch.arange(256).view(1, 16, 16) % 16 >= 8).long() * 2
            segments[0, 3, 3] = 1
            return segments

    found = Lime(Lonely(), masks=60).local(smooth(size=16), Batch(x, torch.zeros(1, dtype=torch.long)))
    assert found.idle.tolist() == [[True, True, False]]

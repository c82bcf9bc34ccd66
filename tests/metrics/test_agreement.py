"""How alike maps are: identities, closed forms, and what must not matter."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pellucid import config
from pellucid.errors import ConfigError, ShapeError
from pellucid.metrics.agreement import SIMILARITIES, SSIM, Cosine, Pearson, Similarity, Spearman, TopK, scaled
from pellucid.metrics.agreement.spearman import ranks

ALL: list[Similarity] = [Pearson(), Cosine(), Spearman(), TopK(0.2), SSIM(), SSIM(5, 0.8)]
seeds = st.integers(0, 2**20)
similarities = pytest.mark.parametrize("similarity", ALL, ids=repr)


def maps(seed: int, count: int = 3, height: int = 8, width: int = 9) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, count, height, width, generator=generator, dtype=torch.float64)
    return one, other + one


def test_every_similarity_is_tried() -> None:
    assert {type(similarity) for similarity in ALL} == set(SIMILARITIES.values())


@similarities
@settings(max_examples=10)
@given(seed=seeds)
def test_a_similarity_is_symmetric_bounded_and_1_for_the_same_maps(similarity: Similarity, seed: int) -> None:
    one, other = maps(seed)
    found = similarity(one, other)
    assert found.shape == (3,)
    assert torch.allclose(found, similarity(other, one), atol=1e-12)
    assert bool(((found >= similarity.low) & (found <= 1)).all())
    assert bool((found < 0.999).all())
    assert torch.allclose(similarity(one, one), torch.ones(3, dtype=torch.float64), atol=1e-12)


@similarities
@settings(max_examples=8)
@given(seed=seeds, exponent=st.integers(-120, 120))
def test_a_factor_of_both_maps_does_not_matter(similarity: Similarity, seed: int, exponent: int) -> None:
    one, other = maps(seed)
    factor = 10.0**exponent
    assert torch.allclose(similarity(factor * one, factor * other), similarity(one, other), atol=1e-9)


@similarities
@settings(max_examples=8)
@given(seed=seeds, first=st.integers(-6, 6), second=st.integers(-6, 6))
def test_nor_does_a_factor_of_either(similarity: Similarity, seed: int, first: int, second: int) -> None:
    one, other = maps(seed)
    found = similarity(3 * 10.0**first * one, 10.0**second * other)
    assert torch.allclose(found, similarity(one, other), atol=1e-9)


@similarities
def test_an_image_s_similarity_is_its_own(similarity: Similarity) -> None:
    one, other = maps(0)
    alone = torch.cat([similarity(one[row : row + 1], other[row : row + 1]) for row in range(3)])
    assert torch.allclose(similarity(one, other), alone, atol=1e-14)
    assert torch.allclose(similarity(torch.cat([one, 1e6 * one]), torch.cat([other, one]))[:3], alone, atol=1e-14)


@similarities
def test_single_precision_is_enough_for_tiny_gradients(similarity: Similarity) -> None:
    one, other = maps(1)
    tiny = similarity((1e-30 * one).float(), (1e-30 * other).float())
    assert torch.allclose(tiny.double(), similarity(one, other), atol=1e-5)


@similarities
def test_its_settings_are_read_back(similarity: Similarity) -> None:
    assert config.build(Similarity, config.dump(similarity)) == similarity


@pytest.mark.parametrize("similarity", [Pearson(), Spearman(), TopK()], ids=repr)
def test_constant_maps_have_no_value(similarity: Similarity) -> None:
    one, _ = maps(0)
    # a third, since rounding leaves its mean a little off
    constant = torch.full_like(one, 1 / 3)
    assert bool(similarity(one, constant).isnan().all())
    assert bool(similarity(constant, one).isnan().all())
    assert bool(similarity(constant, constant).isnan().all())


@pytest.mark.parametrize("similarity", [Pearson(), Cosine(), SSIM()], ids=repr)
def test_gradients_flow(similarity: Similarity) -> None:
    one, other = maps(2, count=2)
    assert torch.autograd.gradcheck(similarity, (one.requires_grad_(), other.requires_grad_()))


@pytest.mark.parametrize("similarity", [Pearson(), Cosine(), SSIM()], ids=repr)
def test_gradients_of_maps_without_a_value_leave_the_others_alone(similarity: Similarity) -> None:
    one, other = maps(2)
    zeroed = torch.cat([torch.zeros_like(one[:1]), one[1:]]).requires_grad_()
    found = similarity(zeroed, torch.cat([torch.zeros_like(one[:1]), other[1:]]))
    assert found.isnan().tolist() == [True, False, False]
    found[1:].sum().backward()
    assert zeroed.grad is not None
    assert bool(zeroed.grad.isfinite().all())


@settings(max_examples=20)
@given(seed=seeds, factor=st.floats(0.1, 10), shift=st.floats(-3, 3))
def test_pearson_sees_neither_a_factor_nor_a_shift_of_one_map(seed: int, factor: float, shift: float) -> None:
    one, other = maps(seed)
    assert torch.allclose(Pearson()(factor * one + shift, other), Pearson()(one, other), atol=1e-10)
    assert torch.allclose(Pearson()(-factor * one + shift, other), -Pearson()(one, other), atol=1e-10)


def test_pearson_as_published_is_a_little_small() -> None:
    one, other = maps(0, height=7, width=7)
    assert torch.allclose(Pearson("official")(one, other), 48 / 49 * Pearson()(one, other))
    assert Pearson("official")(one, one).tolist() == pytest.approx([48 / 49] * 3)


def test_the_cosine_of_two_that_differ_by_45_degrees() -> None:
    one = torch.zeros(2, 2, 2)
    one[:, 0, 0] = 3
    other = torch.zeros(2, 2, 2)
    other[0, 0] = 7
    other[1, 1] = 7
    assert Cosine()(one, other).tolist() == pytest.approx([math.sqrt(0.5), 0])
    assert bool(Cosine()(one, torch.zeros(2, 2, 2)).isnan().all())
    assert Cosine()(torch.ones(1, 2, 2), torch.ones(1, 2, 2)).tolist() == pytest.approx([1])


@settings(max_examples=20)
@given(seed=seeds)
def test_spearman_sees_only_the_order(seed: int) -> None:
    one, other = maps(seed)
    assert torch.allclose(Spearman()(one.exp(), other**3), Spearman()(one, other), atol=1e-12)
    assert torch.allclose(Spearman()(-one, other), -Spearman()(one, other), atol=1e-12)


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks(torch.tensor([[3.0, 1.0, 3.0, 7.0], [2.0, 2.0, 2.0, 2.0]])).tolist() == [
        [1.5, 0, 1.5, 3],
        [1.5, 1.5, 1.5, 1.5],
    ]


def test_top_k_counts_places_in_common() -> None:
    one = torch.arange(10.0).view(1, 2, 5)
    assert TopK(0.3)(one, one.flip(2)).item() == pytest.approx(1 / 3)
    assert TopK(0.3)(one, -one).item() == 0
    assert TopK(1.0)(one, -one).item() == 1
    # at least one place, however small the share
    assert TopK(0.001)(one, one).item() == 1


def test_of_equal_values_those_that_come_first_are_largest() -> None:
    one = torch.tensor([[[1.0, 1, 1, 0]]])
    assert TopK(0.5)(one, torch.tensor([[[9.0, 8, 0, 0]]])).item() == 1
    assert TopK(0.5)(one, torch.tensor([[[9.0, 0, 8, 0]]])).item() == 0.5


@settings(max_examples=5)
@given(seed=seeds)
def test_top_k_of_maps_that_know_nothing_of_each_other_is_its_share(seed: int) -> None:
    one, other = torch.rand(2, 400, 10, 10, generator=torch.Generator().manual_seed(seed))
    assert TopK(0.2)(one, other).mean().item() == pytest.approx(0.2, abs=0.02)


def test_ssim_of_two_constants_is_that_of_their_brightness() -> None:
    one, other = torch.full((1, 8, 8), 3.0), torch.full((1, 8, 8), 1.0)
    constant = (0.01 * 2) ** 2
    assert SSIM().compare(one, other).item() == pytest.approx((6 + constant) / (10 + constant))
    assert SSIM()(one, other).isnan().all()


def test_ssim_of_a_window_as_large_as_the_map_is_one_formula() -> None:
    one, other = (scaled(each) for each in maps(4, count=1, height=7, width=7))
    bell = torch.exp(-0.5 * (torch.arange(-3, 4, dtype=torch.float64) / 1.5) ** 2)
    weight = bell[:, None] * bell / bell.sum() ** 2
    both = torch.cat([one, other])
    extent = both.max() - both.min()
    mean, other_mean = (weight * one).sum(), (weight * other).sum()
    variance = (weight * (one - mean) ** 2).sum()
    other_variance = (weight * (other - other_mean) ** 2).sum()
    covariance = (weight * (one - mean) * (other - other_mean)).sum()
    c1, c2 = (0.01 * extent) ** 2, (0.03 * extent) ** 2
    expected = (2 * mean * other_mean + c1) / (mean**2 + other_mean**2 + c1)
    expected = expected * (2 * covariance + c2) / (variance + other_variance + c2)
    assert SSIM()(one, other).item() == pytest.approx(expected.item(), rel=1e-12)


def test_ssim_of_maps_as_they_are_sees_a_factor_of_one_of_them() -> None:
    one, _ = maps(0)
    assert bool((SSIM().compare(one, 3 * one) < 0.8).all())
    assert SSIM()(one, 3 * one).tolist() == pytest.approx([1, 1, 1])


def test_ssim_as_published_is_neither_symmetric_nor_an_image_s_own() -> None:
    one, other = maps(0)
    official = SSIM(compat="official").compare
    assert (official(one, other) - official(other, one)).abs().min() > 1e-6
    alone = torch.cat([official(one[row : row + 1], other[row : row + 1]) for row in range(3)])
    assert (official(one, other) - alone).abs().max() > 1e-6
    # zeros beyond the border are windows too: even a map smaller than one window has a value
    assert official(one[:, :5, :5], one[:, :5, :5]).tolist() == pytest.approx([1, 1, 1])


def test_ssim_as_published_goes_on_with_zeros() -> None:
    one, other = maps(5, count=1)
    around = torch.nn.functional.pad
    one, other = scaled(one), scaled(other)
    extent = one.max() - one.min()
    # the same window, the same range, and the border added by hand
    by_hand = SSIM()._local(around(one / extent, (3,) * 4), around(other / extent, (3,) * 4))  # pyright: ignore[reportPrivateUsage]
    assert SSIM(compat="official")(one, other).item() == pytest.approx(by_hand.mean().item(), rel=1e-12)


def test_what_makes_no_similarity_is_refused() -> None:
    one, other = maps(0, height=6)
    wanted = "maps are 6 x 9 and a window of ssim is 7 wide; give a smaller window"
    with pytest.raises(ShapeError, match=re.escape(wanted)):
        SSIM()(one, other)
    wanted = "ssim has window=6; a window has a middle; give an odd number of pixels"
    with pytest.raises(ConfigError, match=re.escape(wanted)):
        SSIM(6)
    wanted = "ssim has sigma=0; give the width of a window in pixels, above 0"
    with pytest.raises(ConfigError, match=re.escape(wanted)):
        SSIM(sigma=0)
    wanted = "top-k has share=0; it is a part of all places, above 0 and at most 1"
    with pytest.raises(ConfigError, match=re.escape(wanted)):
        TopK(0)

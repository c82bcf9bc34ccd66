"""Similarities of maps against SciPy and scikit-image."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from skimage.metrics import structural_similarity
from torch import Tensor

from pellucid.metrics.agreement import SSIM, Pearson, Spearman

seeds = st.integers(0, 2**20)


def maps(seed: int, ties: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, 4, 12, 13, generator=generator, dtype=torch.float64)
    other = other + one
    return ((one * ties).round(), (other * ties).round()) if ties else (one, other)


@settings(max_examples=12)
@given(seed=seeds, ties=st.sampled_from([0, 1, 3]))
def test_correlations(seed: int, ties: int) -> None:
    one, other = maps(seed, ties)
    for row, (pearson, spearman) in enumerate(zip(Pearson()(one, other), Spearman()(one, other), strict=True)):
        first, second = one[row].flatten().numpy(), other[row].flatten().numpy()
        assert pearson.item() == pytest.approx(stats.pearsonr(first, second)[0], abs=1e-12)
        assert spearman.item() == pytest.approx(stats.spearmanr(first, second)[0], abs=1e-12)


@pytest.mark.parametrize(("window", "sigma"), [(7, 0.9), (11, 1.5), (5, 0.6)])
@settings(max_examples=4)
@given(seed=seeds, offset=st.floats(-5, 5))
def test_structural_similarity(window: int, sigma: float, seed: int, offset: float) -> None:
    one, other = maps(seed, 0)
    one, other = one + offset, other + offset
    for row, ours in enumerate(SSIM(window, sigma).compare(one, other)):
        extent = float(torch.cat([one[row], other[row]]).max() - torch.cat([one[row], other[row]]).min())
        # its windows reach 3.5 sigma, which makes them as wide as ours here
        theirs = structural_similarity(
            one[row].numpy(),
            other[row].numpy(),
            gaussian_weights=True,
            sigma=sigma,
            use_sample_covariance=False,
            data_range=extent,
        )
        assert ours.item() == pytest.approx(theirs, abs=1e-10)

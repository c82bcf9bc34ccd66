"""How far coefficients can be trusted: their errors are what repetitions show."""

import pytest
import torch
from torch import Tensor

from networks import smooth
from pellucid.batch import Batch
from pellucid.explainers.lime import Lime, Pixels

REPEATS, SIZE = 150, 5


def repeated(lime: Lime, masks: int) -> tuple[Tensor, Tensor]:
    """Coefficients and errors of one image, many times: as so many images with masks of their own."""
    x = torch.rand(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    batch = Batch(x.expand(REPEATS, -1, -1, -1), torch.zeros(REPEATS, dtype=torch.long))
    found = Lime(lime.segmentation, masks, lime.alpha, baseline=0.0, antithetic=lime.antithetic).local(_bent(), batch)
    return found.coefficients[:, 0], found.standard_errors[:, 0]


@pytest.mark.slow
def test_intervals_cover_what_they_should() -> None:
    """Of 95 % ones 93 to 97 %; the truth is the mean of repetitions with many more masks."""
    lime = Lime(Pixels(), alpha=0.0, baseline=0.0, antithetic=False)
    coefficients, errors = repeated(lime, 250)
    truth = repeated(lime, 1000)[0].mean(0)
    covered = ((coefficients - truth).abs() <= 1.96 * errors).double().mean()
    assert 0.93 < covered < 0.97


def test_opposite_pairs_make_errors_no_larger() -> None:
    plain = repeated(Lime(Pixels(), baseline=0.0, antithetic=False), 400)[0].var(0).mean()
    paired = repeated(Lime(Pixels(), baseline=0.0), 400)[0].var(0).mean()
    assert paired < plain


def test_two_runs_with_20_masks_for_each_segment_agree() -> None:
    first = repeated(Lime(Pixels(), baseline=0.0), 20 * SIZE**2)[0]
    cosine = torch.cosine_similarity(first[:-1], first[1:], dim=1)
    assert cosine.mean() > 0.97


def _bent() -> torch.nn.Module:
    """Outputs that are far from linear in the pixels."""
    network = smooth(size=SIZE)
    for parameter in network.parameters():
        parameter.data.mul_(2.5)
    return network

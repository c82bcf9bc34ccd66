"""What a network learns from the pixels that matter alone, and from all others.

By the protocol of Hooker et al. (2019): training and test images are changed alike, by one ranking for all of them,
and a fresh network is trained on each.
"""

import pytest
import torch
from torch import Tensor

from pellucid import CrossEntropy, Recipe, accuracy, data, fit, models
from pellucid.data import TensorSplit
from pellucid.explainers import NormLime
from pellucid.explainers.lime import Lime, Pixels
from pellucid.train import Adam

DIGITS = data.load("digits")
RECIPE = Recipe(epochs=8, batch=64, optimizer=Adam(lr=2e-3))


def trained(train: TensorSplit, test: TensorSplit, seed: int) -> tuple[torch.nn.Module, float]:
    model = models.build("mlp", shape=(1, 8, 8), seed=seed)
    for _ in fit(model, train, CrossEntropy(), RECIPE, seed=seed):
        pass
    return model, accuracy(model, test).value


def pixels(split: object) -> TensorSplit:
    assert isinstance(split, TensorSplit)
    (batch,) = split.batches([torch.arange(len(split))])
    return TensorSplit(batch.x, batch.y, split.classes)


def retrained(kept: Tensor, seed: int) -> float:
    """The test accuracy after training with these pixels alone; the others are the mean over training images."""
    train, test = pixels(DIGITS.train), pixels(DIGITS.test)
    mean = train.pixels.mean(0, keepdim=True)
    mask = torch.zeros(64).index_fill(0, kept, 1.0).view(1, 1, 8, 8)
    changed = [
        TensorSplit(mask * split.pixels + (1 - mask) * mean, split.labels, split.classes) for split in (train, test)
    ]
    return trained(changed[0], changed[1], seed)[1]


@pytest.mark.slow
def test_what_is_important_suffices_and_what_is_not_does_not() -> None:
    train, test = pixels(DIGITS.train), pixels(DIGITS.test)
    network, clean = trained(train, test, 0)
    assert clean > 0.93
    explainer = NormLime(Lime(Pixels(), masks=512, baseline=0.0), by="global").fit(network, train.pixels[:300])
    assert explainer.learned is not None
    ranking = explainer.learned.importance.top(0, 64)
    random = [torch.randperm(64, generator=torch.Generator().manual_seed(seed)) for seed in range(2)]
    kept, left = retrained(ranking[:16], 1), retrained(ranking[40:], 1)
    kept_at_random = sum(retrained(order[:16], 1) for order in random) / len(random)
    left_at_random = sum(retrained(order[40:], 1) for order in random) / len(random)
    assert kept >= kept_at_random + 0.1, "the best 16 pixels tell more than any 16"
    assert left <= left_at_random - 0.3, "without the best 40 less is left than without any 40"

"""Stability and sparsity of explanations against Quantus, on the same neighbours."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.evaluate.explanations import LocalLipschitz, MaxSensitivity, Sparsity
from pellucid.explainers import Gradient
from pellucid.norms import Linf
from pellucid.randomness import Noise

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import quantus  # pyright: ignore[reportMissingTypeStubs]

EPS, DRAWS, IMAGES = 0.1, 5, 20


@pytest.fixture
def some(exact_digits: Batch) -> Batch:
    return Batch(exact_digits.x[:IMAGES], exact_digits.y[:IMAGES])


def as_ours(batch: Batch) -> Callable[..., Any]:
    """A perturbation that gives Quantus our neighbours, draw by draw."""
    number = -1

    def perturb(arr: Any, **_: object) -> Any:
        nonlocal number
        number += 1
        noise = Noise(0, batch.index).stream("neighbour", number)
        return (batch.x + Linf().random(batch.x, EPS, noise)).clamp(0, 1).numpy().reshape(arr.shape)

    return perturb


def explained(model: nn.Module, inputs: Any, targets: Any, **_: object) -> Any:
    return Gradient()(model, torch.as_tensor(inputs), torch.as_tensor(targets)).map.numpy()


def theirs(metric: Any, model: nn.Module, batch: Batch) -> Tensor:
    x, y = batch.x.numpy(), batch.y.numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = metric(
            model=model,
            x_batch=x,
            y_batch=y,
            a_batch=explained(model, x, y),
            explain_func=explained,
            softmax=False,
            device="cpu",
        )
    return torch.as_tensor(np.asarray(found), dtype=torch.float64)


@pytest.mark.parametrize("absolute", [False, True])
def test_max_sensitivity(exact_network: nn.Module, some: Batch, absolute: bool) -> None:
    metric: Any = quantus.MaxSensitivity(
        nr_samples=DRAWS, abs=absolute, perturb_func=as_ours(some), disable_warnings=True
    )
    ours = MaxSensitivity(EPS, DRAWS, "absolute" if absolute else "signed")
    found = ours(exact_network, some.x, some.y, explainer=Gradient()).value
    assert torch.allclose(found, theirs(metric, exact_network, some), rtol=1e-5)


@pytest.mark.parametrize("normalised", [False, True])
def test_local_lipschitz(exact_network: nn.Module, some: Batch, normalised: bool) -> None:
    metric: Any = quantus.LocalLipschitzEstimate(
        nr_samples=DRAWS,
        normalise=normalised,
        # by itself it divides by the largest value of all images together
        normalise_func_kwargs={"normalise_axes": [1, 2, 3]},
        perturb_func=as_ours(some),
        disable_warnings=True,
    )
    ours = LocalLipschitz(EPS, DRAWS, "signed", "largest" if normalised else "none")
    found = ours(exact_network, some.x, some.y, explainer=Gradient()).value
    assert torch.allclose(found, theirs(metric, exact_network, some), rtol=1e-5)


def test_sparsity(exact_network: nn.Module, some: Batch) -> None:
    metric: Any = quantus.Sparseness(abs=True, normalise=False, disable_warnings=True)
    ours = Sparsity()(exact_network, some.x, some.y, explainer=Gradient()).value
    # theirs adds 1e-7 to every value
    assert torch.allclose(ours, theirs(metric, exact_network, some), atol=1e-5)

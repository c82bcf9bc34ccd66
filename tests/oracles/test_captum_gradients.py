"""Gradient explainers against captum, on the same noise and at the same places."""

import math
from typing import Any

import pytest
import torch
from captum.attr import InputXGradient, NoiseTunnel, Saliency
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.explain import (
    Explainer,
    Gradient,
    InputTimesGradient,
    IntegratedGradients,
    SmoothGrad,
    SmoothGradSquared,
    VarGrad,
)
from pellucid.explain.quadrature import Rule
from pellucid.randomness import Noise

SIGMA, SAMPLES = 0.15, 7


@pytest.fixture
def some(digits: Batch) -> Batch:
    return Batch(digits.x[:20], digits.y[:20])


def same(ours: Tensor, theirs: Tensor, within: float = 1e-5) -> bool:
    theirs = theirs.detach()  # captum's may hang on a graph
    return float((ours - theirs).abs().max() / theirs.abs().max()) < within


def test_the_gradient(digits_network: nn.Module, some: Batch) -> None:
    theirs = Saliency(digits_network).attribute(some.x.clone().requires_grad_(), target=some.y, abs=False)
    assert same(Gradient().on(digits_network, some).map, theirs, 1e-6)


def test_input_times_gradient(digits_network: nn.Module, some: Batch) -> None:
    theirs = InputXGradient(digits_network).attribute(some.x.clone().requires_grad_(), target=some.y)
    assert same(InputTimesGradient().on(digits_network, some).map, theirs, 1e-6)


@pytest.mark.parametrize("steps", [2, 9, 50])
@pytest.mark.parametrize("baseline", [0.0, 0.5])
@pytest.mark.parametrize(
    ("rule", "method"),
    [
        ("midpoint", "riemann_middle"),
        ("left", "riemann_left"),
        ("right", "riemann_right"),
        ("trapezoid", "riemann_trapezoid"),
        ("gauss-legendre", "gausslegendre"),
    ],
)
def test_integrated_gradients(
    digits_network: nn.Module, some: Batch, rule: Rule, method: str, baseline: float, steps: int
) -> None:
    # in float64: a unit that switches at a place of the way is on either side by rounding alone
    model, x = nn.Sequential(digits_network).double(), some.x.double()
    try:
        for times_input in (True, False):
            peer = CaptumIntegratedGradients(model, multiply_by_inputs=times_input)
            theirs = peer.attribute(x, baselines=baseline, target=some.y, n_steps=steps, method=method)
            if rule == "trapezoid":
                theirs = theirs * steps / (steps - 1)  # the weights of theirs sum to less than 1
            explainer = IntegratedGradients(baseline, steps, rule, math.inf, times_input)
            assert same(explainer(model, x, some.y).map, theirs, 1e-6)
    finally:
        digits_network.float()


@pytest.mark.parametrize(
    ("explainer", "kind"),
    [
        (SmoothGrad(SAMPLES, SIGMA, clean=False, clip=False), "smoothgrad"),
        (SmoothGradSquared(SAMPLES, SIGMA), "smoothgrad_sq"),
        (VarGrad(SAMPLES, SIGMA), "vargrad"),
    ],
)
def test_noise_tunnels(
    digits_network: nn.Module, some: Batch, explainer: Explainer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise, copies = Noise(0, some.index), iter(range(SAMPLES))

    def ours(mean: float, deviation: Tensor) -> Tensor:
        drawn = noise.stream("smoothgrad", next(copies)).normal(*some.x.shape[1:])
        return mean + deviation * drawn

    tunnel: Any = NoiseTunnel(Saliency(digits_network))
    with monkeypatch.context() as patch:
        patch.setattr(torch, "normal", ours)
        theirs = tunnel.attribute(
            some.x, nt_type=kind, nt_samples=SAMPLES, nt_samples_batch_size=1, stdevs=SIGMA, target=some.y, abs=False
        )
    assert next(copies, None) is None, "each copy was drawn once"
    assert same(explainer.on(digits_network, some).map, theirs)

"""Gradient explainers against captum, on the same noise and at the same places."""

import math
from typing import Any

import pytest
import torch
from captum.attr import InputXGradient, NoiseTunnel, Saliency
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.explainers import (
    Explainer,
    Gradient,
    InputTimesGradient,
    IntegratedGradients,
    SmoothGrad,
    SmoothGradSquared,
    VarGrad,
)
from pellucid.explainers.integrated_gradients import Quadrature
from pellucid.randomness import Noise

SIGMA, SAMPLES = 0.15, 7


@pytest.fixture
def some(exact_digits: Batch) -> Batch:
    return Batch(exact_digits.x[:20], exact_digits.y[:20])


def same(ours: Tensor, theirs: Tensor, within: float = 1e-9) -> bool:
    theirs = theirs.detach()  # captum's may hang on a graph
    return float((ours - theirs).abs().max() / theirs.abs().max()) < within


def test_the_gradient(exact_network: nn.Module, some: Batch) -> None:
    theirs = Saliency(exact_network).attribute(some.x.clone().requires_grad_(), target=some.y, abs=False)
    assert same(Gradient().on(exact_network, some).map, theirs)


def test_input_times_gradient(exact_network: nn.Module, some: Batch) -> None:
    theirs = InputXGradient(exact_network).attribute(some.x.clone().requires_grad_(), target=some.y)
    assert same(InputTimesGradient().on(exact_network, some).map, theirs)


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
    exact_network: nn.Module, some: Batch, rule: Quadrature, method: str, baseline: float, steps: int
) -> None:
    for times_input in (True, False):
        peer = CaptumIntegratedGradients(exact_network, multiply_by_inputs=times_input)
        theirs = peer.attribute(some.x, baselines=baseline, target=some.y, n_steps=steps, method=method)
        if rule == "trapezoid":
            theirs = theirs * steps / (steps - 1)  # the weights of theirs sum to less than 1
        explainer = IntegratedGradients(baseline, steps, rule, math.inf, times_input)
        # theirs has float32 weights of the trapezoid
        assert same(explainer.on(exact_network, some).map, theirs, 1e-6)


@pytest.mark.parametrize(
    ("explainer", "kind"),
    [
        (SmoothGrad(SAMPLES, SIGMA, clean=False, clip=False), "smoothgrad"),
        (SmoothGradSquared(SAMPLES, SIGMA), "smoothgrad_sq"),
        (VarGrad(SAMPLES, SIGMA), "vargrad"),
    ],
)
def test_noise_tunnels(
    exact_network: nn.Module, some: Batch, explainer: Explainer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise, copies = Noise(0, some.index), iter(range(SAMPLES))

    def ours(mean: float, deviation: Tensor) -> Tensor:
        drawn = noise.stream("smoothgrad", next(copies)).normal(*some.x.shape[1:])
        return mean + deviation * drawn

    tunnel: Any = NoiseTunnel(Saliency(exact_network))
    with monkeypatch.context() as patch:
        patch.setattr(torch, "normal", ours)
        theirs = tunnel.attribute(
            some.x, nt_type=kind, nt_samples=SAMPLES, nt_samples_batch_size=1, stdevs=SIGMA, target=some.y, abs=False
        )
    assert next(copies, None) is None, "each copy was drawn once"
    assert same(explainer.on(exact_network, some).map, theirs)

"""The objective of Noack et al. (2021) in numbers that their code gives on a network and images in closed form.

Parameters, images and maps are sines, so that no generator has to agree. The lengths of the parameters' gradients
need every second derivative.
"""

import math

import pytest
import torch
from torch import Tensor, nn

from pellucid import models
from pellucid.batch import Batch
from pellucid.objectives import Align, CrossEntropy, GradientMatch, GradientNorm, JacobianNorm
from pellucid.probe import Probe
from pellucid.train.references import thresholded

LABELS = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6])
POSITIONS = torch.arange(8 * 784, dtype=torch.float64)
IMAGES = (0.5 + 0.5 * (0.1 * POSITIONS).sin()).float().view(8, 1, 28, 28)
MAPS = (0.05 * POSITIONS + 0.3).cos().float().view(8, 1, 28, 28)


def network() -> nn.Module:
    model = models.build("simple-cnn", shape=(1, 28, 28)).eval()
    for number, (name, parameter) in enumerate(model.named_parameters()):
        scale = parameter[0].numel() ** -0.5 if name.endswith("weight") else 0.01
        entries = torch.arange(parameter.numel(), dtype=torch.float64)
        parameter.data = (scale * (0.37 * entries + number).sin()).float().view(parameter.shape)
    return model


def probe(model: nn.Module, threshold: float = 0.0) -> Probe:
    maps = thresholded(MAPS, threshold) if threshold else MAPS
    return Probe(model, Batch(IMAGES, LABELS, {"reference": maps}), seed=0)


def close(value: Tensor, *expected: float) -> bool:
    """Within 1e-4, and a little more where a logit is near zero."""
    return torch.allclose(value.detach().flatten(), torch.tensor(expected), rtol=1e-4, atol=1e-6)


def test_the_network() -> None:
    model = network()
    assert sum(parameter.numel() for parameter in model.parameters()) == 3_274_634
    here = probe(model)
    assert close(here.logits[0, :4], 0.061948, -0.049337, -0.009046, 0.079735)
    assert close(CrossEntropy()(here), 2.3079720)


def test_lengths() -> None:
    here = probe(network())
    lengths = here.gradient("label-logit").flatten(1).norm(dim=1)
    assert close(lengths, 0.178222, 0.137844, 0.129025, 0.110950, 0.034271, 0.092089, 0.079057, 0.066932)
    assert close(GradientNorm(reduction="batch")(here), 0.3163954)
    assert close(GradientNorm(reduction="rms")(here), 0.3163954 / math.sqrt(8))
    assert close(GradientNorm(of="loss", reduction="batch")(here), 0.03933723)
    assert close(JacobianNorm(projections="all", reduction="batch")(here), 1.232379)


@pytest.mark.parametrize(
    ("threshold", "kept", "total", "direction", "match"),
    [
        (0.0, 6272, -11.04114, 0.9901602, 55.953999),
        (1.0, 3124, -2.95278, 1.0062206, 50.542587),
        (1.25, 1920, 6.15285, 1.0127314, 42.103848),
    ],
)
def test_directions(threshold: float, kept: int, total: float, direction: float, match: float) -> None:
    here = probe(network(), threshold)
    maps = here.batch.column("reference")
    assert int((maps != 0).sum()) == kept
    assert float(maps.double().sum()) == pytest.approx(total, rel=1e-4)
    assert close(Align()(here), direction)
    assert close(GradientMatch(reduction="batch")(here), match)


@pytest.mark.parametrize("reduction", ["batch", "rms"])
def test_the_whole_and_its_second_derivatives(reduction: str) -> None:
    model = network()
    magnitude = GradientNorm(reduction="batch") if reduction == "batch" else math.sqrt(8) * GradientNorm()
    loss = (CrossEntropy() + 3.0 * Align() + 0.15 * magnitude)(probe(model, 1.0))
    assert close(loss, 5.3740926)
    loss.backward()
    for name, expected in (("conv1.weight", 0.102556), ("fc2.weight", 24.710915), ("fc2.bias", 0.2419483)):
        gradient = model.get_parameter(name).grad
        assert gradient is not None
        assert close(gradient.norm(), expected)

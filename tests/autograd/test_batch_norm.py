from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import grad, gradcheck, gradgradcheck

from pellucid.autograd import fast_second_order


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=dtype).requires_grad_()


def normalize(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    with fast_second_order() as block:
        output = F.batch_norm(x, None, None, weight, bias, training=True, eps=0.05)
    assert block.exchanged
    return output


AFFINE = pytest.mark.parametrize(
    "parameters", [(), (normal(2),), (normal(2), normal(2) + 1)], ids=["plain", "weight", "weight-and-bias"]
)


@AFFINE
def test_derivatives_are_those_of_finite_differences(parameters: Sequence[Tensor]) -> None:
    inputs = (normal(3, 2, 2, 3), *(parameter.detach().requires_grad_() for parameter in parameters))
    assert gradcheck(normalize, inputs)
    assert gradgradcheck(normalize, inputs)  # with cotangents for all three of the first gradients


@AFFINE
def test_third_derivatives_are_right_too(parameters: Sequence[Tensor]) -> None:
    inputs = (normal(2, 2, 2, 1), *(parameter.detach().requires_grad_() for parameter in parameters))

    def gradient(*inputs: Tensor) -> tuple[Tensor, ...]:
        return grad(normalize(*inputs).pow(3).sum(), inputs[:2], create_graph=True)

    assert gradgradcheck(gradient, inputs)


def test_a_weight_of_zero_has_a_derivative() -> None:
    x, weight = normal(3, 2, 2, 3), torch.zeros(2, dtype=torch.float64).requires_grad_()
    assert gradgradcheck(normalize, (x, weight))


def test_the_gradients_of_parameters_alone_differentiate() -> None:
    x, weight, bias = normal(3, 2, 2, 3), normal(2), normal(2)

    def gradients(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        return grad(normalize(x, weight, bias).pow(3).sum(), (weight, bias), create_graph=True)

    assert gradcheck(gradients, (x, weight, bias))


@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": None}, {"momentum": 0.3, "eps": 1e-2}, {"affine": False}, {"track_running_stats": False}],
    ids=str,
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_layers_agree_with_pytorch_and_leave_the_same_statistics(
    options: dict[str, Any], dtype: torch.dtype, tolerance: float
) -> None:
    results: list[list[Tensor]] = []
    for fast in (False, True):
        layer = nn.BatchNorm2d(3, **options).to(dtype)
        x = normal(5, 3, 4, 3, dtype=dtype)
        with fast_second_order() if fast else nullcontext():
            output = layer(layer(x))  # the second pass meets statistics that the first one moved
        (first,) = grad(output.sin().sum(), x, create_graph=True)
        second = grad(first.square().sum(), (x, *layer.parameters()), materialize_grads=True)
        results.append([output, first, *second, *layer.buffers()])
    for expected, got in zip(*results, strict=True):
        scale = float(expected.detach().abs().max())
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance * scale)


def test_one_number_per_channel_is_refused_in_pytorchs_words() -> None:
    with fast_second_order(), pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        nn.BatchNorm2d(2)(torch.ones(1, 2, 1, 1))


def test_evaluation_mode_stays_pytorchs() -> None:
    with fast_second_order() as block:
        nn.BatchNorm2d(2).eval()(torch.ones(3, 2, 2, 2))
    assert not block.exchanged

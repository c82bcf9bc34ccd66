from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import grad, gradcheck, gradgradcheck
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.autograd import fast_second_order


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=dtype).requires_grad_()


def fast(*arguments: Any) -> Tensor:
    with fast_second_order() as block:
        output = torch.conv2d(*arguments)
    assert block.exchanged
    return output


GEOMETRIES = [
    # channels, outputs, groups, kernel, stride, padding, dilation
    (2, 3, 1, (3, 3), 1, 1, 1),
    (4, 2, 1, (3, 3), 2, 1, 1),
    (5, 2, 1, (3, 2), (2, 1), (0, 1), 1),
    (4, 4, 2, (2, 3), (1, 2), 0, (2, 1)),
    (4, 4, 4, (3, 3), 2, (1, 2), 1),
    (4, 2, 1, (1, 1), 1, 0, 1),
    (1, 2, 1, (1, 1), 2, 0, 1),
    (3, 2, 1, (2, 2), 3, 1, 2),
]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_derivatives_are_those_of_finite_differences(case: tuple[Any, ...], bias: bool) -> None:
    channels, outputs, groups, kernel, stride, padding, dilation = case
    x, weight = normal(2, channels, 5, 6), normal(outputs, channels // groups, *kernel)
    inputs = (x, weight, normal(outputs)) if bias else (x, weight)

    def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return fast(x, weight, bias, stride, padding, dilation, groups)

    assert gradcheck(convolve, inputs)
    assert gradgradcheck(convolve, inputs, fast_mode=True)


def test_third_derivatives_are_right_too() -> None:
    x, weight = normal(1, 4, 3, 3), normal(1, 4, 2, 2)

    def gradient(x: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        return grad(fast(x, weight).pow(3).sum(), (x, weight), create_graph=True)

    assert gradgradcheck(gradient, (x, weight))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["rows", "channels-last"])
@pytest.mark.parametrize("channels", [3, 16])
def test_single_precision_agrees_with_pytorch(channels: int, layout: torch.memory_format) -> None:
    x = normal(4, channels, 9, 9, dtype=torch.float32).detach().to(memory_format=layout).requires_grad_()
    weight = normal(8, channels, 3, 3, dtype=torch.float32).detach().to(memory_format=layout).requires_grad_()
    derivatives: list[tuple[Tensor, ...]] = []
    functions: list[Callable[..., Tensor]] = [torch.conv2d, fast]
    for convolve in functions:
        output = convolve(x, weight, None, 2, 1)
        (first,) = grad(output.sin().sum(), x, create_graph=True)
        derivatives.append((output, first, *grad(first.square().sum(), (x, weight))))
    for expected, got in zip(*derivatives, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5 * float(expected.detach().abs().max()))


class Counter(TorchDispatchMode):
    """Counts the kernels of a convolution's backward pass, by what they compute."""

    def __init__(self) -> None:
        super().__init__()
        self.masks: list[tuple[bool, ...]] = []
        self.forwards = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten.convolution_backward.default:
            self.masks.append(tuple(args[-1]))
        self.forwards += func is torch.ops.aten.convolution.default
        return func(*args, **(kwargs or {}))


def test_only_what_is_asked_for_is_computed_and_a_second_derivative_doubles_a_step() -> None:
    network = nn.Sequential(nn.Conv2d(4, 5, 3), nn.Tanh(), nn.Conv2d(5, 6, 3), nn.Tanh()).double()
    x = normal(2, 4, 7, 7)
    data, weights = (True, False, False), (False, True, False)
    with Counter() as first, fast_second_order():
        (gradient,) = grad(network(x).sum(), x, create_graph=True)
    assert (first.forwards, first.masks) == (2, [data] * 2)
    with Counter() as second:
        gradient.square().sum().backward(inputs=list(network.parameters()))
    # two layers: for the penalty a pass forward and weights; then back through the network, but not to the images
    assert second.forwards == 2
    assert sorted(second.masks) == [weights] * 4 + [data]

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import grad, gradcheck, gradgradcheck

from pellucid.autograd import fast_second_order

FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "module": nn.ReLU(),
    "function": F.relu,
    "torch": torch.relu,
    "method": torch.Tensor.relu,
}


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("name", FORMS)
def test_every_form_has_the_derivatives_of_finite_differences(name: str) -> None:
    def cubed(x: Tensor) -> Tensor:
        with fast_second_order():
            return FORMS[name](x).pow(3)

    x = normal(2, 2, 3, 3)
    assert gradcheck(cubed, x)
    assert gradgradcheck(cubed, x)
    with fast_second_order():
        assert "ReLUBackward" == type(FORMS[name](x).grad_fn).__name__


def test_third_derivatives_are_right_too() -> None:
    def gradient(x: Tensor) -> Tensor:
        with fast_second_order():
            output = F.relu(x).pow(4)
        return grad(output.sum(), x, create_graph=True)[0]

    assert gradgradcheck(gradient, normal(3, 4))


def test_at_zero_the_slope_is_zero() -> None:
    x = torch.zeros(3).requires_grad_()
    with fast_second_order():
        (gradient,) = grad(F.relu(x).sum(), x, create_graph=True)
    assert torch.equal(gradient, torch.zeros(3))


def test_in_place_stays_pytorchs() -> None:
    with fast_second_order():
        y = F.relu(normal(3) + 0, inplace=True)
    assert type(y.grad_fn).__name__ == "ReluBackward0"


def test_vectors_do_not_count_as_exchanged_images() -> None:
    with fast_second_order() as block:
        F.relu(normal(3, 4))
    assert not block.exchanged

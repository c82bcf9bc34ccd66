import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import grad
from torch.utils.checkpoint import checkpoint

from attentive import SPELLINGS, Spelling, Transformer
from pellucid import models
from pellucid.autograd import fast_second_order
from pellucid.batch import Batch
from pellucid.objectives import CrossEntropy, GradientNorm, JacobianNorm, Objective
from pellucid.probe import Probe


def rand(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


OBJECTIVES = {
    "logit": CrossEntropy() + 0.1 * GradientNorm(),
    "loss": CrossEntropy() + 0.1 * GradientNorm(of="loss"),
    "jacobian": CrossEntropy() + 0.1 * JacobianNorm(projections=2),
}
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "simple-cnn": lambda: models.build("simple-cnn", shape=(3, 8, 8), dropout=0.0),
    "resnet18": lambda: models.build("resnet18", shape=(3, 8, 8), width=8),
}


def step(network: nn.Module, objective: Objective, x: Tensor, y: Tensor) -> list[Tensor]:
    """The loss, the input gradient, the parameters' gradients and the buffers after one step."""
    probe = Probe(network, Batch(x, y))
    loss = objective(probe)
    parameters = list(network.parameters())
    return [loss.detach(), probe.gradient("loss").detach(), *grad(loss, parameters), *network.buffers()]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)], ids=["32", "64"])
@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=list(OBJECTIVES))
@pytest.mark.parametrize("network", NETWORKS)
def test_a_training_step_agrees_with_pytorchs(
    network: str, objective: Objective, dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = NETWORKS[network]().to(dtype).train()
    theirs = copy.deepcopy(ours)
    x, y = rand(16, 3, 8, 8, dtype=dtype), torch.arange(16) % 10
    got = step(ours, objective, x, y)

    def plain(*, third_order: bool) -> AbstractContextManager[None]:
        return nullcontext()

    monkeypatch.setattr("pellucid.probe.fast_second_order", plain)
    for ours_one, theirs_one in zip(got, step(theirs, objective, x, y), strict=True):
        distance = torch.linalg.vector_norm((ours_one - theirs_one).double())
        assert float(distance) <= tolerance * max(float(torch.linalg.vector_norm(theirs_one.double())), 1e-3)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=list(OBJECTIVES))
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_attention_is_differentiated_twice_however_it_is_written(spelling: Spelling, objective: Objective) -> None:
    """PyTorch itself has no second derivative of fused attention."""
    x, y = rand(6, 1, 8, 8, dtype=torch.float64), torch.arange(6) % 4
    found, expected = (step(Transformer(one).train(), objective, x, y) for one in (spelling, "matmul"))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


def test_attention_that_is_asked_for_its_weights_gives_them() -> None:
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True), rand(2, 5, 8).requires_grad_()
    with fast_second_order():
        found, weights = layer(x, x, x)
        assert layer(x, x, x, need_weights=False)[1] is None
    expected, theirs = layer(x, x, x)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(weights, theirs)


def convolutional(dtype: torch.dtype = torch.float64) -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Softplus(), nn.Conv2d(3, 2, 3), nn.Flatten())
        return nn.Sequential(*layers).to(dtype)


def second(network: Callable[[Tensor], Tensor], x: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
    (first,) = grad(network(x).square().sum(), x, create_graph=True)
    return grad(first.square().sum(), parameters)


@pytest.mark.parametrize("batched", ["grad", "vmap"])
def test_batched_gradients_keep_their_graph(batched: str) -> None:
    network = convolutional()
    x = rand(3, 2, 4, 4, dtype=torch.float64).requires_grad_()
    with fast_second_order() as block:
        output = network(x)
    assert block.exchanged
    weights = rand(4, *output.shape, dtype=torch.float64)
    if batched == "grad":
        (together,) = grad(output, x, weights, create_graph=True, is_grads_batched=True)
    else:

        def pullback(weight: Tensor) -> Tensor:
            return grad(output, x, weight, create_graph=True)[0]

        together = torch.vmap(pullback)(weights)
    apart = torch.stack([grad(output, x, weight, create_graph=True)[0] for weight in weights])
    torch.testing.assert_close(together, apart)
    parameters = list(network.parameters())
    for expected, got in zip(
        grad(apart.square().sum(), parameters, retain_graph=True, materialize_grads=True),
        grad(together.square().sum(), parameters, materialize_grads=True),
        strict=True,
    ):
        torch.testing.assert_close(got, expected)


WEIGHT = rand(2, 2, 3, 3)
LEFT_ALONE: dict[str, Callable[[], Tensor]] = {
    "padding in words": lambda: F.conv2d(rand(1, 2, 4, 4).requires_grad_(), WEIGHT, padding="same"),
    "one image": lambda: F.conv2d(rand(2, 4, 4).requires_grad_(), WEIGHT),
    "no image": lambda: F.conv2d(rand(0, 2, 4, 4).requires_grad_(), WEIGHT),
    "one dimension": lambda: F.conv1d(rand(1, 2, 4).requires_grad_(), WEIGHT[..., 0]),
    "transposed": lambda: F.conv_transpose2d(rand(1, 2, 4, 4).requires_grad_(), WEIGHT),
    "complex": lambda: F.conv2d(rand(1, 2, 4, 4).to(torch.complex64).requires_grad_(), WEIGHT.to(torch.complex64)),
    "half precision": lambda: F.conv2d(rand(1, 2, 4, 4).bfloat16().requires_grad_(), WEIGHT.bfloat16()),
    "no gradients": torch.no_grad()(lambda: F.conv2d(rand(1, 2, 4, 4), WEIGHT)),
    "flat batch": lambda: F.batch_norm(rand(4, 2).requires_grad_(), None, None, training=True),
    "evaluation": lambda: F.batch_norm(rand(2, 2, 4, 4).requires_grad_(), torch.zeros(2), torch.ones(2)),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_not_covered_stays_pytorchs(name: str) -> None:
    with fast_second_order() as block:
        output = LEFT_ALONE[name]()
    assert not block.exchanged
    assert torch.equal(output, LEFT_ALONE[name]())


def test_automatic_mixed_precision_stays_pytorchs() -> None:
    with fast_second_order() as block, torch.autocast("cpu", torch.bfloat16):
        output = convolutional(torch.float32)(rand(3, 2, 4, 4).requires_grad_())
    assert output.dtype == torch.bfloat16
    assert not block.exchanged


def test_functional_transforms_work_inside_and_are_left_alone() -> None:
    network = convolutional().eval()
    x, weight = rand(3, 2, 4, 4, dtype=torch.float64), WEIGHT.double()

    def total(x: Tensor) -> Tensor:
        return network(x).square().sum()

    def one(image: Tensor) -> Tensor:
        return torch.conv2d(image[None], weight)[0]

    with fast_second_order() as block:
        gradient, rows = torch.func.grad(total)(x), torch.vmap(one)(x)
    assert not block.exchanged
    torch.testing.assert_close(gradient, torch.func.grad(total)(x))
    torch.testing.assert_close(rows, torch.conv2d(x, weight))


def test_a_checkpointed_part_meets_the_same_saved_tensors_when_it_is_recomputed() -> None:
    network = convolutional()
    x = rand(3, 2, 4, 4, dtype=torch.float64).requires_grad_()
    parameters = [parameter for parameter in network.parameters() if parameter.dim() == 4]

    def partly(x: Tensor) -> Tensor:
        with fast_second_order():
            return network[3:](checkpoint(network[:3], x, use_reentrant=False))

    for expected, got in zip(second(network, x, *parameters), second(partly, x, *parameters), strict=True):
        torch.testing.assert_close(got, expected)


def test_errors_are_pytorchs_and_leave_nothing_behind() -> None:
    x = rand(1, 2, 4, 4).requires_grad_()
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 2 channels instead"), fast_second_order():
        F.conv2d(x, rand(2, 3, 3, 3))
    assert type(F.conv2d(x, WEIGHT).grad_fn).__name__ == "ConvolutionBackward0"


def test_a_network_is_unchanged_by_the_block() -> None:
    network = convolutional()
    with fast_second_order():
        network(rand(3, 2, 4, 4, dtype=torch.float64))
        twin = copy.deepcopy(network)
    state = twin.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())


def test_a_value_changed_in_place_is_noticed() -> None:
    x, weight = rand(1, 2, 4, 4).requires_grad_(), WEIGHT.clone().requires_grad_()
    with fast_second_order():
        output = F.conv2d(x, weight)
    with torch.no_grad():
        weight += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        grad(output.sum(), x)

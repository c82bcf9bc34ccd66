"""Relevance through transformers: attention in every spelling, normalizations, gates."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attentive import SPELLINGS, WIDTH, Spelling, Transformer
from networks import images
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.explainers import LRP
from pellucid.explainers.propagation import COMPOSITES, Relevance, propagated
from pellucid.explainers.propagation.calls import Back, Call, Signals
from pellucid.probe import Probe

X = images(3, 1, 8, 8)
TINY = 1e-12


def by_hand(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    found = (x - mean) / ((x - mean).square().mean(-1, keepdim=True) + norm.eps).sqrt()
    return found * norm.weight + norm.bias if norm.elementwise_affine else found


def by_inverse(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    scale = torch.rsqrt(x.var(-1, keepdim=True, correction=0) + norm.eps)
    found = (x - x.mean(-1, keepdim=True)) * scale
    return found * norm.weight + norm.bias if norm.elementwise_affine else found


def cut(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    """A normalization whose deviation is a constant to gradients."""
    scale = torch.rsqrt(x.var(-1, keepdim=True, correction=0) + norm.eps).detach()
    found = (x - x.mean(-1, keepdim=True)) * scale
    return found * norm.weight + norm.bias if norm.elementwise_affine else found


def relevance(model: nn.Module, of: int = 1, composite: str = "epsilon") -> Tensor:
    return LRP(composite, TINY)(model, X, of).map


@pytest.mark.parametrize("masked", [False, True])
def test_epsilon_is_the_input_times_the_gradient_of_a_network_with_constants_in_it(masked: bool) -> None:
    """Deviations are constants, activations constant factors, and half a product's gradient goes to each factor."""

    def halved(found: Tensor) -> Tensor:
        return (found + found.detach()) / 2

    def constant_slope(x: Tensor) -> Tensor:
        return x * (F.gelu(x) / x).detach()

    model = Transformer("matmul", masked=masked, steps=halved, norm=cut, activation=constant_slope)
    torch.testing.assert_close(model(X), Transformer(masked=masked)(X))
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[:, 1].sum(), x)
    torch.testing.assert_close(relevance(Transformer(masked=masked)), X * gradient, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("composite", ["epsilon", "epsilon-plus", "epsilon-gamma"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_it_does_not_matter_how_attention_is_written(spelling: Spelling, masked: bool, composite: str) -> None:
    found = relevance(Transformer(spelling, masked=masked), composite=composite)
    expected = relevance(Transformer("matmul", masked=masked), composite=composite)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("norm", [by_hand, by_inverse])
def test_it_does_not_matter_how_a_normalization_is_written(norm: Callable[[nn.LayerNorm, Tensor], Tensor]) -> None:
    torch.testing.assert_close(relevance(Transformer(norm=norm)), relevance(Transformer()), rtol=1e-6, atol=1e-9)


def accounted(model: nn.Module, of: int, composite: str) -> tuple[Tensor, dict[str, float]]:
    """The relevance of pixels, and how much of it each function has kept."""
    kept, treatment = defaultdict[str, float](float), Relevance(COMPOSITES[composite](TINY, 0.25), TINY, "merged")

    def watched(call: Call) -> Back:
        back = treatment(call)

        def passing(arrived: Signals) -> Signals:
            sent = back(arrived)
            kept[call.name] += float(sum(one.sum() for one in arrived.values()))
            kept[call.name] -= float(sum(one.sum() for one in sent.values()))
            return sent

        return passing

    probe = Probe(model, Batch(X, torch.full((len(X),), of)), second_order=False)
    found = propagated(probe, probe.y, watched, lambda logits: logits)
    return found, kept


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_does_not_arrive_was_kept_by_a_function_that_keeps_some(spelling: Spelling, bias: bool) -> None:
    """Constants keep their share, and the softmax the share of terms that hang on no input; nobody else any."""
    for of in range(4):
        model = Transformer(spelling, bias=bias)
        found, kept = accounted(model, of, "epsilon")
        due = model(X)[:, of].sum().detach()
        torch.testing.assert_close(found.sum() + sum(kept.values()), due, rtol=1e-6, atol=1e-9)
        keepers = {"softmax", "cat", *(("linear", "conv2d", "layer_norm", "add") if bias else ())}
        lost = {name for name, share in kept.items() if abs(share) > 1e-6 * float(due.abs())}
        assert lost <= keepers and "softmax" in lost


class Linear(nn.Module):
    """Attention without a softmax: x times (x x') times a sum of x, three factors in all; with and without gates."""

    def __init__(self, *, gated: bool) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.gated = gated
        self.query, self.key, self.value = (nn.Linear(8, 8, bias=False) for _ in range(3))
        self.head = nn.Linear(8, 3, bias=False)
        self.double().eval()

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, 0]
        found = self.query(x) @ self.key(x).mT @ self.value(x)
        if self.gated:
            found = found * F.silu(found.mean(1, keepdim=True)) * self.query(x)
        return self.head(found.sum(1))


@pytest.mark.parametrize("gated", [False, True])
def test_products_alone_keep_nothing(gated: bool) -> None:
    model = Linear(gated=gated)
    for of in range(3):
        total = LRP("epsilon", TINY)(model, X, of).map.flatten(1).sum(1)
        torch.testing.assert_close(total, model(X)[:, of], rtol=1e-6, atol=0)
    single = LRP("epsilon", TINY)(model.float(), X.float(), 0)
    assert single.completeness is not None
    assert float((single.completeness.gap / single.completeness.due).abs().max()) < 1e-4


def test_linear_attention_has_the_relevance_of_its_closed_form() -> None:
    """A quarter goes through queries, a quarter through keys and half through values, each linear in the pixels."""
    model = Linear(gated=False)
    x = X[:, 0]
    names = ("query", "key", "value")
    parts = [x.clone().requires_grad_() for _ in names]
    q, k, v = (getattr(model, name)(part) for name, part in zip(names, parts, strict=True))
    logit = model.head((q @ k.mT @ v).sum(1))[:, 1].sum()
    gradients = torch.autograd.grad(logit, parts)
    expected = sum(share * x * one for share, one in zip((0.25, 0.25, 0.5), gradients, strict=True))
    torch.testing.assert_close(relevance(model)[:, 0], expected, rtol=1e-6, atol=1e-12)


def test_a_tensor_times_itself_has_its_relevance_once() -> None:
    class Squared(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x[:, 0] @ x[:, 0]).sum(1)

    found = LRP("epsilon", TINY)(Squared(), X, 3)
    torch.testing.assert_close(found.map.flatten(1).sum(1), Squared()(X)[:, 3])


class Norms(nn.Module):
    """One normalization of tokens or of maps before a linear head without a bias."""

    def __init__(self, norm: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.features, self.head = nn.Conv2d(1, 6, 3, bias=False), nn.Linear(6, 3, bias=False)
        self.norm = norm
        self.double().eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.features(x)).mean((2, 3)))


NORMS: Sequence[Callable[[Tensor], Tensor]] = (
    lambda x: F.group_norm(x, 2),
    lambda x: F.group_norm(x, 3, torch.arange(1.0, 7).to(x)),
    lambda x: F.instance_norm(x, eps=0.1) + x,
    lambda x: F.layer_norm(x, x.shape[1:]),
    lambda x: F.layer_norm(x.permute(0, 2, 3, 1), [6]).permute(0, 3, 1, 2),
    lambda x: F.normalize(x, dim=1),
    lambda x: F.rms_norm(x.movedim(1, -1), [6], torch.arange(1.0, 7).to(x)).movedim(-1, 1),
    lambda x: F.local_response_norm(x, 3),
)


@pytest.mark.parametrize("norm", NORMS)
def test_normalizations_keep_nothing(norm: Callable[[Tensor], Tensor]) -> None:
    model = Norms(norm)
    for of in range(3):
        total = LRP("epsilon", TINY)(model, X, of).map.flatten(1).sum(1)
        torch.testing.assert_close(total, model(X)[:, of], rtol=1e-6, atol=1e-10)


class Excited(nn.Module):
    """Squeeze and excitation: maps times a gate that is made of their means."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.features, self.head = nn.Conv2d(1, 6, 3, bias=False), nn.Linear(6, 3, bias=False)
        self.down, self.up = nn.Conv2d(6, 2, 1, bias=False), nn.Conv2d(2, 6, 1, bias=False)
        self.double().eval()

    def forward(self, x: Tensor) -> Tensor:
        x = F.hardswish(self.features(x))
        gate = self.up(F.relu(self.down(x.mean((2, 3), keepdim=True)))).sigmoid()
        return self.head((gate * x).mean((2, 3)))


def test_a_gate_keeps_nothing() -> None:
    model = Excited()
    total = relevance(model, 2).flatten(1).sum(1)
    torch.testing.assert_close(total, model(X)[:, 2], rtol=1e-6, atol=1e-12)


def test_maps_are_differentiated_through_attention() -> None:
    """By finite differences of the relevance, for a weight within attention."""
    model = Transformer()
    weight = model.get_parameter("attention.0.inner.in_proj_weight")

    def total() -> Tensor:
        return (LRP("epsilon", 1e-3)(model, X, 1, create_graph=True).map * X).sum()

    (slope,) = torch.autograd.grad(total(), weight)
    at, step = (3, 4), 1e-6
    with torch.no_grad():
        weight[at] += step
    above = float(total().detach())
    with torch.no_grad():
        weight[at] -= 2 * step
    below = float(total().detach())
    assert float(slope[at]) == pytest.approx((above - below) / (2 * step), rel=1e-4)


class Weighing(nn.Module):
    """A network that reads the weights which its attention gives back."""

    def __init__(self, *, averaged: bool) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.inner, self.averaged = nn.MultiheadAttention(8, 2, bias=False, batch_first=True).double(), averaged

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, 0]
        found, weights = self.inner(x, x, x, average_attn_weights=self.averaged)
        weights = weights if self.averaged else weights.sum(1)
        return (weights @ found).sum(1)


@pytest.mark.parametrize("averaged", [True, False])
def test_a_network_may_read_the_weights_of_its_attention(averaged: bool) -> None:
    model = Weighing(averaged=averaged)
    found = LRP("epsilon", TINY)(model, X, 3)
    assert found.completeness is not None
    torch.testing.assert_close(found.completeness.due, model(X)[:, 3].detach())
    assert bool(found.map.flatten(1).any(1).all())


def test_attention_with_keys_of_its_own_is_refused() -> None:
    model = Transformer("module")
    model.attention[0].inner = nn.MultiheadAttention(WIDTH, 2, add_bias_kv=True, batch_first=True).double()
    with pytest.raises(ConfigError, match="keys of its own"):
        LRP()(model, X, 0)

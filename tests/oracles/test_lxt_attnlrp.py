"""Relevance through transformers as lxt computes it, the package of those who published AttnLRP.

lxt says the rules twice: as backward passes of relevance itself (`explicit`), and as changes of a network after which
relevance is input times gradient (`efficient`). The first is asked about small networks in float64, the second about
ViTs of transformers and torchvision.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attentive import WIDTH, Attention, Transformer
from networks import images
from pellucid.explainers import LRP

TINY = 1e-12
X = images(3, 1, 8, 8)
OF = torch.tensor([1, 0, 3])

lxt = pytest.importorskip("lxt", reason="no lxt to compare with; pip install pellucid[oracles]")
lf: Any = importlib.import_module("lxt.explicit.functional")
rules: Any = importlib.import_module("lxt.explicit.rules")


def relevance(network: Callable[[Tensor], Tensor], x: Tensor, of: Tensor) -> Tensor:
    """What arrives at the pixels of the classes' logits, where gradients are relevance."""
    x = x.clone().requires_grad_()
    logits = network(x)
    due = torch.zeros_like(logits).scatter(1, of[:, None], logits.detach().gather(1, of[:, None]))
    (found,) = torch.autograd.grad(logits, x, due)
    return found


def dense(layer: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, nn.Linear)
    return lf.linear_epsilon(x, layer.weight, layer.bias, TINY)


def normed(layer: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, nn.LayerNorm)
    return lf.layer_norm_grad_fn.apply(x, layer.weight, layer.bias, layer.eps, TINY)


def added(first: Tensor, second: Tensor) -> Tensor:
    return lf.add2(first, second, False, TINY)


def attended(layer: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, Attention)
    joint = lf.linear_epsilon(x, layer.inner.in_proj_weight, layer.inner.in_proj_bias, TINY)
    q, k, v = joint.reshape(len(x), -1, 3, 2, WIDTH // 2).permute(2, 0, 3, 1, 4).unbind(0)
    scores = lf.matmul(lf.mul2(q, torch.tensor((WIDTH // 2) ** -0.5).to(q)), k.mT, False, TINY)
    if layer.mask is not None:
        scores = added(scores, layer.mask.to(x).expand_as(scores))
    found = lf.matmul(lf.softmax(scores, -1), v, False, TINY)
    return dense(layer.inner.out_proj, found.transpose(1, 2).flatten(2))


def by_explicit_rules(model: Transformer) -> Callable[[Tensor], Tensor]:
    """The forward pass of the small transformer, in functions whose gradients are relevance."""

    def forward(x: Tensor) -> Tensor:
        x = rules.epsilon_lrp(model.patches, TINY, x).flatten(2).transpose(1, 2)
        x = torch.cat([model.token.expand(len(x), -1, -1), x], 1)
        x = added(x, model.places.expand_as(x))
        for at in range(2):
            x = added(x, attended(model.attention[at], normed(model.norms[2 * at], x)))
            up = dense(model.up[at], normed(model.norms[2 * at + 1], x))
            x = added(x, dense(model.down[at], rules.identity_fn.apply(model.activation, up)))
        return dense(model.head, normed(model.norms[4], x)[:, 0])

    return forward


@pytest.mark.parametrize("activation", [F.gelu, F.silu, F.relu])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_the_rules_of_attention(bias: bool, masked: bool, activation: Callable[[Tensor], Tensor]) -> None:
    model = Transformer("fused", bias=bias, masked=masked, activation=activation)
    twin = by_explicit_rules(model)
    torch.testing.assert_close(twin(X), model(X))
    expected = relevance(twin, X, OF)
    torch.testing.assert_close(LRP("epsilon", TINY)(model, X, OF).map, expected, rtol=1e-6, atol=1e-9)


def test_epsilon_moves_denominators_away_from_zero_and_lxt_adds_it() -> None:
    layer, of = nn.Linear(4, 3).double(), torch.tensor([0, 1])
    layer.weight.data[:] = torch.tensor([[1.0], [-1.0], [0.5]])
    layer.bias.data.zero_()
    x, eps = images(2, 1, 2, 2), 0.25
    z = x.flatten(1).sum(1) * torch.tensor([1, -1])
    theirs = relevance(lambda at: lf.linear_epsilon(at.flatten(1), layer.weight, layer.bias, eps), x, of)
    ours = LRP("epsilon", eps)(nn.Sequential(nn.Flatten(), layer), x, of).map
    shares = x * torch.tensor([1, -1]).reshape(2, 1, 1, 1)
    torch.testing.assert_close(theirs, shares * (z / (z + eps)).reshape(2, 1, 1, 1))
    torch.testing.assert_close(ours, shares * (z / (z + eps * z.sign())).reshape(2, 1, 1, 1))


class Gated(nn.Module):
    """A residual block of RMSNorm and SwiGLU, in functions of PyTorch or in lxt's."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(5)
            self.first, self.gate, self.up = nn.Linear(64, 16), nn.Linear(16, 24), nn.Linear(16, 24)
            self.down, self.head = nn.Linear(24, 16), nn.Linear(16, 4)
            self.scale = nn.Parameter(torch.rand(16) + 0.5)
        self.double().eval()

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.flatten(1))
        inner = F.rms_norm(x, (16,), self.scale, 1e-6)
        x = x + self.down(F.silu(self.gate(inner)) * self.up(inner))
        return self.head(F.normalize(x))

    def by_explicit_rules(self, x: Tensor) -> Tensor:
        x = dense(self.first, x.flatten(1))
        inner = lf.rms_norm_identity(x, self.scale, 1e-6).to(x.dtype)  # which computes in single precision
        gates = rules.identity_fn.apply(F.silu, dense(self.gate, inner))
        x = added(x, dense(self.down, lf.mul2(gates, dense(self.up, inner))))
        return dense(self.head, lf.normalize(x))


def test_gates_and_scales() -> None:
    model = Gated()
    torch.testing.assert_close(model.by_explicit_rules(X), model(X), rtol=1e-5, atol=1e-6)
    expected = relevance(model.by_explicit_rules, X, OF)
    torch.testing.assert_close(LRP("epsilon", TINY)(model, X, OF).map, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture
def patches(monkeypatch: pytest.MonkeyPatch) -> Any:
    """lxt's changes of networks, without the networks: its package imports some that transformers has no more."""
    package = ModuleType("lxt.efficient")
    package.__path__ = [str(Path(lxt.__path__[0], "efficient"))]
    monkeypatch.setitem(sys.modules, "lxt.efficient", package)
    for name in ("lxt.efficient.rules", "lxt.efficient.patches"):
        monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
    return sys.modules["lxt.efficient.patches"]


def with_other_gradients(monkeypatch: pytest.MonkeyPatch, patches: Any, activation: type[nn.Module]) -> None:
    """Normalizations and activations by lxt's rules, until the test ends."""
    monkeypatch.setattr(nn.LayerNorm, "forward", patches.layer_norm_forward)
    monkeypatch.setattr(activation, "original_forward", activation.forward, raising=False)
    monkeypatch.setattr(activation, "forward", patches.non_linear_forward)


def input_times_gradient(network: Callable[[Tensor], Tensor], x: Tensor, of: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(x).gather(1, of[:, None]).sum(), x)
    return x.detach() * gradient


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_a_vit_of_transformers(monkeypatch: pytest.MonkeyPatch, patches: Any, activation: str) -> None:
    transformers: Any = pytest.importorskip(
        "transformers", reason="no transformers; pip install pellucid[huggingface]"
    )
    torch.manual_seed(3)
    config = transformers.ViTConfig(
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=40,
        image_size=16,
        patch_size=4,
        num_labels=4,
        hidden_act=activation,
        initializer_range=0.3,
        attn_implementation="eager",
    )
    inner = transformers.ViTForImageClassification(config).double().eval()

    class Logits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x).logits

    model, x = Logits().eval(), images(3, 3, 16, 16)
    found = LRP("epsilon", TINY)(model, x, OF).map

    kind = type(inner.vit.layers[0].mlp.activation_fn)
    with_other_gradients(monkeypatch, patches, kind)
    modeling: Any = importlib.import_module("transformers.models.vit.modeling_vit")
    attention = patches.wrap_attention_forward(modeling.eager_attention_forward)
    monkeypatch.setattr(modeling, "eager_attention_forward", attention)
    expected = input_times_gradient(model, x, OF)
    # transformers computes the softmax in single precision
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))


def test_a_vit_of_torchvision_whose_queries_and_keys_are_constants(
    monkeypatch: pytest.MonkeyPatch, patches: Any
) -> None:
    """What lxt does by default to torchvision's: no relevance for queries and keys, and all of it for values.

    Ours is the same for a network that takes them for constants. With relevance for them the maps differ.
    """
    reason = "no torchvision to build the network with; pip install torchvision"
    torchvision: Any = pytest.importorskip("torchvision.models", reason=reason)
    torch.manual_seed(3)
    model = torchvision.VisionTransformer(16, 4, 3, 2, 24, 40, num_classes=4).double().eval()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    x = images(3, 3, 16, 16)
    whole = LRP("epsilon", TINY)(model, x, OF).map

    kind = nn.MultiheadAttention
    monkeypatch.setattr(kind, "original_forward", kind.forward, raising=False)
    monkeypatch.setattr(kind, "forward", patches.cp_multi_head_attention_forward)
    found = LRP("epsilon", TINY)(model, x, OF).map

    with_other_gradients(monkeypatch, patches, nn.GELU)
    expected = input_times_gradient(model, x, OF)
    # lxt adds 1e-10 to what an activation's output is divided by
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8 * float(expected.abs().max()))
    assert not torch.allclose(whole, expected, rtol=0.1)

"""Explainers that follow attention: where tokens lie, what flows, and what is refused."""

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attentive import SPELLINGS, Spelling, Transformer
from networks import images
from pellucid.errors import ConfigError
from pellucid.explainers import AttentionRelevance, AttentionRollout, Explainer, named
from pellucid.models.vit import vit

X = images(3, 1, 8, 8)
BOTH = (AttentionRollout(), AttentionRelevance())


class Looking(nn.Module):
    """Patches of 4 x 4 whose `readers` look at the brightest of them, in one layer and one head.

    `before` and `after` are how many tokens of no place stand on either side; the first of them reads, or all places.
    """

    def __init__(
        self,
        *,
        before: int = 0,
        after: int = 0,
        order: Callable[[Tensor], Tensor] = lambda tokens: tokens,
        sharp: float = 1e3,
    ) -> None:
        super().__init__()
        self.before, self.after, self.order, self.sharp = before, after, order, sharp
        self.tokens = nn.Identity()
        self.head = nn.Linear(1, 2).double()

    def forward(self, x: Tensor) -> Tensor:
        patches = self.order(F.avg_pool2d(x, 4).flatten(2).mT)
        rows = len(x)
        ends = [x.new_full((rows, count, 1), -1.0) for count in (self.before, self.after)]
        tokens = self.tokens(torch.cat([ends[0], patches, ends[1]], 1))
        weights = (self.sharp * tokens.mT.expand(-1, tokens.shape[1], -1))[:, None].softmax(-1)
        found = (weights @ tokens[:, None])[:, 0]
        count = patches.shape[1]
        if self.before or self.after:
            return self.head(found[:, 0 if self.before else count])
        return self.head(found.mean(1))


def bright(high: int, wide: int, at: tuple[int, int]) -> Tensor:
    """Gray images with one bright patch."""
    x = torch.full((1, 1, 4 * high, 4 * wide), 0.3, dtype=torch.float64)
    x[..., 4 * at[0] : 4 * at[0] + 4, 4 * at[1] : 4 * at[1] + 4] = 0.9
    return x


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (5, 0), (0, 1), (1, 4)])
@pytest.mark.parametrize(("high", "wide"), [(3, 3), (2, 4), (6, 2)])
@pytest.mark.parametrize("explainer", BOTH, ids=["rollout", "relevance"])
def test_a_map_lies_on_the_image_whatever_stands_beside_its_tokens(
    explainer: Explainer, high: int, wide: int, before: int, after: int
) -> None:
    model = Looking(before=before, after=after, sharp=10.0)
    model.head.weight.data.fill_(1)
    for at in ((0, 0), (high - 1, 0), (1, wide - 1)):
        found = explainer(model, bright(high, wide, at), 1).map[0, 0]
        cells = F.avg_pool2d(found[None], 4)[0]
        assert int(cells.argmax()) == at[0] * wide + at[1]


def test_a_rollout_of_one_layer_is_half_its_attention() -> None:
    model, x = Looking(before=1, sharp=5.0), images(2, 1, 8, 16)
    tokens = torch.cat([x.new_full((2, 1), -1.0), F.avg_pool2d(x, 4).flatten(1)], 1)
    expected = (5 * tokens).softmax(1)[:, 1:] / 2
    found = AttentionRollout()(model, x, 0).map
    wide = F.interpolate(expected.reshape(2, 1, 2, 4), (8, 16), mode="bilinear")
    torch.testing.assert_close(found, wide)


def test_relevance_of_one_layer_is_attention_times_its_slope() -> None:
    """The answer is a sum over patches, of each its brightness times its attention times the weight."""
    model, x = Looking(before=1, sharp=5.0), images(2, 1, 8, 16)
    for of in range(2):
        weight = float(model.head.weight[of].detach())
        tokens = torch.cat([x.new_full((2, 1), -1.0), F.avg_pool2d(x, 4).flatten(1)], 1)
        expected = ((5 * tokens).softmax(1) * tokens * weight).relu()[:, 1:]
        found = AttentionRelevance()(model, x, of).map
        wide = F.interpolate(expected.reshape(2, 1, 2, 4), (8, 16), mode="bilinear")
        torch.testing.assert_close(found, wide)


def weights_of(model: Transformer, x: Tensor, of: int) -> tuple[list[Tensor], list[Tensor]]:
    """The attention of each layer and the logit's slopes for it, from hooks on the network's own steps."""
    seen = list[Tensor]()
    softmax = Tensor.softmax

    def watched(self: Tensor, dim: int) -> Tensor:
        seen.append(softmax(self, dim))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tensor, "softmax", watched)
        logits = model(x.clone().requires_grad_())
    return seen, list(torch.autograd.grad(logits[:, of].sum(), seen))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_layers_are_put_together_by_the_formulas_however_attention_is_written(spelling: Spelling) -> None:
    weights, slopes = weights_of(Transformer("matmul"), X, 2)
    itself = torch.eye(5, dtype=torch.float64)
    rolled = (weights[1].mean(1) + itself) @ (weights[0].mean(1) + itself) / 4
    steps = [(one * slope).relu().mean(1) for one, slope in zip(weights, slopes, strict=True)]
    relevant = (itself + steps[1]) @ (itself + steps[0])
    for explainer, flow in zip(BOTH, (rolled, relevant), strict=True):
        found = explainer(Transformer(spelling), X, 2).map
        expected = F.interpolate(flow[:, 0, 1:].reshape(3, 1, 2, 2), (8, 8), mode="bilinear")
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-12)


class Single(nn.Module):
    """A layer of attention whose softmax is computed in single precision, whatever that of the network."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(1)
            self.patches, self.tokens, self.head = nn.Conv2d(1, 6, 4, 4), nn.Identity(), nn.Linear(6, 3)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.tokens(self.patches(x).flatten(2).mT)
        weights = F.softmax(tokens @ tokens.mT, -1, dtype=torch.float32).to(tokens.dtype)
        return self.head((weights @ tokens).mean(1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("explainer", BOTH, ids=["rollout", "relevance"])
def test_a_softmax_may_be_computed_in_single_precision(explainer: Explainer, dtype: torch.dtype) -> None:
    expected = explainer(Single(), X.float(), 2).map
    found = explainer(Single().to(dtype), X.to(dtype), 2).map
    assert found.dtype == dtype
    error = {torch.bfloat16: 0.05, torch.float64: 1e-5}[dtype]
    torch.testing.assert_close(found.float(), expected, rtol=error, atol=error * float(expected.max()))


def test_a_rollout_is_the_same_for_every_class() -> None:
    model = Transformer()
    first, second = (AttentionRollout()(model, X, of).map for of in (0, 3))
    assert torch.equal(first, second)
    first, second = (AttentionRelevance()(model, X, of).map for of in (0, 3))
    assert not torch.allclose(first, second)


def test_it_works_in_single_precision_and_on_large_images() -> None:
    torch.manual_seed(0)
    model = vit(shape=(3, 224, 224), classes=1000, patch=16, width=12, depth=2).eval()
    x = images(1, 3, 224, 224).float()
    for explainer in BOTH:
        found = explainer(model, x, "predicted")
        assert found.map.dtype == torch.float32 and found.map.shape == x.shape
        assert float(found.map.max()) > 0 and not found.notes[0]


class Windows(nn.Module):
    """Attention within halves of the image."""

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(1).reshape(2 * len(x), -1, 1)
        weights = (tokens @ tokens.mT)[:, None].softmax(-1)
        return (weights[:, 0] @ tokens).reshape(len(x), -1)[:, :4]


class Channels(nn.Module):
    """Attention among channels, of which there are not as many as tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 6, 4, 4).double()

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.features(x).flatten(2).mT
        weights = (tokens.mT @ tokens).softmax(-1)[:, None]
        return (tokens[:, None] @ weights)[:, 0].mean(1)


class Gate(nn.Module):
    """A softmax that is no attention."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1) * x.flatten(1).softmax(1)).reshape(len(x), 4, -1).sum(2)


@pytest.mark.parametrize("explainer", BOTH, ids=["AttentionRollout", "AttentionRelevance"])
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Gate(), "{} reads by which weights tokens attend to each other, and this network has no attention"),
        (
            Windows(),
            "{} follows what flows among the same tokens from layer to layer, and this network attends within",
        ),
        (
            Channels(),
            "{} draws what flows from places of the image, and the 6 tokens of this network do not lie on a",
        ),
        (
            Looking(order=lambda tokens: tokens[:, [2, 0, 3, 1]]),
            "{} draws what flows from places of the image, and the 4 tokens of this network do not lie on a grid",
        ),
    ],
    ids=["none", "windows", "channels", "shuffled"],
)
def test_what_is_refused(explainer: Explainer, model: nn.Module, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message.format(type(explainer).__name__))}.*; choose"):
        explainer(model, X, 0)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match='heads is "median"'):
        named("attention-rollout", ["heads=median"])

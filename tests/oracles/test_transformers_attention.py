"""Rollout and relevance of attention by their formulas, from the weights that a ViT of transformers says itself."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks import images
from pellucid.explainers import AttentionRelevance, AttentionRollout

transformers: Any = pytest.importorskip(
    "transformers", reason="no transformers to build a ViT with; pip install pellucid[huggingface]"
)

X, OF = images(3, 3, 24, 24), torch.tensor([0, 3, 1])


class Logits(nn.Module):
    """A ViT of three layers and 36 patches, with weights so large that attention is far from even."""

    def __init__(self, attention: str) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(3)
            config = transformers.ViTConfig(
                hidden_size=24,
                num_hidden_layers=3,
                num_attention_heads=3,
                intermediate_size=40,
                image_size=24,
                patch_size=4,
                num_labels=4,
                initializer_range=0.4,
                attn_implementation=attention,
            )
            self.inner = transformers.ViTForImageClassification(config)
        self.double().eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x).logits


def said() -> tuple[list[Tensor], list[Tensor]]:
    """The weights of attention as transformers says them, and the derivatives of the classes' logits for them."""
    given = Logits("eager").inner(X.clone().requires_grad_(), output_attentions=True)
    logits = given.logits.gather(1, OF[:, None]).sum()
    return list(given.attentions), list(torch.autograd.grad(logits, given.attentions))


def drawn(flow: Tensor) -> Tensor:
    """What flows from patches to the class token, which stands first, on the image."""
    return F.interpolate(flow[:, 0, 1:].reshape(len(X), 1, 6, 6), (24, 24), mode="bilinear").expand_as(X)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("heads", ["mean", "max", "min"])
def test_rollout(heads: str, attention: str) -> None:
    """Abnar and Zuidema (2020): the product over layers of half the attention and half the identity."""
    weights, _ = said()
    assert max(float(one.detach().amax()) for one in weights) > 0.5  # else everything looks everywhere
    flow = torch.eye(37, dtype=torch.float64)
    for one in weights:
        fused = {"mean": one.mean(1), "max": one.amax(1), "min": one.amin(1)}[heads]
        # the smallest or the largest of each do not sum to one
        fused = fused / fused.sum(-1, keepdim=True)
        flow = (0.5 * fused + 0.5 * torch.eye(37).double()) @ flow
    found = AttentionRollout(heads)(Logits(attention), X, OF).map  # pyright: ignore[reportArgumentType]
    torch.testing.assert_close(found, drawn(flow.detach()), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_relevance(attention: str) -> None:
    """Chefer et al. (2021), equations 5 and 6: each layer adds its attention times its slopes, where positive."""
    flow = torch.eye(37).double().expand(len(X), -1, -1)
    for weights, slopes in zip(*said(), strict=True):
        flow = flow + (slopes * weights).clamp(min=0).mean(1) @ flow
    found = AttentionRelevance()(Logits(attention), X, OF).map
    expected = drawn(flow.detach())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6 * float(expected.abs().max()))

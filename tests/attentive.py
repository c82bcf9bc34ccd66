"""Small vision transformers, in every way that networks write attention."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 12
Spelling = Literal["module", "fused", "matmul", "einsum", "bmm"]
SPELLINGS: Sequence[Spelling] = ("module", "fused", "matmul", "einsum", "bmm")


class Attention(nn.Module):
    """Two heads of self-attention, written in one of the ways that networks write it."""

    def __init__(self, spelling: Spelling, *, bias: bool, masked: bool, steps: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(WIDTH, 2, bias=bias, batch_first=True)
        self.spelling, self.steps = spelling, steps
        self.mask = torch.randn(5, 5) if masked else None

    def forward(self, x: Tensor) -> Tensor:
        mask = None if self.mask is None else self.mask.to(x)
        if self.spelling == "module":
            return self.inner(x, x, x, need_weights=False, attn_mask=mask)[0]
        rows = len(x)
        joint = F.linear(x, self.inner.in_proj_weight, self.inner.in_proj_bias)
        q, k, v = joint.reshape(rows, -1, 3, 2, WIDTH // 2).permute(2, 0, 3, 1, 4).unbind(0)
        if self.spelling == "fused":
            found = F.scaled_dot_product_attention(q, k, v, mask)
        elif self.spelling == "einsum":
            scores = torch.einsum("bhic,bhjc->bhij", q / (WIDTH // 2) ** 0.5, k)
            weights = torch.softmax(scores if mask is None else scores + mask, dim=-1)
            found = torch.einsum("bhij,bhjc->bhic", weights, v)
        elif self.spelling == "bmm":
            q, k, v = (one.flatten(0, 1) for one in (q, k, v))
            scores = torch.bmm(q, k.transpose(1, 2)) * (WIDTH // 2) ** -0.5
            weights = F.softmax(scores if mask is None else scores + mask, -1)
            found = torch.bmm(weights, v).unflatten(0, (rows, 2))
        else:
            scores = self.steps((q * (WIDTH // 2) ** -0.5) @ k.mT)
            found = self.steps((scores if mask is None else scores + mask).softmax(-1) @ v)
        return self.inner.out_proj(found.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    """A vision transformer with a class token; `steps` and `kept` may cut gradients, and change no value."""

    def __init__(
        self,
        spelling: Spelling = "fused",
        *,
        bias: bool = True,
        masked: bool = False,
        steps: Callable[[Tensor], Tensor] = lambda found: found,
        kept: Callable[[Tensor], Tensor] = lambda found: found,
        norm: Callable[[nn.LayerNorm, Tensor], Tensor] = lambda norm, x: norm(x),
        activation: Callable[[Tensor], Tensor] = F.gelu,
    ) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.patches = nn.Conv2d(1, WIDTH, 4, 4, bias=bias)
        self.token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.places = nn.Parameter(torch.randn(1, 5, WIDTH) * bias)
        self.attention = nn.ModuleList([Attention(spelling, bias=bias, masked=masked, steps=steps) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH, elementwise_affine=bias) for _ in range(5)])
        self.up = nn.ModuleList([nn.Linear(WIDTH, 20, bias=bias) for _ in range(2)])
        self.down = nn.ModuleList([nn.Linear(20, WIDTH, bias=bias) for _ in range(2)])
        self.head = nn.Linear(WIDTH, 4, bias=bias)
        for parameter in self.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter) * bias
        self.norm, self.activation = norm, activation
        self.double().eval()

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        for at in range(2):
            x = x + self.attention[at](self._normed(2 * at, x))
            x = x + self.down[at](self.activation(self.up[at](self._normed(2 * at + 1, x))))
        return self.head(self._normed(4, x)[:, 0])

    def _normed(self, number: int, x: Tensor) -> Tensor:
        norm = self.norms[number]
        assert isinstance(norm, nn.LayerNorm)
        return self.norm(norm, x)

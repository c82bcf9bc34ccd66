"""Tiny networks of other families than the listed ones, written by hand: transformers, channels last, functional."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Attention = Literal["module", "scaled", "explicit"]


class Attending(nn.Module):
    """Self-attention, written in one of three ways; by hand, modules put out its weights and what each head gives."""

    def __init__(self, width: int, heads: int, how: Attention) -> None:
        super().__init__()
        self.heads, self.how = heads, how
        if how == "module":
            self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        else:
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.weights, self.headed = nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "module":
            return self.attention(x, x, x, need_weights=False)[0]
        b, n, width = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if self.how == "scaled":
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = self.weights((q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(-1)) @ v
        return self.out(self.headed(mixed).transpose(1, 2).reshape(b, n, width))


class Block(nn.Module):
    """Attention and two dense layers, each added to what it reads."""

    def __init__(self, width: int, heads: int, how: Attention) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attending(width, heads, how)
        self.dense = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.dense(self.norm2(x))


class ViT(nn.Module):
    """Patches, a token for the class, blocks; of its modules only the embedding of patches puts out a map of places.

    With `places` the tokens of patches are put back to their places before the pooled answer, as some variants do.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        *,
        patch: int = 4,
        width: int = 16,
        heads: int = 2,
        depth: int = 2,
        how: Attention = "module",
        places: bool = False,
    ) -> None:
        super().__init__()
        channels, height, wide = shape
        self.grid = height // patch, wide // patch
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.position = nn.Parameter(torch.randn(1, self.grid[0] * self.grid[1] + 1, width) * 0.02)
        self.blocks = nn.Sequential(*[Block(width, heads, how) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)
        self.placed = nn.Identity() if places else None

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1) + self.position
        tokens = self.norm(self.blocks(tokens))
        if self.placed is None:
            return self.head(tokens[:, 0])
        return self.head(self.placed(tokens[:, 1:].transpose(1, 2).unflatten(2, self.grid)).mean((2, 3)))


class WindowBlock(nn.Module):
    """Attention inside windows of places, channels last."""

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm, self.block = nn.LayerNorm(width), Block(width, heads, "explicit")

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        size = self.window
        x = x.roll((-self.shift, -self.shift), (1, 2))
        windows = x.view(b, h // size, size, w // size, size, c).transpose(2, 3).reshape(-1, size * size, c)
        mixed = self.block(self.norm(windows)).view(b, h // size, w // size, size, size, c)
        return mixed.transpose(2, 3).reshape(b, h, w, c).roll((self.shift, self.shift), (1, 2))


class Merging(nn.Module):
    """Four places to one, channels last."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(4 * width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduce(torch.cat([x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)], -1))


class Swin(nn.Module):
    """Windows of places, shifted from block to block; its features have their channels last."""

    def __init__(self, channels: int, classes: int, *, width: int = 8, window: int = 2, first: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, width, 2, 2)
        self.stage1 = nn.Sequential(WindowBlock(width, 2, window, 0), WindowBlock(width, 2, window, 1))
        self.merging = Merging(width)
        self.stage2 = nn.Sequential(WindowBlock(2 * width, 2, window, 0), WindowBlock(2 * width, 2, window, 1))
        self.norm, self.head = nn.LayerNorm(2 * width), nn.Linear(2 * width, classes)
        self.turned = nn.Identity() if first else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage1(self.patches(x).permute(0, 2, 3, 1))
        x = self.norm(self.stage2(self.merging(x)))
        if self.turned is not None:
            return self.head(self.turned(x.permute(0, 3, 1, 2)).mean((2, 3)))
        return self.head(x.mean((1, 2)))


class ConvNextBlock(nn.Module):
    """Channels last for the normalization and the dense layers, and back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm, self.wide, self.narrow = (
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.Linear(4 * width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        inside = self.depthwise(x).permute(0, 2, 3, 1)
        inside = self.narrow(F.gelu(self.wide(self.norm(inside))))
        return x + inside.permute(0, 3, 1, 2)


class ConvNext(nn.Module):
    """A stem, two stages, and a pooled answer."""

    def __init__(self, channels: int, classes: int, *, width: int = 8, patch: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, patch, patch)
        self.stage1 = ConvNextBlock(width)
        self.between = nn.Conv2d(width, 2 * width, 2, 2)
        self.stage2 = ConvNextBlock(2 * width)
        self.norm, self.head = nn.LayerNorm(2 * width), nn.Linear(2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.stage2(self.between(self.stage1(self.stem(x)))).mean((2, 3))))


class Functional(nn.Module):
    """Convolutions whose weights are parameters of the whole; a module only where the features are named."""

    def __init__(self, channels: int, classes: int, *, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(width, channels, 3, 3) * 0.3)
        self.second = nn.Parameter(torch.randn(2 * width, width, 3, 3) * 0.1)
        self.last = nn.Parameter(torch.randn(classes, 2 * width) * 0.3)
        self.features = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.first, padding=1).relu()
        x = self.features(F.conv2d(F.max_pool2d(x, 2), self.second, padding=1).relu())
        return F.adaptive_avg_pool2d(x, 1).flatten(1) @ self.last.T

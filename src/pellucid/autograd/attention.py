"""Attention in plain functions, for whoever has to see its weights: fused kernels do not show them."""

import inspect
import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.errors import ConfigError


def attended(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """What `scaled_dot_product_attention` gives for the same arguments."""
    return _weighed(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)[0]


def _weighed(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    dropout_p: float,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[Tensor, Tensor]:
    """The same, and the weights by which tokens attend."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    scores = (query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)) @ key.transpose(-2, -1)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    weights = scores.softmax(-1)
    weights = F.dropout(weights, dropout_p) if dropout_p else weights
    return weights @ value, weights


def attended_by_heads(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """What `multi_head_attention_forward` gives for tokens that attend to tokens."""
    called = _SIGNATURE.bind(*args, **kwargs)
    called.apply_defaults()
    given = SimpleNamespace(**called.arguments)
    odd = (given.bias_k, given.bias_v, given.static_k, given.static_v, given.key_padding_mask)
    if given.query.dim() != 3 or given.add_zero_attn or any(one is not None for one in odd):
        raise ConfigError(
            "this network's attention has keys of its own (bias_k, static_k, add_zero_attn) or a padding mask; "
            "what it attends to cannot be followed to the pixels; choose an explainer that asks for logits alone"
        )
    weights = (given.q_proj_weight, given.k_proj_weight, given.v_proj_weight)
    weights = weights if given.use_separate_proj_weight else given.in_proj_weight.chunk(3)
    biases = (None,) * 3 if given.in_proj_bias is None else given.in_proj_bias.chunk(3)
    query, key, value = (
        F.linear(tokens, weight, bias).unflatten(2, (given.num_heads, -1)).permute(1, 2, 0, 3)
        for tokens, weight, bias in zip((given.query, given.key, given.value), weights, biases, strict=True)
    )
    mask = given.attn_mask
    if mask is not None and mask.dim() == 3:
        mask = mask.unflatten(0, (-1, given.num_heads))
    if mask is not None and mask.dtype == torch.bool:
        mask = ~mask  # here True means that nothing is seen
    found, shares = _weighed(query, key, value, mask, given.dropout_p if given.training else 0.0)
    out = F.linear(found.permute(2, 0, 1, 3).flatten(2), given.out_proj_weight, given.out_proj_bias)
    if not given.need_weights:
        return out, None
    return out, shares.mean(1) if given.average_attn_weights else shares


_SIGNATURE = inspect.signature(F.multi_head_attention_forward)

EXPLICIT: Mapping[str, Callable[..., Any]] = {
    "scaled_dot_product_attention": attended,
    "multi_head_attention_forward": attended_by_heads,
}
"""By the name of what each stands for."""

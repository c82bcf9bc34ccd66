"""Attention in plain functions, for whoever has to see its weights: fused kernels do not show them."""

import math
from collections.abc import Callable, Mapping
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
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    scores = (query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)) @ key.transpose(-2, -1)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    weights = scores.softmax(-1)
    return (F.dropout(weights, dropout_p) if dropout_p else weights) @ value


def attended_by_heads(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `multi_head_attention_forward` gives for tokens that attend to tokens; weights are not given back."""
    odd = (bias_k, bias_v, static_k, static_v, key_padding_mask)
    if query.dim() != 3 or add_zero_attn or any(one is not None for one in odd):
        raise ConfigError(
            "this network's attention has keys of its own (bias_k, static_k, add_zero_attn) or a padding mask; "
            "what it attends to cannot be followed to the pixels; choose an explainer that asks for logits alone"
        )
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
    else:
        assert in_proj_weight is not None, "there is one or three of it"
        weights = in_proj_weight.chunk(3)
    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)

    def heads(tokens: Tensor, number: int) -> Tensor:
        weight = weights[number]
        assert weight is not None, "there is one or three of it"
        length, images, _ = tokens.shape
        found = F.linear(tokens, weight, biases[number])
        return found.reshape(length, images, num_heads, -1).permute(1, 2, 0, 3)

    mask = attn_mask
    if mask is not None and mask.dim() == 3:
        mask = mask.reshape(-1, num_heads, *mask.shape[1:])
    if mask is not None and mask.dtype == torch.bool:
        mask = ~mask  # here True means that nothing is seen
    found = attended(heads(query, 0), heads(key, 1), heads(value, 2), mask, dropout_p if training else 0.0)
    tokens = found.permute(2, 0, 1, 3).reshape(query.shape[0], query.shape[1], -1)
    return F.linear(tokens, out_proj_weight, out_proj_bias), None


EXPLICIT: Mapping[str, Callable[..., Any]] = {
    "scaled_dot_product_attention": attended,
    "multi_head_attention_forward": attended_by_heads,
}
"""By the name of what each stands for."""

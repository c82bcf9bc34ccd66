"""Attention rollout: what flows to the answer where tokens attend to each other, whatever the class."""

from dataclasses import dataclass
from typing import Literal, final

import torch

from pellucid.errors import ConfigError
from pellucid.explainers.attention import attention
from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.papers import cites
from pellucid.probe import Probe


@cites("Abnar and Zuidema, Quantifying attention flow in transformers, ACL 2020. arXiv 2005.00928")
@final
@dataclass(frozen=True)
class AttentionRollout(Explainer):
    """How much each place flows into the answer of a transformer, by attention alone (Abnar and Zuidema 2020).

    In each layer a token is half itself and half what it attends to, and layers are multiplied. `heads` are averaged,
    or of each weight the largest or the smallest counts. It is nearly the same for every class: of the class it only
    takes which tokens its logit is read from. Networks without attention, or with attention within windows, are an
    error.
    """

    heads: Literal["mean", "max", "min"] = "mean"

    def __post_init__(self) -> None:
        if self.heads not in ("mean", "max", "min"):
            raise ConfigError(f"AttentionRollout has heads='{self.heads}'; give 'mean', 'max' or 'min'")

    @property
    def signed(self) -> bool:
        """Whether maps have a sign: attention has none."""
        return False

    @property
    def legend(self) -> str:
        """What the colors say; attention is about no class."""
        return "purple is what the network attends to, whatever the class"

    def reads(self, probe: Probe, of: Classes) -> str:
        """How many layers of attention, and where their tokens lie in the image."""
        return attention("AttentionRollout", probe, of).words

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """One map for all channels, brought to the size of the image."""
        seen = attention("AttentionRollout", probe, of)
        itself = torch.eye(seen.weights[0].shape[-1]).to(seen.weights[0])
        flow = itself.expand(len(probe.x), -1, -1)
        for weights in seen.weights:
            together = {"mean": weights.mean(1), "max": weights.amax(1), "min": weights.amin(1)}[self.heads]
            step = together / together.sum(-1, keepdim=True).clamp_min(1e-30) + itself
            flow = step @ flow / 2
        return seen.at_image_size(flow, probe.x)

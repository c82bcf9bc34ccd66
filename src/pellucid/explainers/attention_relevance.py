"""Attention relevance: what flows to a class's logit where attention raises it."""

from dataclasses import dataclass
from typing import final

import torch

from pellucid.explainers.attention import attention
from pellucid.explainers.explainer import Classes, Explainer, Images
from pellucid.papers import cites
from pellucid.probe import Probe


@cites(
    "Chefer, Gur and Wolf, Generic attention-model explainability for interpreting bi-modal and encoder-decoder "
    "transformers, ICCV 2021. arXiv 2103.15679"
)
@final
@dataclass(frozen=True)
class AttentionRelevance(Explainer):
    """How much each place flows into a class's logit by attention that raises it (Chefer et al. 2021).

    Weights of attention are multiplied by the logit's derivatives for them; what is positive is averaged over heads,
    and added up through the layers. Networks without attention, or with attention within windows, are an error.
    """

    @property
    def signed(self) -> bool:
        """Whether maps have a sign: what lowers the logit is left out."""
        return False

    @property
    def legend(self) -> str:
        """What the colors say."""
        return "purple is what the class attends to: the darker, the more it matters"

    def reads(self, probe: Probe, of: Classes) -> str:
        """How many layers of attention, and where their tokens lie in the image."""
        return attention("AttentionRelevance", probe, of).words

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """One map for all channels, brought to the size of the image."""
        seen = attention("AttentionRelevance", probe, of)
        # without the token itself, which flows everywhere and tells nothing
        flow = torch.zeros_like(seen.weights[0][:, 0])
        for weights, slopes in zip(seen.weights, seen.slopes, strict=True):
            step = (weights * slopes).relu().mean(1)
            flow = flow + step + step @ flow
        return seen.at_image_size(flow, probe.x)

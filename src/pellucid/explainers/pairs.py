"""The class that a network predicts and the one it would predict next, explained side by side."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.attacks.victim import usable
from pellucid.batch import Batch
from pellucid.explainers.explainer import Classes, Explainer, Explanation, Images
from pellucid.explainers.room import in_parts

Logits = Float[Tensor, "b classes"]


@dataclass(frozen=True, eq=False)
class ExplainedAnswer:
    """An explanation and the network's logits at the image, and at the image that the map leads to if it does."""

    explanation: Explanation
    before: Logits
    after: Logits | None

    @property
    def probability_before(self) -> Float[Tensor, " b"]:
        """The class's probability at the image."""
        return _probability(self.before, self.explanation.of)

    @property
    def probability_after(self) -> Float[Tensor, " b"] | None:
        """The class's probability at the image that the map leads to."""
        return None if self.after is None else _probability(self.after, self.explanation.of)


@dataclass(frozen=True, eq=False)
class Pair:
    """What speaks for the predicted class of each image, and what for its runner-up."""

    predicted: ExplainedAnswer
    runner_up: ExplainedAnswer


def pair(
    explainer: Explainer,
    model: nn.Module,
    x: Images,
    *,
    index: Tensor | None = None,
    seed: int = 0,
    memory: int | None = None,
) -> Pair:
    """Explain both classes of each image; `index` is the images' numbers in their split, if they come from one."""
    y = torch.zeros(len(x), dtype=torch.long, device=x.device)
    batch = Batch(x, y, {} if index is None else {"index": index.to(x.device)})
    before = _logits(model, batch, memory)

    def explained(of: str) -> ExplainedAnswer:
        found = explainer.on(model, batch, of, seed=seed, memory=memory)
        if found.image is None:
            return ExplainedAnswer(found, before, None)
        return ExplainedAnswer(found, before, _logits(model, batch.at(found.image), memory))

    return Pair(explained("predicted"), explained("runner-up"))


def _logits(model: nn.Module, batch: Batch, memory: int | None) -> Logits:
    found = in_parts(model, batch, lambda probe, part, rows: probe.logits.detach(), memory=memory)
    return usable(torch.cat(found), "an explanation")


def _probability(logits: Logits, of: Classes) -> Float[Tensor, " b"]:
    return logits.softmax(1).gather(1, of[:, None]).squeeze(1)

"""The class that a network predicts and the one it would predict next, explained side by side."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.explainers.explainer import Classes, Explainer, Explanation, Images
from pellucid.probe import Probe

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
    before = _Answers().on(model, batch, memory=memory).map

    def explained(of: str) -> ExplainedAnswer:
        found = explainer.on(model, batch, of, seed=seed, memory=memory)
        if found.image is None:
            return ExplainedAnswer(found, before, None)
        after = _Answers().on(model, batch.at(found.image), memory=memory).map
        return ExplainedAnswer(found, before, after)

    return Pair(explained("predicted"), explained("runner-up"))


class _Answers(Explainer):
    """Not an explainer to be named: the logits, part by part as there is room for them."""

    def maps(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """The logits of all classes."""
        return probe.logits


def _probability(logits: Logits, of: Classes) -> Float[Tensor, " b"]:
    return logits.softmax(1).gather(1, of[:, None]).squeeze(1)

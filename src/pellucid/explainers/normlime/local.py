"""The explanations of a batch of images, in terms that are the same for all images."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.explainers.lime import SEGMENTATIONS, Lime
from pellucid.explainers.normlime.vocabulary import Vocabulary, describe, flattened
from pellucid.ledger import in_halves_on_oom
from pellucid.probe import Probe, frozen

Labels = Literal["predicted", "true"]


@dataclass(frozen=True, eq=False)
class Local:
    """A linear model of each image: of which class, with which coefficients, and how well it fits.

    Where hiding a segment changes nothing it is `idle`; each image has `counts` segments. `words` are there where
    superpixels have a vocabulary; otherwise coefficients are of shared features.
    """

    coefficients: Float[Tensor, "b s"]
    classes: Int[Tensor, " b"]
    adjusted_r2: Float[Tensor, " b"]
    segments: Int[Tensor, "b h w"]
    idle: Bool[Tensor, "b s"]
    counts: Int[Tensor, " b"]
    words: Int[Tensor, "b s"] | None = None

    @property
    def used(self) -> Bool[Tensor, "b s"] | None:
        """Which superpixels say something of their word; of shared features coefficients that are 0 tell that."""
        return None if self.words is None else ~self.idle


def explained(
    model: nn.Module,
    batch: Batch,
    lime: Lime,
    labels: Labels,
    vocabulary: Vocabulary | None,
    *,
    seed: int = 0,
    memory: int | None = None,
) -> Local:
    """LIME for each image of a batch and one class of it: the predicted one, or its label."""
    found = lime.local(model, batch, "predicted" if labels == "predicted" else "label", seed=seed, memory=memory)
    words = None
    if vocabulary is not None:
        words = vocabulary.words(model, batch, found.segments, found.counts)
    first = found.coefficients[:, 0], found.classes[:, 0], found.adjusted_r2[:, 0]
    return Local(*first, found.segments, found.idle, found.counts, words)


def learn_words(
    model: nn.Module, batches: Iterable[Batch], lime: Lime, words: int, *, layer: str = "", seed: int = 0
) -> Vocabulary:
    """A vocabulary of the superpixels of these images."""
    rows: list[Tensor] = []

    def described(batch: Batch) -> Tensor:
        segments, counts = segmented(lime, batch)
        return flattened(describe(model, batch, segments, counts, layer=layer), counts).cpu()

    for batch in batches:
        rows += in_halves_on_oom(described, batch)
    return Vocabulary.learn(torch.cat(rows), words, seed=seed, layer=layer)


def class_count(model: nn.Module, batch: Batch) -> int:
    """How many classes the network knows."""
    first = Batch.trusted(batch.x[:1], batch.y[:1], {})
    with frozen(model), torch.no_grad():
        found = Probe(model, first, second_order=False).logits.shape[1]
    if found < 2:
        raise ShapeError(f"the network has {found} class; what matters for it needs another to be told from")
    return found


def segmented(lime: Lime, batch: Batch) -> tuple[Int[Tensor, "b h w"], Int[Tensor, " b"]]:
    """The segments of images, and how many each has."""
    segments = lime.segmentation(batch.x.detach())
    return segments, segments.flatten(1).amax(1) + 1


def check_shared(owner: str, lime: Lime, words: int) -> None:
    """Refuse superpixels that mean something else in each image where there are no words for them."""
    if words < 0:
        raise ConfigError(f"{owner} has words={words}; give 0 for shared features, or how many words")
    if not words and not lime.segmentation.shared:
        name = SEGMENTATIONS.name_of(type(lime.segmentation))
        raise ConfigError(
            f"{owner} has words=0 with superpixels by '{name}', which are others in each image; "
            "give words, or a segmentation that all images share, such as 'grid'"
        )

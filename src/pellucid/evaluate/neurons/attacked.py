"""What neurons say of images that the network was made to take for other classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from pellucid import config
from pellucid.attacks import Attack, Confirmed, LowestLoss
from pellucid.attacks.attack import within
from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.errors import ConfigError
from pellucid.evaluate.neurons.observing import Pool, examinable, looked, observing_description
from pellucid.ledger import Job, Table, by_images, in_chunks, stored
from pellucid.randomness import Noise, derive


@dataclass(frozen=True)
class Leading:
    """An attack that leads each image to other classes, drawn at random for each: as many as `targets`, or all.

    It needs the goal `LowestLoss`, to go as far as it can, or `Confirmed`, to stop where the network first says the
    class.
    """

    attack: Attack
    targets: int = 9
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.attack.goal, LowestLoss | Confirmed):
            raise ConfigError(
                f"{type(self.attack).__name__} has goal={self.attack.goal}; images are led to other classes, "
                "so give it LowestLoss() or Confirmed()"
            )
        if self.targets < 1:
            raise ConfigError(f"targets is {self.targets}; lead each image to 1 other class or more")

    def about(self, classes: int) -> dict[str, Any]:
        """All of it that a result depends on, among so many classes."""
        return {"attack": config.dump(self.attack), "targets": min(self.targets, classes - 1), "seed": self.seed}

    def of(self, images: Batch, classes: int) -> Int[Tensor, "b targets"]:
        """The classes that each image is led to, its own never among them."""
        noise = Noise(derive(self.seed, "targets"), images.index)
        others = noise.uniform(classes - 1, dtype=torch.float64).argsort(1)[:, : self.targets]
        return others + (others >= images.y[:, None]).long()

    def led(self, model: nn.Module, images: Batch, target: Int[Tensor, " b"], number: int) -> "Led":
        """The images led to one class each: the labels that the attack is given are where it leads, not theirs."""
        goal = Batch.trusted(images.x, target.to(images.y.dtype), {"index": images.index})
        found = self.attack.on(model, goal, seed=derive(self.seed, "target", number))
        reached_at_start, predicted = found.before.argmax(1) == target, found.after.argmax(1)
        counted = (predicted == target) & ~reached_at_start & within(found.distance, self.attack.budget)
        return Led(images.at(found.x), predicted, reached_at_start, counted)


@dataclass(frozen=True, eq=False)
class Led:
    """Images that were led somewhere, and what the network says of them.

    `reached_at_start` were taken for the class from the start; `counted` is where they were not, and now are.
    """

    images: Batch
    predicted: Int[Tensor, " b"]
    reached_at_start: Bool[Tensor, " b"]
    counted: Bool[Tensor, " b"]


def attacked_activations(
    model: nn.Module,
    split: Split,
    layers: Sequence[str],
    leading: Leading,
    *,
    pool: Pool = "max",
    folder: Path | None = None,
    job: Job = Job(),
) -> Table:
    """A row for each image and each class that it is led to, with what neurons say under `at LAYER`.

    `counted` says where the attack succeeded; an image that the network took for the class from the start does not
    count, and `reached_at_start` says so.
    """
    classes = len(split.classes)
    about = observing_description(model, split, layers, pool) | leading.about(classes)
    model = examinable(model, split)

    def columns(images: Batch) -> Mapping[str, Tensor]:
        wanted = leading.of(images, classes)
        parts: list[dict[str, Tensor]] = []
        for number, target in enumerate(wanted.T):
            found = leading.led(model, images, target, number)
            _, seen = looked(model, found.images, layers, pool)
            parts.append(
                {
                    "index": images.index,
                    "y": images.y,
                    "target": target,
                    "predicted": found.predicted,
                    "reached_at_start": found.reached_at_start,
                    "counted": found.counted,
                    **seen,
                }
            )
        return {name: torch.stack([part[name] for part in parts], 1).flatten(0, 1) for name in parts[0]}

    store = stored(folder, Table, about, job)
    return in_chunks(store, by_images(split, columns), rows=len(split), doing="attacked", job=job)

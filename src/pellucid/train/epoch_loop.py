"""One pass over the training images, step by step."""

import time
import warnings
from collections.abc import Generator
from typing import Literal

import torch
from jaxtyping import Float, Int
from lightning_fabric import Fabric
from torch import Tensor, nn

from pellucid import holds
from pellucid.batch import Batch
from pellucid.contained import reason
from pellucid.data import Split
from pellucid.errors import NetworkError, ShapeError, count_of
from pellucid.models import curves
from pellucid.objectives import Objective
from pellucid.probe import Moment, Probe
from pellucid.randomness import Noise, derive, seeded
from pellucid.train.epoch import Epoch, Step
from pellucid.train.epoch_sums import EpochSums, negligible
from pellucid.train.state import Training
from pellucid.train.trainable import learn
from pellucid.train.validate import accuracy


class EpochLoop:
    """The training of one epoch, step by step."""

    def __init__(
        self,
        training: Training,
        *,
        network: nn.Module,
        fabric: Fabric,
        train: Split,
        seed: int,
    ) -> None:
        self.training = training
        self.network = network
        self.fabric = fabric
        self.train = train
        self.seed = seed
        self.epoch = len(training.history)
        self.parameters = [parameter for parameter in training.model.parameters() if parameter.requires_grad]
        self.chunks = global_batches(
            len(train), training.recipe.batch, derive(seed, "order", self.epoch), fabric.world_size
        )
        self.sums = EpochSums.none(training.objective.names, fabric.device)
        searched = fabric.strategy.precision.precision
        self.precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed" if searched == "bf16-mixed" else "32-true"
        self.hopeless: tuple[str, ...] = ()
        self.started = time.perf_counter()

    def steps(self) -> Generator[Step]:
        """Take every step of the epoch."""
        shares = [chunk[self.fabric.global_rank :: self.fabric.world_size] for chunk in self.chunks]
        with holds.training(self.training.model):
            for number, batch in enumerate(self.train.batches(shares)):
                self._step(number, batch)
                yield Step(self.epoch + 1, number + 1, len(self.chunks))
        self.sums.check(self.epoch + 1)

    def measured(self, validation: Split | None) -> Epoch:
        """The epoch's figures, with validation where there are images for it."""
        seconds = time.perf_counter() - self.started
        figures = self.sums.figures()
        fabric, training = self.fabric, self.training
        scored = None
        if validation is not None:
            place = {"rank": fabric.global_rank, "ranks": fabric.world_size}
            scored = accuracy(training.candidate, validation, **place)
        return Epoch(
            number=self.epoch + 1,
            epochs=training.recipe.epochs,
            loss=figures.loss,
            terms=figures.terms,
            weights=figures.weights,
            accuracy=figures.accuracy,
            negligible={} if self.epoch else negligible(training.objective, figures),
            validation=scored,
            learning_rate=self.training.optimizer.param_groups[0]["lr"],
            seconds=seconds,
            images_per_second=sum(map(len, self.chunks)) / seconds,
        )

    def _step(self, number: int, batch: Batch) -> None:
        recipe, objective, fabric = self.training.recipe, self.training.objective, self.fabric
        progress = (self.epoch + number / len(self.chunks)) / recipe.epochs
        for group in self.training.optimizer.param_groups:
            group["lr"] = recipe.optimizer.lr * recipe.schedule.at(progress)
        for augmentation in recipe.augment:
            batch = augmentation(batch, Noise(derive(self.seed, "augment", self.epoch), batch.index))
        probe = Probe(
            self.network,
            batch,
            second_order=objective.second_order,
            third_order=objective.third_order,
            layers=objective.layers,
            seed=derive(self.seed, "noise", self.epoch, number),
            moment=Moment(progress, self.training.model, self.precision),
        )
        with seeded(derive(self.seed, "dropout", self.epoch, number, fabric.global_rank), fabric.device):
            if number == 0:
                check_network(probe, self.train)
            if number == self.epoch == self.fabric.global_rank == 0:
                self.hopeless = check_curvature(self.training.model, objective, batch.x)
            losses = objective.losses(probe)
        self.training.optimizer.zero_grad()
        learn(losses.total, self.parameters)
        if recipe.clip:
            nn.utils.clip_grad_norm_(self.parameters, recipe.clip)
        self.training.optimizer.step()
        if self.training.average is not None:
            self.training.average.update_parameters(self.training.model)
        self.sums = self.sums.plus(losses, probe.y, len(self.chunks[number]))
        if number % 50 == 49:  # now and then, since looking makes the host wait for the device
            self.sums.check(self.epoch + 1)


def global_batches(images: int, batch: int, seed: int, processes: int) -> list[Int[Tensor, " n"]]:
    """A shuffled epoch as one tensor of positions per global batch."""
    if images < 2 * processes:
        raise ShapeError(f"{images} training images are too few for {processes} processes; each needs two")
    order = torch.randperm(images, generator=torch.Generator().manual_seed(seed))
    chunks = list(order.split(batch))
    # BatchNorm cannot train on a single image, and no process may come away empty-handed
    if len(chunks) > 1 and len(chunks[-1]) < 2 * processes:
        chunks.pop()
    return chunks


def check_network(probe: Probe, split: Split) -> None:
    """Refuse a network that cannot take the split's images, or whose outputs are not its classes."""
    try:
        logits = probe.logits
    except NetworkError as error:
        shape, said = "x".join(map(str, split.shape)), reason(error.__cause__ or error)
        raise ShapeError(
            f"the network cannot take images of {shape} ({said}); change the one or the other"
        ) from error
    check_logits(logits, len(split.classes))


def check_logits(logits: Float[Tensor, "b outputs"], classes: int) -> None:
    """Refuse to teach a network other classes than it tells apart."""
    if logits.shape[1] != classes:
        told, wanted = count_of(logits.shape[1], "logit"), count_of(classes, "class")
        raise ShapeError(f"the network returns {told} and the data have {wanted}; build it with classes={classes}")


def check_curvature(model: nn.Module, objective: Objective, x: Float[Tensor, "b *shape"]) -> tuple[str, ...]:
    """Warn where terms that are trained on need second derivatives and the network has none; their names."""
    parts = zip(objective.names, objective.terms, strict=True)
    needing = tuple(name for name, part in parts if part.term.needs_curvature and part.weight != 0)
    if not needing or curves(model, x):
        return ()
    warnings.warn(
        f"{' and '.join(needing)} cannot teach this network: its second derivatives are all zero, as those of "
        "ReLU networks are; give it a smooth activation, such as {'name': 'softplus', 'beta': 3}",
        stacklevel=2,
    )
    return needing

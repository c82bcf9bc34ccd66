"""The training loop: a generator, so that what happens between epochs is the caller's business.

Nothing random is carried from step to step: the order of images, their augmentation, the terms' noise and dropout all
follow from (seed, epoch, step). So a run goes on from a checkpoint as if it had never stopped.
"""

import copy
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pellucid.data import Split, holdout
from pellucid.errors import CheckpointError, ConfigError
from pellucid.objectives import Objective, Term
from pellucid.train.checkpoints import Checkpoints
from pellucid.train.epoch import Epoch, Resumed, Step
from pellucid.train.epoch_loop import EpochLoop
from pellucid.train.epoch_sums import warn
from pellucid.train.recipe import Recipe
from pellucid.train.state import Training
from pellucid.train.trainable import check_trainable


def fit(
    model: nn.Module,
    train: Split,
    objective: Term | Objective,
    recipe: Recipe,
    *,
    seed: int = 0,
    validation: Split | None = None,
    fabric: Fabric | None = None,
    checkpoints: Checkpoints | None = None,
) -> Iterator[Epoch]:
    """Train the model in place and yield each epoch; when the generator ends, it holds the weights to keep."""
    events = fit_steps(
        model,
        train,
        objective,
        recipe,
        seed=seed,
        validation=validation,
        fabric=fabric,
        checkpoints=checkpoints,
    )
    return (event for event in events if isinstance(event, Epoch))


def fit_steps(
    model: nn.Module,
    train: Split,
    objective: Term | Objective,
    recipe: Recipe,
    *,
    seed: int = 0,
    validation: Split | None = None,
    fabric: Fabric | None = None,
    checkpoints: Checkpoints | None = None,
) -> Generator[Resumed | Step | Epoch]:
    """Like `fit`, but every step is yielded too, for whoever draws a progress bar."""
    check_trainable(model)
    fabric = fabric or Fabric(devices=1)
    if validation is None and recipe.validation:
        train, validation = holdout(train, recipe.validation, seed)
    if validation is None and (recipe.keep == "best" or recipe.patience):
        raise ConfigError(
            "keep='best' and patience need validation images; set recipe.validation to a share to hold out"
        )
    # an adaptive weight learns during the fit; the caller's objective stays as it was
    objective = copy.deepcopy(Objective.of(objective))
    fabric.to_device(model)
    train = train.to(fabric.device)
    validation = validation if validation is None else validation.to(fabric.device)
    if objective.vague:
        objective = objective.on(model, next(iter(train.batches([torch.arange(1)]))).x)
    training = Training(model, recipe.optimizer.build(model.parameters()), objective, recipe)
    watched = recipe.watch.chosen(train if validation is None else validation, seed)
    if checkpoints is not None:
        state, rejected = checkpoints.latest()
        if state is not None:
            training.restore(state)
        if state is not None or rejected:
            yield Resumed(tuple(training.history), rejected)
    network = _UnderFabric(model, fabric)
    while not training.finished:
        passage = EpochLoop(training, network=network, fabric=fabric, train=train, seed=seed)
        yield from passage.steps()
        measured = _watched(passage.measured(validation), training, watched, fabric, seed)
        if fabric.is_global_zero:
            warn(measured.negligible, passage.hopeless)
        training.record(measured)
        if checkpoints is not None:
            _save(checkpoints, training, fabric)
        yield measured
    training.settle()


def _watched(epoch: Epoch, training: Training, watched: Split, fabric: Fabric, seed: int) -> Epoch:
    """The epoch with its robust accuracy, where the recipe watches it."""
    watch = training.recipe.watch
    if not watch.images:
        return epoch
    place = {"rank": fabric.global_rank, "ranks": fabric.world_size}
    robust = watch.robust(training.candidate, watched, seed=seed, **place)
    return replace(epoch, robust=robust, overfitted=watch.overfitted(robust, training.history))


def _save(checkpoints: Checkpoints, training: Training, fabric: Fabric) -> None:
    """The first process writes; all give up together where it cannot."""
    failure = ""
    if fabric.is_global_zero:
        try:
            checkpoints.save(len(training.history), training.snapshot())
        except CheckpointError as error:
            failure = str(error)
    if failure := fabric.broadcast(failure):
        raise CheckpointError(failure)


class _UnderFabric(nn.Module):
    """A network whose forward pass runs where and how Fabric was told to.

    Fabric's own wrapper insists on the one backward call that it knows of; ours takes gradients of gradients. The
    precisions on offer need none of what it does there.
    """

    def __init__(self, network: nn.Module, fabric: Fabric) -> None:
        super().__init__()
        self.inner = fabric.strategy.setup_module(network)
        self.fabric = fabric

    def forward(self, x: Tensor) -> Any:
        """Logits in the precision of the images, whatever the network computed in."""
        with self.fabric.autocast():
            logits = self.inner(x)
        # what cannot be logits is for the probe to refuse
        return logits.to(x.dtype) if isinstance(logits, Tensor) and logits.is_floating_point() else logits

"""Training several networks from scratch at once, each on its own version of the same images.

Every network takes the steps that `fit` would have it take alone: the same first weights, order of images, rate and
optimizer, up to rounding. Dropout alone draws other numbers.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from pellucid.batch import Batch
from pellucid.contained import contained, name_of
from pellucid.errors import ConfigError, Diverged
from pellucid.evaluate.retrain.materials import Changed
from pellucid.ledger import in_halves_on_oom
from pellucid.looking import logits_of, look
from pellucid.memory import out_of_memory
from pellucid.randomness import Noise, derive, seeded
from pellucid.train import Recipe
from pellucid.train.epoch_loop import global_batches
from pellucid.train.trainable import learn

Factory = Callable[[int], nn.Module]
"""A fresh network for a seed: the same one whenever it is asked for."""

_IMAGES_AT_ONCE = 256  # of each network, where it is only asked

_State = Mapping[str, Tensor]


class _Looked(nn.Module):
    """A network that is looked at in its own way, with whatever weights it bears for that."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Float[Tensor, "b *shape"]) -> Float[Tensor, "b classes"]:
        return look(self.network, x)


class Stacked:
    """Networks that run side by side, each on images of its own.

    Where an operation cannot be carried out for all at once, they run one after the other (`together` tells): that is
    slower and no different otherwise.
    """

    def __init__(self, networks: Sequence[nn.Module], like: Float[Tensor, "b *shape"]) -> None:
        self.template = networks[0]
        stacked, self.buffers = stack_module_state(list(networks))
        self.parameters = {name: nn.Parameter(rows, rows.requires_grad) for name, rows in stacked.items()}
        self.looked = _Looked(self.template)
        self.together = self._runs_together(like)

    def __len__(self) -> int:
        return len(next(iter(self.parameters.values())))

    @property
    def trained(self) -> list[nn.Parameter]:
        """The parameters of all networks that learn."""
        return [parameter for parameter in self.parameters.values() if parameter.requires_grad]

    def __call__(self, x: Float[Tensor, "n b *shape"]) -> Float[Tensor, "n b classes"]:
        """The logits of every network for its own images."""
        if not self.together:
            return torch.stack([self._alone(row, x[row]) for row in range(len(x))])
        with contained(name_of(self.template)):
            return self._at_once(self.buffers, x)

    def train(self, training: bool = True) -> None:
        """Switch them all to training, or to evaluation."""
        self.template.train(training)

    def _alone(self, row: int, x: Tensor) -> Tensor:
        """The logits of one network, which is called as any other is: it may want images in a way of its own."""
        held = (*self.parameters.items(), *self.buffers.items())
        return functional_call(self.looked, {f"network.{name}": rows[row] for name, rows in held}, (x,))

    def _at_once(self, buffers: _State, x: Tensor) -> Tensor:
        # "different": dropout draws for each network anew
        return vmap(self._one, randomness="different")(self.parameters, buffers, x)

    def _one(self, parameters: _State, buffers: _State, x: Tensor) -> Tensor:
        # a copy of the images, which the network may write over
        return logits_of(functional_call(self.template, {**parameters, **buffers}, (x.clone(),)), x)

    def _runs_together(self, like: Tensor) -> bool:
        """Whether a step gets through, tried on copies of what it would change."""
        buffers = {name: buffer.clone() for name, buffer in self.buffers.items()}
        try:
            with torch.no_grad(), seeded(None, like.device):
                self._at_once(buffers, like.expand(len(self), *like.shape))
        except Exception as error:  # a network of somebody else's fails in its own way
            if out_of_memory(error):
                raise
            return False
        return True


@dataclass(frozen=True, eq=False)
class SideBySide:
    """A training of several networks, one for each of the cells of `images`."""

    factory: Factory
    images: Changed
    labels: Int[Tensor, " n"]
    recipe: Recipe

    @property
    def seeds(self) -> list[int]:
        """The seed of each network."""
        return [cell.seed for cell in self.images.cells]

    def networks(self) -> Stacked:
        """The networks that train side by side, untrained."""
        first = self.images.images[: min(2, len(self.labels))]
        return Stacked([self.factory(seed).to(first.device).train() for seed in self.seeds], first)

    def epochs(self, stacked: Stacked) -> Generator[int]:
        """Train them in place; the number of every epoch that is done."""
        recipe, parameters = self.recipe, stacked.trained
        optimizer = recipe.optimizer.build(parameters)
        for group in optimizer.param_groups:
            if "fused" in group:
                # one kernel instead of a dozen, each of which would read all parameters of all networks again
                group["fused"] = True
        for epoch in range(recipe.epochs):
            stacked.train()
            losses = torch.zeros(len(self.images.cells))
            chunks = self._chunks(epoch)
            for number, rows in enumerate(chunks):
                for group in optimizer.param_groups:
                    progress = (epoch + number / len(chunks)) / recipe.epochs
                    group["lr"] = recipe.optimizer.lr * recipe.schedule.at(progress)
                x = self._augmented(self.images(rows), rows, epoch)
                with seeded(derive("dropout", *map(str, self.images.cells), epoch, number), x.device):
                    losses = _losses(stacked(x), self.labels[rows])
                optimizer.zero_grad()
                learn(losses.sum(), parameters)
                if recipe.clip:
                    _clip(parameters, recipe.clip)
                optimizer.step()
            self._check(losses, epoch)
            yield epoch + 1

    def _chunks(self, epoch: int) -> list[Int[Tensor, "cells b"]]:
        """The rows of each step: a network's order follows from its seed alone."""
        count, batch = len(self.labels), self.recipe.batch
        plans = {seed: global_batches(count, batch, derive(seed, "order", epoch), 1) for seed in set(self.seeds)}
        steps = zip(*(plans[seed] for seed in self.seeds), strict=True)
        return [torch.stack(step).to(self.labels.device) for step in steps]

    def _augmented(self, x: Tensor, rows: Tensor, epoch: int) -> Tensor:
        if not self.recipe.augment:
            return x
        parts: list[Tensor] = []
        for seed, images, index in zip(self.seeds, x, rows, strict=True):
            batch = Batch.trusted(images, self.labels[index], {"index": index})
            for augmentation in self.recipe.augment:
                batch = augmentation(batch, Noise(derive(seed, "augment", epoch), index))
            parts.append(batch.x)
        return torch.stack(parts)

    def _check(self, losses: Float[Tensor, " cells"], epoch: int) -> None:
        broken = (~losses.detach().isfinite()).nonzero().flatten().tolist()
        if broken:
            raise Diverged(
                f"the loss of {self.images.cells[broken[0]]} became NaN or infinite in epoch {epoch + 1}; "
                "lower recipe.optimizer.lr, or set recipe.clip to bound the gradient"
            )


@torch.no_grad()
def correct(stacked: Stacked, images: Changed, labels: Int[Tensor, " n"]) -> Int[Tensor, " cells"]:
    """How many images each network is right about."""
    stacked.train(False)
    found = torch.zeros(len(stacked), dtype=torch.long, device=labels.device)

    def right(some: Batch) -> Tensor:
        return (stacked(images(some.index.expand(len(stacked), -1))).argmax(2) == some.y).sum(1)

    for rows in torch.arange(len(labels), device=labels.device).split(_IMAGES_AT_ONCE):
        batch = Batch.trusted(images.images[rows], labels[rows], {"index": rows})
        for part in in_halves_on_oom(right, batch):
            found += part
    return found


def check_recipe(recipe: Recipe) -> None:
    """Refuse what has no meaning for networks that are trained side by side."""
    wrong = [name for name in ("average", "validation", "patience") if getattr(recipe, name)]
    wrong += ["keep"] if recipe.keep == "best" else []
    wrong += ["watch.images"] if recipe.watch.images else []
    if wrong:
        said = " and ".join(f"recipe.{name}" for name in wrong)
        off = " and ".join(f"{name} to {'last' if name == 'keep' else 0}" for name in wrong)
        raise ConfigError(f"networks side by side are trained to the end, without {said}; set {off}")


def _losses(logits: Float[Tensor, "cells b classes"], y: Int[Tensor, "cells b"]) -> Float[Tensor, " cells"]:
    losses = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
    return losses.view(y.shape).mean(1)


def _clip(parameters: Sequence[Tensor], most: float) -> None:
    """Bound the length of each network's gradient, as PyTorch does for one."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    lengths = torch.stack([gradient.reshape(len(gradient), -1).norm(dim=1) for gradient in gradients]).norm(dim=0)
    share = (most / (lengths + 1e-6)).clamp_max(1)
    for gradient in gradients:
        gradient.mul_(share.view(-1, *[1] * (gradient.dim() - 1)))

"""ROAR and KAR: retraining networks on images without, or with nothing but, what a ranking calls important."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from pellucid import config, files
from pellucid.data import Data, Split
from pellucid.errors import MeasurementError, NoRoom
from pellucid.evaluate.retrain.cells import PROTOCOLS, Cell, Protocol, grid
from pellucid.evaluate.retrain.materials import Materials
from pellucid.evaluate.retrain.ranking import Ranking, Study
from pellucid.evaluate.retrain.ranks import Unit
from pellucid.evaluate.retrain.retrained import Retrained
from pellucid.evaluate.retrain.room import fitting
from pellucid.evaluate.retrain.side_by_side import Factory, SideBySide, check_recipe, correct
from pellucid.ledger import Folder, described, fingerprint, identity, in_halves_on_oom
from pellucid.looking import look
from pellucid.memory import out_of_memory
from pellucid.probe import frozen
from pellucid.train import Recipe
from pellucid.train.epoch_loop import check_classes
from pellucid.train.trainable import check_trainable

FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Retraining:
    """How far it is: what is being done, epochs of all networks done, of how many."""

    doing: str
    done: int
    total: int


def retrain(
    model: nn.Module,
    factory: Factory,
    data: Data,
    rankings: Mapping[str, Ranking],
    recipe: Recipe,
    out: Path,
    *,
    protocols: Sequence[Protocol] = PROTOCOLS,
    fractions: Sequence[float] = FRACTIONS,
    seeds: int = 5,
    unit: Unit = "pixel",
    seed: int = 0,
    together: int | None = None,
    watch: Callable[[Retraining], None] = lambda _: None,
) -> Retrained:
    """Retrain networks on images from which the first places of a ranking are removed, or which keep them alone.

    `model` is the network that the rankings are of, trained on the data as they are; `factory` makes a fresh one for
    a seed. Training and test images are changed alike: what is removed becomes the channel's mean over the training
    images. Everything is kept in a folder inside `out` that is named by all that the result depends on: the same
    call goes on where it was stopped. `together` networks are trained side by side, or as many as is fastest; where
    memory does not suffice for these, half of them.
    """
    steps = retrain_steps(
        model,
        factory,
        data,
        rankings,
        recipe,
        out,
        protocols=protocols,
        fractions=fractions,
        seeds=seeds,
        unit=unit,
        seed=seed,
        together=together,
    )
    while True:
        try:
            watch(next(steps))
        except StopIteration as end:
            return end.value


def check_together(together: int | None) -> None:
    """Refuse to train no networks at a time."""
    if together is not None and together < 1:
        raise MeasurementError(f"together is {together}; train 1 network or more at a time")


def retrain_steps(
    model: nn.Module,
    factory: Factory,
    data: Data,
    rankings: Mapping[str, Ranking],
    recipe: Recipe,
    out: Path,
    *,
    protocols: Sequence[Protocol] = PROTOCOLS,
    fractions: Sequence[float] = FRACTIONS,
    seeds: int = 5,
    unit: Unit = "pixel",
    seed: int = 0,
    together: int | None = None,
) -> Generator[Retraining, None, Retrained]:
    """Retrain as `retrain` does, as a generator that says how far it is."""
    check_recipe(recipe)
    cells = grid(protocols, list(rankings), fractions, seeds)
    check_together(together)
    for split, kind in ((data.train, "training"), (data.test, "test")):
        if not len(split):
            raise MeasurementError(f"'{data.name}' has no {kind} images; networks are retrained and tested on some")
    about: dict[str, Any] = {
        "protocols": list(protocols),
        "rankings": list(rankings),
        "fractions": [float(fraction) for fraction in fractions],
        "seeds": seeds,
        "ranked by": {name: described(ranking) for name, ranking in rankings.items()},
        "recipe": config.dump(recipe),
        "unit": unit,
        "seed": seed,
        "train": data.train.fingerprint(),
        "test": data.test.fingerprint(),
        "model": fingerprint(model),
        "fresh": fingerprint(factory(0)),
    }
    folder = Folder(place(out, about), Retrained)
    with files.locked(folder.path):
        if (record := folder.whole(about)) is not None:
            folder.clear()  # which a kill may have prevented
            return record
        materials = Materials(
            Study(model, data.train, data.test, out), rankings, folder.path / "ranks", unit=unit, seed=seed
        )
        _check(factory(0).to(materials.train.device), data.train)
        together = together or fitting(factory(0).to(materials.train.device), materials.train[: recipe.batch])
        groups = _groups(cells, folder.begin(about, together))
        parts, total = folder.parts(len(groups)), len(cells) * recipe.epochs
        for number, group in enumerate(groups):
            if number in parts:
                continue
            done = sum(map(len, parts.values())) * recipe.epochs
            for key in materials.missing(group):
                yield Retraining(f"ranking by {key[0]}", done, total)
                materials.rank(key)
            right = yield from _retrained(group, factory, materials, recipe, done, total)
            parts[number] = _table(group, right, len(data.test), about)
            folder.keep(parts[number], number)
        return folder.finish(parts)


def place(out: Path, about: Mapping[str, Any]) -> Path:
    """The folder for what depends on all that."""
    return out / f"retrain-{identity(about)}"


def _check(network: nn.Module, split: Split) -> None:
    """Refuse networks that cannot be taught these classes, before anything is ranked."""
    check_trainable(network)
    with frozen(network), torch.no_grad():
        (logits,) = in_halves_on_oom(lambda one: look(network, one.x), next(iter(split.batches([torch.arange(1)]))))
    check_classes(logits, len(split.classes))


def _retrained(
    group: Sequence[Cell], factory: Factory, materials: Materials, recipe: Recipe, done: int, total: int
) -> Generator[Retraining, None, Int[Tensor, " cells"]]:
    """How many test images each network is right about.

    Where memory has no room for all networks, they are trained by halves.
    """
    try:
        train, test = materials.changed(group)
        side = SideBySide(factory, train, materials.train_labels, recipe)
        stacked = side.networks()
        for epoch in side.epochs(stacked):
            yield Retraining("retraining", done + epoch * len(group), total)
        return correct(stacked, test, materials.test_labels).cpu()
    except Exception as error:
        if not out_of_memory(error) or isinstance(error, NoRoom):
            raise
        if len(group) == 1:
            raise NoRoom(
                f"memory does not suffice to retrain a single network on {recipe.batch} images at once; free some, "
                "lower recipe.batch, or take a smaller network"
            ) from error
    # here and not above: while the error is handled, it keeps alive what did not fit
    half = len(group) // 2
    first = yield from _retrained(group[:half], factory, materials, recipe, done, total)
    done += half * recipe.epochs
    rest = yield from _retrained(group[half:], factory, materials, recipe, done, total)
    return torch.cat([first, rest])


def _groups(cells: Sequence[Cell], size: int) -> list[Sequence[Cell]]:
    return [cells[first : first + size] for first in range(0, len(cells), size)]


def _table(cells: Sequence[Cell], right: Tensor, images: int, about: Mapping[str, Any]) -> Retrained:
    columns = {
        "protocol": torch.tensor([about["protocols"].index(cell.protocol) for cell in cells]),
        "ranking": torch.tensor([about["rankings"].index(cell.ranking) for cell in cells]),
        "fraction": torch.tensor([cell.fraction for cell in cells], dtype=torch.float64),
        "seed": torch.tensor([cell.seed for cell in cells]),
        "accuracy": right.double() / images,
        "n": torch.full((len(cells),), images),
    }
    return Retrained(columns, about)

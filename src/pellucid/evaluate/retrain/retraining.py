"""ROAR and KAR: retraining networks on images without, or with nothing but, what a ranking calls important."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.data import Data, Split
from pellucid.errors import MeasurementError, NoRoom, count_of
from pellucid.evaluate.retrain.cells import PROTOCOLS, Cell, Protocol, grid
from pellucid.evaluate.retrain.materials import Materials
from pellucid.evaluate.retrain.ranking import Ranking, Study
from pellucid.evaluate.retrain.ranks import Unit
from pellucid.evaluate.retrain.retrained import Retrained
from pellucid.evaluate.retrain.room import fitting
from pellucid.evaluate.retrain.side_by_side import Factory, SideBySide, check_recipe, correct
from pellucid.ledger import (
    WHOLE,
    Columns,
    Folder,
    Progress,
    described,
    fingerprint,
    finished,
    identity,
    in_chunks,
    in_halves_on_oom,
    steps_in_halves,
)
from pellucid.looking import look
from pellucid.memory import out_of_memory
from pellucid.probe import frozen
from pellucid.train import Recipe
from pellucid.train.epoch_loop import check_classes
from pellucid.train.trainable import check_trainable

FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9)


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
    part: str = WHOLE,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Retrained:
    """Retrain networks on images from which the first places of a ranking are removed, or which keep them alone.

    `model` is the network that the rankings are of, trained on the data as they are; `factory` makes a fresh one for
    a seed. Training and test images are changed alike: what is removed becomes the channel's mean over the training
    images. Everything is kept in a folder inside `out` that is named by all that the result depends on: the same
    call goes on where it was stopped. `together` networks are trained side by side, or as many as is fastest; where
    memory does not suffice for them, half of them. Several processes may work in one folder, or each on a `part` such
    as 2/8. `watch` is told how many epochs of all networks are done.
    """
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
    folder = place(out, about)
    if (complete := Folder(folder, Retrained, about, 1).whole()) is not None:  # then there is nothing to load
        return complete
    study = Study(model, data.train, data.test, out)
    materials = Materials(study, rankings, folder / "ranks", unit=unit, seed=seed)
    _check(factory(0).to(materials.train.device), data.train)
    together = together or fitting(factory(0).to(materials.train.device), materials.train[: recipe.batch])

    def trained(group: Sequence[Cell]) -> Generator[Progress, None, Tensor]:
        try:
            train, test = materials.changed(group)
            side = SideBySide(factory, train, materials.train_labels, recipe)
            stacked = side.networks()
            for epoch in side.epochs(stacked):
                yield Progress("retraining", epoch * len(group), 0)
            return correct(stacked, test, materials.test_labels).cpu()
        except Exception as error:
            if len(group) > 1 or isinstance(error, NoRoom) or not out_of_memory(error):
                raise
            raise NoRoom(
                f"memory does not suffice to retrain a single network on {count_of(recipe.batch, 'image')} at "
                "once; free some, "
                "lower recipe.batch, or take a smaller network"
            ) from error

    def make(numbers: Iterator[int], size: int) -> Iterator[Columns | Progress]:
        for number in numbers:
            group = cells[number * size :][:size]
            for key in materials.missing(group):
                yield Progress(f"ranking by {key[0]}", 0, 0)
                materials.rank(key)
            right = yield from steps_in_halves(trained, group)
            yield _columns(group, right, len(data.test), about)

    store = Folder(folder, Retrained, about, together)
    steps = in_chunks(store, make, rows=len(cells), each=recipe.epochs, doing="retraining", part=part)
    return finished(steps, watch)


def check_together(together: int | None) -> None:
    """Refuse to train no networks at a time."""
    if together is not None and together < 1:
        raise MeasurementError(f"together is {together}; train 1 network or more at a time")


def place(out: Path, about: Mapping[str, Any]) -> Path:
    """The folder for what depends on all that."""
    return out / f"retrain-{identity(about)}"


def _check(network: nn.Module, split: Split) -> None:
    """Refuse networks that cannot be taught these classes, before anything is ranked."""
    check_trainable(network)
    with frozen(network), torch.no_grad():
        (logits,) = in_halves_on_oom(lambda one: look(network, one.x), next(iter(split.batches([torch.arange(1)]))))
    check_classes(logits, len(split.classes))


def _columns(cells: Sequence[Cell], right: Tensor, images: int, about: Mapping[str, Any]) -> Columns:
    return {
        "protocol": torch.tensor([about["protocols"].index(cell.protocol) for cell in cells]),
        "ranking": torch.tensor([about["rankings"].index(cell.ranking) for cell in cells]),
        "fraction": torch.tensor([cell.fraction for cell in cells], dtype=torch.float64),
        "seed": torch.tensor([cell.seed for cell in cells]),
        "accuracy": right.double() / images,
        "n": torch.full((len(cells),), images),
    }

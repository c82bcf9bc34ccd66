"""ROAR and KAR: retraining networks on images without, or with nothing but, what a ranking calls important."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import config
from pellucid.data import Data, Split
from pellucid.errors import MeasurementError, NoRoom, count_of
from pellucid.evaluate.retrain.cells import Cell, Design
from pellucid.evaluate.retrain.materials import Materials
from pellucid.evaluate.retrain.ranking import Ranking, Study
from pellucid.evaluate.retrain.retrained import Retrained
from pellucid.evaluate.retrain.side_by_side import Factory, SideBySide, check_recipe, correct
from pellucid.ledger import (
    Columns,
    Folder,
    Job,
    Progress,
    described,
    fingerprint,
    identity,
    in_chunks,
    in_halves_on_oom,
    steps_in_halves,
)
from pellucid.looking import look
from pellucid.memory import out_of_memory
from pellucid.probe import frozen
from pellucid.randomness import seeded
from pellucid.train import Recipe
from pellucid.train.epoch_loop import check_logits
from pellucid.train.trainable import check_trainable


def retrain(
    model: nn.Module,
    factory: Factory,
    data: Data,
    rankings: Mapping[str, Ranking],
    recipe: Recipe,
    out: Path,
    *,
    design: Design = Design(),
    job: Job = Job(),
) -> Retrained:
    """Retrain networks on images from which the first places of a ranking are removed, or which keep them alone.

    `model` is the network that the rankings are of, trained on the data as they are; `factory` makes a fresh one for
    a seed. Training and test images are changed alike: what is removed becomes the channel's mean over the training
    images. Everything is kept in a folder inside `out` that is named by all that the result depends on: the same
    call goes on where it was stopped, and several processes may work in one folder. `job.batch` networks are trained
    side by side, or as many as is fastest, and `job.watch` is told how many epochs of all of them are done.
    """
    check_recipe(recipe)
    cells = design.cells(rankings)
    for split, kind in ((data.train, "training"), (data.test, "test")):
        if not len(split):
            raise MeasurementError(f"'{data.name}' has no {kind} images; networks are retrained and tested on some")
    about: dict[str, Any] = {
        "protocols": list(design.protocols),
        "rankings": list(rankings),
        "fractions": [float(fraction) for fraction in design.fractions],
        "seeds": design.seeds,
        "ranked by": {name: described(ranking.resolved(data.train.shape)) for name, ranking in rankings.items()},
        "recipe": config.dump(recipe),
        "unit": design.unit,
        "seed": design.seed,
        "train": data.train.fingerprint(),
        "test": data.test.fingerprint(),
        "model": fingerprint(model),
        "fresh": fingerprint(factory(0)),
    }
    folder = place(out, about)
    if (complete := Folder(folder, Retrained, about, 1).whole()) is not None:  # then there is nothing to load
        return complete
    study = Study(model, data.train, data.test, out)
    materials = Materials(study, rankings, folder / "ranks", unit=design.unit, seed=design.seed)
    first = factory(0).to(materials.train.device)
    _check(first, data.train)
    together = job.batch or fitting(first, materials.train[: recipe.batch])

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
                f"memory does not suffice to retrain a single network on {count_of(recipe.batch, 'image')} at once; "
                "free some, lower recipe.batch, or take a smaller network"
            ) from error

    def make(numbers: Iterator[int], size: int) -> Iterator[Columns | Progress]:
        for number in numbers:
            group = cells[number * size :][:size]
            for key in materials.missing(group):
                yield Progress("retraining", 0, 0, f"ranking by {key[0]}")
                materials.rank(key)
            right = yield from steps_in_halves(trained, group)
            yield _columns(group, right, len(data.test), about)

    store = Folder(folder, Retrained, about, together)
    return in_chunks(store, make, rows=len(cells), each=recipe.epochs, doing="retraining", job=job)


def place(out: Path, about: Mapping[str, Any]) -> Path:
    """The folder for what depends on all that."""
    return out / f"retrain-{identity(about)}"


def _check(network: nn.Module, split: Split) -> None:
    """Refuse networks that cannot be taught these classes, before anything is ranked."""
    check_trainable(network)
    with frozen(network), torch.no_grad():
        (logits,) = in_halves_on_oom(lambda one: look(network, one.x), next(iter(split.batches([torch.arange(1)]))))
    check_logits(logits, len(split.classes))


def _columns(cells: Sequence[Cell], right: Tensor, images: int, about: Mapping[str, Any]) -> Columns:
    return {
        "protocol": torch.tensor([about["protocols"].index(cell.protocol) for cell in cells]),
        "ranking": torch.tensor([about["rankings"].index(cell.ranking) for cell in cells]),
        "fraction": torch.tensor([cell.fraction for cell in cells], dtype=torch.float64),
        "seed": torch.tensor([cell.seed for cell in cells]),
        "accuracy": right.double() / images,
        "n": torch.full((len(cells),), images),
    }


# Beyond these nothing is gained per network; on a CPU it soon is slower, where caches overflow.
_MOST_ON_A_CPU = 16
_MOST_ON_AN_ACCELERATOR = 128
_ROOM_ON_A_CPU = 2**30
_STATES = 4  # a parameter, its gradient, and what an optimizer keeps of it


def fitting(network: nn.Module, x: Float[Tensor, "b *shape"]) -> int:
    """How many networks like this one fit, with minibatches like this one."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}

    def weigh(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        # without its graph: an operation that keeps what it put out would else be kept alive by that for ever
        return tensor.detach()

    try:
        with torch.autograd.graph.saved_tensors_hooks(weigh, lambda tensor: tensor), seeded(None, x.device):
            look(network, x)
    except Exception as error:
        if not out_of_memory(error):
            raise
        return 1
    # images are there as they were, changed, and as both were chosen from
    needed = sum(kept.values()) + 4 * x.nbytes + _STATES * sum(one.nbytes for one in network.parameters())
    on_a_cpu = x.device.type == "cpu"
    room = _ROOM_ON_A_CPU if on_a_cpu else torch.cuda.mem_get_info(x.device)[0] // 2
    return max(1, min(_MOST_ON_A_CPU if on_a_cpu else _MOST_ON_AN_ACCELERATOR, room // max(1, needed)))

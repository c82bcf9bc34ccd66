"""Everything that the measures of neurons need of a network, kept in one folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pellucid import config, files
from pellucid.attacks import Attack
from pellucid.data import Split, sample
from pellucid.errors import ConfigError
from pellucid.evaluate.neurons.attacked import Towards, attacked_activations
from pellucid.evaluate.neurons.observing import Pool, activations, described
from pellucid.evaluate.neurons.tracing import traces
from pellucid.ledger import WHOLE, Progress, Table, all_of, identity


@dataclass(frozen=True)
class Probing:
    """What is looked at: layers, what stands for a channel's map, and what images are led to other classes by.

    Without an `attack` none are. `traced` images, drawn at random, have their predictions taken apart; 0 leaves that
    out.
    """

    layers: tuple[str, ...]
    pool: Pool = "max"
    attack: Attack | None = None
    targets: int = 9
    traced: int = 100

    def __post_init__(self) -> None:
        if not self.layers:
            raise ConfigError("no layer is named; give one or more")
        if len(set(self.layers)) < len(self.layers):
            raise ConfigError(f"the layers {', '.join(self.layers)} are not all different; name each once")
        if self.traced < 0:
            raise ConfigError(f"traced is {self.traced}; take apart 0 predictions or more")
        if self.attack is not None:
            Towards(self.attack, self.targets, 0)  # which refuses what cannot be


@dataclass(frozen=True, eq=False)
class Examined:
    """The tables, and the folder that they are kept in."""

    probing: Probing
    classes: tuple[str, ...]
    activations: Table
    attacked: Table | None
    traces: Table | None
    path: Path | None


def examine(
    model: nn.Module,
    split: Split,
    probing: Probing,
    out: Path | None = None,
    *,
    seed: int = 0,
    batch: int = 128,
    part: str = WHOLE,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Examined:
    """Carry out all passes, in a folder inside `out` that is named by all that they depend on.

    The same call goes on where it was stopped, and reads back what is complete. Several processes may do so at once,
    or each look at a `part` such as 2/8. `watch` is told how far it is.
    """
    attack, layers = probing.attack, probing.layers
    path = None
    if out is not None:
        about = described(model, split, layers, probing.pool) | {
            "attack": None if attack is None else config.dump(attack),
            "targets": probing.targets,
            "traced": probing.traced,
            "seed": seed,
        }
        path = files.inner_folder(out / f"neurons-{identity(about)}")

    def place(name: str) -> Path | None:
        return None if path is None else path / name

    def all_images() -> Table:
        return activations(model, split, layers, pool=probing.pool, folder=place("activations"), **common)

    def attacked_images() -> Table | None:
        if attack is None:
            return None
        return attacked_activations(
            model,
            split,
            layers,
            attack,
            targets=probing.targets,
            pool=probing.pool,
            seed=seed,
            folder=place("attacked"),
            **common,
        )

    def some_traces() -> Table | None:
        if not probing.traced:
            return None
        some = sample(split, probing.traced, seed=seed)
        # the passes behind one image are many
        few: dict[str, Any] = {**common, "batch": min(batch, 16)}
        return traces(model, some, layers, attack, targets=probing.targets, seed=seed, folder=place("traces"), **few)

    common: dict[str, Any] = {"batch": batch, "part": part, "watch": watch}
    found, attacked, traced = all_of([all_images, attacked_images, some_traces])
    assert found is not None
    return Examined(probing, tuple(split.classes), found, attacked, traced, path)

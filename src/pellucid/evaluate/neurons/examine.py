"""Everything that the measures of neurons need of a network, kept in one folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from pellucid import config, files
from pellucid.attacks import Attack
from pellucid.data import Split
from pellucid.errors import ConfigError
from pellucid.evaluate.neurons.activations import Pool, activations, described
from pellucid.evaluate.neurons.attacked import Towards, attacked_activations
from pellucid.evaluate.neurons.chunks import Stage
from pellucid.evaluate.neurons.traces import traces
from pellucid.evaluate.sample import sample
from pellucid.ledger import Table, identity


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
    watch: Callable[[Stage], None] = lambda _: None,
) -> Examined:
    """Carry out all passes, in a folder inside `out` that is named by all that they depend on.

    The same call goes on where it was stopped, and reads back what is complete. `watch` is told how far it is.
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

    found = activations(
        model, split, layers, pool=probing.pool, batch=batch, folder=place("activations"), watch=watch
    )
    attacked = traced = None
    if attack is not None:
        attacked = attacked_activations(
            model,
            split,
            layers,
            attack,
            targets=probing.targets,
            pool=probing.pool,
            seed=seed,
            batch=batch,
            folder=place("attacked"),
            watch=watch,
        )
    if probing.traced:
        some = sample(split, probing.traced, seed=seed)
        traced = traces(
            model,
            some,
            layers,
            attack,
            targets=probing.targets,
            seed=seed,
            batch=min(batch, 16),  # the passes behind one image are many
            folder=place("traces"),
            watch=watch,
        )
    return Examined(probing, tuple(split.classes), found, attacked, traced, path)

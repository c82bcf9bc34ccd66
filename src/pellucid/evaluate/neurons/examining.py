"""Everything that the measures of neurons need of a network, kept in one folder."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from pellucid import config, files
from pellucid.attacks import Attack
from pellucid.data import Split, sample
from pellucid.errors import ConfigError
from pellucid.evaluate.neurons.attacked import Leading, attacked_activations
from pellucid.evaluate.neurons.observing import Pool, activations, observing_description
from pellucid.evaluate.neurons.tracing import traces
from pellucid.ledger import Job, Table, all_of, identity

_TRACED = 16  # images at once: the passes behind one are many


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
        self.leading(0)  # which refuses what cannot be

    def leading(self, seed: int) -> Leading | None:
        """The attack with where it leads."""
        return None if self.attack is None else Leading(self.attack, self.targets, seed)


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
    job: Job = Job(),
) -> Examined:
    """Carry out all passes, in a folder inside `out` that is named by all that they depend on.

    The same call goes on where it was stopped, and reads back what is complete. Several processes may do so at once.
    """
    layers, leading, path = probing.layers, probing.leading(seed), None
    if out is not None:
        about = observing_description(model, split, layers, probing.pool) | {
            "attack": None if probing.attack is None else config.dump(probing.attack),
            "targets": probing.targets,
            "traced": probing.traced,
            "seed": seed,
        }
        path = files.inner_folder(out / f"neurons-{identity(about)}")

    def place(name: str) -> Path | None:
        return None if path is None else path / name

    def all_images() -> Table:
        return activations(model, split, layers, pool=probing.pool, folder=place("activations"), job=job)

    def attacked_images() -> Table | None:
        if leading is None:
            return None
        folder = place("attacked")
        return attacked_activations(model, split, layers, leading, pool=probing.pool, folder=folder, job=job)

    def some_traces() -> Table | None:
        if not probing.traced:
            return None
        some = sample(split, probing.traced, seed=seed)
        few = replace(job, batch=min(job.batch or _TRACED, _TRACED))
        return traces(model, some, layers, leading, folder=place("traces"), job=few)

    found, attacked, traced = all_of([all_images, attacked_images, some_traces])
    assert found is not None
    return Examined(probing, tuple(split.classes), found, attacked, traced, path)

"""The neurons of a network that is named, by words."""

from collections.abc import Sequence
from pathlib import Path

import torch

from pellucid import config
from pellucid.attacks import Attack, named
from pellucid.config import Table
from pellucid.data import sequential
from pellucid.errors import ShapeError
from pellucid.looking import look
from pellucid.metrics.neurons import ClassSimilarity
from pellucid.objectives.last_features import last_features
from pellucid.probe import frozen
from pellucid.runs.measuring import Subject


def layers_of(subject: Subject, names: Sequence[str]) -> tuple[str, ...]:
    """The layers named, or else the one that the last linear layer or convolution reads."""
    some = subject.split.take(2)
    (images,) = some.batches(sequential(some, 2))
    with frozen(subject.model), torch.no_grad():
        told = look(subject.model, images.x).shape[1]
    if told != len(subject.split.classes):
        raise ShapeError(
            f"'{subject.name}' tells {told} classes apart and its data have {len(subject.split.classes)}; name data "
            "of the classes that it has learned"
        )
    if names:
        return tuple(names)
    return (last_features(subject.model, images.x),)


def similarity_of(name: str) -> ClassSimilarity:
    """How alike classes are, by the name of a kind or a TOML file with the kind and its settings."""
    table: Table = config.read(Path(name)) if name.endswith(".toml") else {"kind": name}
    return config.build(ClassSimilarity, table)


def leading(name: str, eps: float | None, *, norm: str = "", assignments: Sequence[str] = ()) -> Attack | None:
    """The attack that leads images to other classes; none without a budget."""
    if eps is None:
        return None
    (attack,) = named(name, eps=(eps,), norm=norm, goals=("lowest-loss",), assignments=assignments)
    return attack

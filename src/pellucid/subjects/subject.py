"""A network and the images that it is looked at with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from pellucid.attacks import PGD
from pellucid.contained import reason
from pellucid.data import Split, sequential
from pellucid.errors import DataError, NetworkError, ShapeError, count_of
from pellucid.explainers import Explainer
from pellucid.intake import intake_of
from pellucid.looking import look
from pellucid.norms import Linf
from pellucid.probe import frozen
from pellucid.protocols import Norm

_SHOWN = 4  # images that an explainer is shown to see what it takes of this network
_FEW = 8  # images that are attacked to see how a network takes it


@dataclass(frozen=True, eq=False)
class Subject:
    """A network and the images to look at it with; `train` are those of the same data that networks learn from.

    `labeled` is whether the labels mean anything, `untrained` whether the network is known to have learned nothing.
    """

    name: str
    model: nn.Module
    source: str
    split: Split
    train: Split | None = None
    labeled: bool = True
    untrained: bool = False

    def as_dear(self, explainer: Explainer) -> Explainer:
        """An explainer of about the same passes whose passes do not hang on this network, by which it is foretold."""
        if explainer not in self._dear:
            self._dear[explainer] = self._as_dear(explainer)
        return self._dear[explainer]

    @cached_property
    def _dear(self) -> dict[Explainer, Explainer]:
        return {}

    def _as_dear(self, explainer: Explainer) -> Explainer:
        some = self.split.take(_SHOWN)
        try:
            (batch,) = some.batches(sequential(some, len(some)))
            return explainer.as_dear(self.model, batch.x)
        except Exception:  # what it stumbles over is told by who explains in earnest
            return explainer

    def standing(self, eps: float, norm: Norm = Linf()) -> float:  # noqa: B008, a frozen value
        """The share of a few images that are right and stand three steps of PGD, by which attacks are foretold.

        Those that are right are told by a budget of 0. It is 1 where it cannot be told, as of a network without
        gradients.
        """
        if (eps, norm) not in self._stood:
            self._stood[eps, norm] = self._standing(eps, norm)
        return self._stood[eps, norm]

    @cached_property
    def _stood(self) -> dict[tuple[float, Norm], float]:
        return {}

    def _standing(self, eps: float, norm: Norm) -> float:
        some = self.split.take(_FEW)
        try:
            (batch,) = some.batches(sequential(some, len(some)))
            if eps == 0:
                with frozen(self.model), torch.no_grad():
                    return float((look(self.model, batch.x).argmax(1) == batch.y).double().mean())
            found = PGD(eps=eps, steps=3, norm=norm).on(self.model, batch)
        except Exception:  # what it stumbles over is told by what attacks it in earnest
            return 1.0
        return 1 - float(found.reached.double().mean())

    def check_labeled(self, what: str) -> None:
        """Refuse images that nobody has labeled, where `what` needs labels."""
        if not self.labeled:
            raise DataError(
                f"nobody has labeled the images of '{self.source}', and {what}; put them into a folder for each class"
            )


def folder_name(subject: Subject, *words: str) -> str:
    """The name of a folder for work on a subject: its images, its network, and further words."""
    first = [Path(subject.source).stem, subject.name]
    return "-".join(re.sub(r"[^A-Za-z0-9._]+", "_", word.rstrip("/").rpartition("/")[2]) for word in [*first, *words])


def outputs_of(network: nn.Module, split: Split, name: str) -> int:
    """How many classes a network tells apart, found by showing it one of the images."""
    if not len(split):
        raise ShapeError("there are no images to show the network; give one or more")
    (batch,) = split.take(1).batches(sequential(split.take(1), 1))
    shape = " x ".join(map(str, split.shape))
    try:
        with frozen(network), torch.no_grad():
            return look(network, batch.x).shape[1]
    except NetworkError as error:
        why = reason(error.__cause__) if error.__cause__ else str(error)
        if otherwise := _otherwise(network, split):
            why = why.rstrip(".") + otherwise
        raise ShapeError(f"'{name}' does not take images of {shape}: {why}") from error
    except ShapeError as error:
        raise ShapeError(str(error).replace("the network", f"'{name}'", 1)) from error


def _otherwise(network: nn.Module, split: Split) -> str:
    """What a network says that it takes, where that is something else."""
    said = intake_of(network)
    if said is None or said.shape is None or said.shape == split.shape:
        return ""
    return f"; it says that it takes {' x '.join(map(str, said.shape))}, so leave --size and --shape out"


def check_outputs(name: str, outputs: int, source: str, classes: Sequence[str]) -> None:
    """Refuse images of other classes than a network of so many outputs has learned."""
    if outputs != len(classes):
        raise ShapeError(
            f"'{name}' tells {count_of(outputs, 'class')} apart and '{source}' has {len(classes)}; "
            "take images of the classes that it has learned"
            + ("" if outputs < len(classes) else ", or say what it calls them by --classes")
        )

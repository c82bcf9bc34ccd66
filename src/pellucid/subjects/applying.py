"""Which explainers apply to a network, found out without paying for their maps."""

import time
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import config
from pellucid.contained import reason
from pellucid.data import Split
from pellucid.errors import PellucidError
from pellucid.evaluate.explanations import Passes, counted
from pellucid.evaluate.foreseen import passes_to_explain, passes_to_learn
from pellucid.explainers import EXPLAINERS, Explainer, Explanation, named
from pellucid.explainers.explainer import classes_of, unlabeled
from pellucid.hooks import hooked
from pellucid.kinds import in_single
from pellucid.ledger import Progress
from pellucid.looking import look
from pellucid.probe import Probe, frozen
from pellucid.subjects.explained import LEARNED, fitted

_PATIENCE = 2.0  # seconds, after which fewer are enough
_FEW = 4
_BRIEF = 8  # passes; an explainer that takes no more is not stopped
_SLOW = 0.02  # seconds; where an image takes so long, several together are hardly faster
_SHORT = 1.0  # seconds; what takes less is timed twice


@dataclass(frozen=True)
class Applicability:
    """Whether an explainer applies to a network, by what it goes there, and what a map of an image takes.

    `why` is the refusal in its own words, empty where it applies. `reads` is the layer, the rules or the grid that it
    found, and `settings` what "auto" stands for at these images. `notes` are what it says of the map of the image
    that it was tried on, where it went to the end; else it was stopped after a few passes. `passes` and `seconds` are
    those of one image and one class, and none where nobody knows; `learning` is what it takes to learn first.
    """

    explainer: str
    why: str = ""
    reads: str = ""
    settings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    passes: Passes | None = None
    seconds: float | None = None
    learning: Passes | None = None
    learning_seconds: float = 0.0

    @property
    def applies(self) -> bool:
        """Whether it gives maps of this network."""
        return not self.why


def applicability(
    model: nn.Module,
    x: Float[Tensor, "1 *shape"],
    explainers: Mapping[str, Explainer] | None = None,
    *,
    train: Split | None = None,
    seed: int = 0,
    enough: int = 64,
    watch: Callable[[Progress], None] = lambda _: None,
) -> list[Applicability]:
    """Try explainers, all that are listed unless some are given, on the first of some images and the class predicted.

    Each is asked for its map, and stopped when `enough` images have gone through the network, with which it plainly
    applies; of slow networks fewer are enough.
    `train` is what those that learn are shown; without it they are refused. An explainer that fails is never an error
    here: why it did is what is told of it.
    """
    asked = {name: named(name) for name in EXPLAINERS} if explainers is None else explainers
    one = x[:1].detach()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = in_single(model, one)
            with frozen(model), torch.no_grad():
                classes = look(model, one).shape[1]  # which warms it up
                trial = _Trial(x.device, enough)
                look(model, one)
                memory = 1 if trial.seconds > _SLOW else None
        except Exception as error:
            return [Applicability(name, _words(error)) for name in asked]
        found: list[Applicability] = []
        for done, (name, explainer) in enumerate(asked.items()):
            watch(Progress("trying", done, len(asked), name))
            trial = _Trial(x.device, enough, passes_to_explain(explainer, one, classes))
            found.append(_tried(name, explainer, _Tried(model, one, classes, train, seed, memory), trial))
    return found


def applicability_summary(found: list[Applicability]) -> list[dict[str, Any]]:
    """The same for tables and JSON."""
    return [
        {
            "explainer": one.explainer,
            "applies": one.applies,
            "why": one.why or None,
            "reads": one.reads,
            "settings": list(one.settings),
            "notes": list(one.notes),
            "forwards": None if one.passes is None else one.passes.forwards,
            "backwards": None if one.passes is None else one.passes.backwards,
            "seconds": one.seconds,
            "learning": None if one.learning is None else one.learning.forwards,
            "learning_seconds": one.learning_seconds,
        }
        for one in found
    ]


class _Enough(PellucidError):
    """So many passes have been made that an explainer plainly applies."""


@dataclass(frozen=True, eq=False)
class _Tried:
    """What explainers are tried on; `memory` is what their passes may keep."""

    model: nn.Module
    x: Tensor
    classes: int
    train: Split | None
    seed: int
    memory: int | None

    def explained(self, explainer: Explainer) -> Explanation:
        """The image's map."""
        return explainer(self.model, self.x, "predicted", seed=self.seed, memory=self.memory)


def _tried(name: str, explainer: Explainer, on: _Tried, trial: "_Trial") -> Applicability:
    model, x, train, seed = on.model, on.x, on.train, on.seed
    notes, whole, learned = (), False, not explainer.learns
    try:
        with counted(model) as passes, trial.watching(model):
            ready = fitted(explainer, model, train, seed=seed)
            learned = True
            trial.begin()
            passes.forwards = passes.backwards = 0
            found = on.explained(ready)
            whole, notes = True, found.notes[0] if found.notes else ()
            seconds, took = trial.seconds, Passes(passes.forwards, passes.backwards)
            if seconds < _SHORT:  # again, without what is done at a first time only
                trial.begin()
                on.explained(ready)
                seconds = min(seconds, trial.seconds)
    except _Enough:
        took = trial.counted
        seconds = None if took is None else trial.foretold(took.forwards)
    except Exception as error:
        return Applicability(name, _words(error))
    learning = passes_to_learn(explainer, x, on.classes, 0 if train is None else min(LEARNED, len(train)))
    return Applicability(
        name,
        "",
        _read(explainer, model, x, seed) if whole and learned else "",
        _settings(explainer, tuple(x.shape[1:])),
        notes,
        took,
        seconds,
        learning if learning != Passes() else None,
        trial.foretold(learning.forwards),
    )


class _Trial:
    """Ends what is tried when enough has gone through the network, and knows how long that took."""

    def __init__(self, device: torch.device, enough: int, counted: Passes | None = None) -> None:
        self.counted = counted
        self._enough = enough
        self._device = device
        self._brief = counted is None or counted.forwards <= _BRIEF
        self.begin()

    def begin(self) -> None:
        """Count from here on."""
        self._began = time.perf_counter()
        self._moments = list[tuple[int, float]]()

    @property
    def seconds(self) -> float:
        """Since it began."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter() - self._began

    def foretold(self, rows: int) -> float:
        """How long so many images through the network will take, as fast as those that have gone through it.

        What came before the first of them, such as finding segments, comes once.
        """
        if not self._moments:
            return self.seconds
        (first, began), (last, ended) = self._moments[0], self._moments[-1]
        each = (ended - began) / (last - first) if last > first else self.seconds / last
        return began + each * max(0, rows - first)

    @contextmanager
    def watching(self, model: nn.Module) -> Generator[None]:
        """What runs in this block is ended by the error that says so."""

        def after(_module: nn.Module, _inputs: object, output: object) -> None:
            before = self._moments[-1][0] if self._moments else 0
            # only at the next pass, since it may be on the way back that an explainer fails
            if before > self._enough or (before > _FEW and self.seconds > _PATIENCE and not self._brief):
                raise _Enough
            rows = len(output) if isinstance(output, Tensor) and output.dim() else 1
            self._moments.append((before + rows, self.seconds))

        with hooked([model], after):
            yield


def _read(explainer: Explainer, model: nn.Module, x: Tensor, seed: int) -> str:
    with frozen(model), torch.enable_grad():
        probe = Probe(model, unlabeled(x, "predicted"), second_order=False, third_order=False, seed=seed)
        return explainer.reads(probe, classes_of(probe, "predicted", slice(0, 1)))


def _settings(explainer: Explainer, shape: tuple[int, ...]) -> tuple[str, ...]:
    """What "auto" stands for at images of this shape."""
    try:
        before, after = (_flat(config.dump(one)) for one in (explainer, explainer.resolved(shape)))
    except Exception:  # of an explainer that nobody has listed
        return ()
    return tuple(f"{name}={value}" for name, value in after.items() if before.get(name) != value)


def _flat(table: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= _flat(value, f"{path}{name}.") if isinstance(value, Mapping) else {f"{path}{name}": value}
    return found


def _words(error: Exception) -> str:
    return str(error).partition("\n")[0] if isinstance(error, PellucidError) else reason(error)

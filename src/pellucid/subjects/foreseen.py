"""What explaining and judging will cost, told before they begin."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.durations import time_in_words
from pellucid.errors import count_of
from pellucid.evaluate.explanations import Metric, Passes
from pellucid.evaluate.foreseen import passes_to_explain, passes_to_judge, passes_to_learn
from pellucid.evaluate.speed import Speed
from pellucid.explainers import Explainer
from pellucid.looking import look
from pellucid.probe import frozen
from pellucid.subjects.explained import LEARNED, Shown
from pellucid.subjects.subject import Subject

WORTH_SAYING = 5.0
"""Seconds; of what takes less nothing is said before it begins."""

_SHOWN = 4  # images that explainers are shown to see what they take of this network
_TIMED = 32  # images at most that the network is timed on
_MUCH = 2**30  # bytes of maps


@dataclass(frozen=True)
class Foreseen:
    """What is asked of one explainer: passes for each image and class, for all it learns from, and seconds in all.

    `each` is none where nobody knows before the network is asked, and `seconds` then leave it out.
    """

    explainer: str
    each: Passes | None
    images: int
    classes: int
    learning: Passes
    seconds: float

    @property
    def words(self) -> str:
        """The same as a person says it."""
        each = "passes that are not known" if self.each is None else f"{_shown(self.each)} passes"
        about = count_of(self.images, "image") if self.images == 1 else f"each of {self.images:,} images"
        if self.classes > 1:
            about += f" and {self.classes:,} classes"
        learning = f", {_shown(self.learning)} to learn" if self.learning != Passes() else ""
        return f"{self.explainer}: {each} for {about}{learning}, {_time(self.seconds)}"


def cost_of_explaining(
    shown: Shown, of: Sequence[str | int], explainers: Mapping[str, Explainer]
) -> Sequence[Foreseen]:
    """What explaining these pictures takes, explainer by explainer, when nothing has been learned yet."""
    x, classes = shown.x[:1], shown.logits.shape[1]
    learned = 0 if shown.train is None else min(LEARNED, len(shown.train))
    counted = {
        name: (
            passes_to_explain(_as_dear(one, shown.model, shown.x), x, classes),
            passes_to_learn(one, x, classes, learned),
        )
        for name, one in explainers.items()
    }
    return _timed(shown.model, shown.x, counted, len(shown.x), len(of))


def cost_of_judging(
    subject: Subject, lacking: Mapping[str, Mapping[str, Metric]], explainers: Mapping[str, Explainer]
) -> Sequence[Foreseen]:
    """What judging takes, explainer by explainer, by those metrics together that are lacking of each."""
    if not lacking:
        return ()
    (batch,) = subject.split.batches([torch.arange(min(_TIMED, len(subject.split)))])
    x, classes = batch.x[:1], len(subject.split.classes)
    learned = 0 if subject.train is None else min(LEARNED, len(subject.train))
    counted = dict[str, tuple[Passes | None, Passes]]()
    for name, metrics in lacking.items():
        one = explainers.get(name)
        learning = Passes() if one is None else passes_to_learn(one, x, classes, learned)
        asked = None if one is None else subject.as_dear(one)
        counted[name] = passes_to_judge(metrics, asked, x, classes), learning
    return _timed(subject.model, batch.x, counted, len(subject.split), 1)


def foreseen_in_words(costs: Sequence[Foreseen]) -> list[str]:
    """What is worth saying before the work begins: each explainer's share and the sum; nothing of what is short."""
    total = math.fsum(one.seconds for one in costs)
    if not costs or total < WORTH_SAYING:
        return []
    lines = [one.words for one in costs]
    return lines if len(lines) == 1 else [*lines, f"{_time(total)} in all"]


def maps_in_words(shown: Shown, of: Sequence[str | int], explainers: Mapping[str, Explainer]) -> list[str]:
    """How much the maps take on the disk, where that is much."""
    count = len(shown.x) * len(of) * len(explainers)
    size = count * shown.x[0].numel() * shown.x.element_size()
    return [f"{count:,} maps, which take {size / 1e9:.1f} GB"] if size > _MUCH else []


def _as_dear(explainer: Explainer, model: nn.Module, x: Tensor) -> Explainer:
    try:
        return explainer.as_dear(model, x[:_SHOWN])
    except Exception:  # what it stumbles over is told when it explains
        return explainer


def _timed(
    model: nn.Module,
    x: Tensor,
    counted: Mapping[str, tuple[Passes | None, Passes]],
    images: int,
    classes: int,
) -> Sequence[Foreseen]:
    times = images * classes
    alls = {name: _summed((each or Passes(), times), (learning, 1)) for name, (each, learning) in counted.items()}
    speed = _speed(model, x, _summed(*((one, 1) for one in alls.values())))
    return [
        Foreseen(name, each, images, classes, learning, speed.seconds(alls[name]))
        for name, (each, learning) in counted.items()
    ]


def _speed(model: nn.Module, x: Tensor, passes: Passes) -> Speed:
    """How fast the network is; told from a single pass where so many passes are short by any account."""
    with frozen(model), torch.no_grad():
        began = time.perf_counter()
        look(model, x[:1])
        one = time.perf_counter() - began
    rough = Speed(one, 2 * one, 4 * one)
    if rough.seconds(passes) < WORTH_SAYING / 2:
        return rough
    some = x[:_TIMED]
    nothing = torch.zeros(len(some), dtype=torch.long, device=x.device)
    found = Speed.of(model, Batch.trusted(some, nothing, {"index": torch.arange(len(some), device=x.device)}))
    return found if found.forward else rough


def _summed(*parts: tuple[Passes, int]) -> Passes:
    fields: dict[str, Any] = {
        name: sum(getattr(passes, name) * times for passes, times in parts)
        for name in ("forwards", "backwards", "differentiated", "aside")
    }
    return Passes(**fields)


def _time(seconds: float) -> str:
    return f"about {time_in_words(seconds)}" if seconds >= 1 else time_in_words(seconds)


def _shown(passes: Passes) -> str:
    return f"{passes.forwards:,} + {passes.backwards:,}"

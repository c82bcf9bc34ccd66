"""How long an audit will take, told from a pass that was timed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from pellucid.batch import Batch
from pellucid.data import sequential
from pellucid.evaluate.explanations import Passes
from pellucid.memory import out_of_memory
from pellucid.probe import Probe, frozen, slope
from pellucid.subjects import Subject

_ROWS, _TIMES = 32, 3
_PATIENCE = 1.0  # seconds that an image may take before one is timed and no more


@dataclass(frozen=True)
class Speed:
    """Seconds that one image takes through a network, there and back; and more where that way is differentiated."""

    forward: float
    backward: float
    differentiation: float

    @classmethod
    def of(cls, subject: Subject, rows: int = _ROWS) -> "Speed":
        """The fastest of a few passes over some of the images, after one that warms up; over as many as fit."""
        try:
            some = subject.split.take(rows)
            (batch,) = some.batches(sequential(some, len(some)))
            with frozen(subject.model):
                first = _passed(subject.model, batch.rows(slice(1)))  # which warms up, and is all where it is slow
                if sum(first) > _PATIENCE:
                    return cls._told([first], 1)
                return cls._told([_passed(subject.model, batch) for _ in range(1 + _TIMES)][1:], len(batch))
        except Exception as error:
            if not out_of_memory(error) or rows == 1:
                return cls(0.0, 0.0, 0.0)  # nobody knows; the parts will say what the network fails at
        return cls.of(subject, max(1, min(rows, len(subject.split)) // 2))

    @classmethod
    def _told(cls, timed: Sequence[tuple[float, float, float]], images: int) -> "Speed":
        there, back, twice = (min(times) / images for times in zip(*timed, strict=True))
        return cls(there, back, max(twice - there - back, 0))

    def seconds(self, passes: Passes) -> float:
        """How long so many passes take."""
        there, back = passes.forwards * self.forward, passes.backwards * self.backward
        return there + back + passes.differentiated * self.differentiation


def _passed(model: nn.Module, batch: Batch) -> tuple[float, float, float]:
    """Seconds of a pass, of the way back, and of both with the gradient differentiated."""
    probe = Probe(model, batch.at(batch.x.detach().clone()), second_order=False)
    began = time.perf_counter()
    logits = probe.logits
    _wait(logits.device)
    between = time.perf_counter()
    if logits.requires_grad:  # else the network is without gradients, and what needs them will say so
        probe.gradient("label-logit", detached=True)
        _wait(logits.device)
    middle = time.perf_counter()
    if logits.requires_grad:
        _differentiated(model, batch)
        _wait(logits.device)
    return between - began, middle - between, time.perf_counter() - middle


def _differentiated(model: nn.Module, batch: Batch) -> None:
    probe = Probe(model, batch.at(batch.x.detach().clone()), second_order=True)
    try:
        slope(probe.gradient("label-logit").flatten(1).square().sum(1), probe.x)
    except Exception as error:
        if out_of_memory(error):
            raise
        return  # its gradients have none; what needs them will say so


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

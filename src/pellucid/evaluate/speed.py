"""How long a network takes, told from a few passes that are timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from pellucid.batch import Batch
from pellucid.evaluate.explanations import Passes
from pellucid.memory import out_of_memory
from pellucid.probe import Probe, frozen, slope

_PATIENCE = 2.0  # seconds that timing one kind of pass may take, more or less
_TIMES = 3  # passes of which the fastest counts


@dataclass(frozen=True)
class Speed:
    """Seconds that one image takes through a network, there and back; and more where that way is differentiated.

    All are 0 where the network could not be timed.
    """

    forward: float
    backward: float
    differentiation: float

    @classmethod
    def of(cls, model: nn.Module, batch: Batch) -> "Speed":
        """Told from the fastest of a few passes over some of the images: as many as fit, and as patience allows."""
        try:
            with frozen(model):
                there, back = _fastest(lambda rows: _passed(model, rows), batch)
                (twice,) = _fastest(lambda rows: _differentiated(model, rows), batch)
        except Exception as error:
            if not out_of_memory(error) or len(batch) == 1:
                return UNKNOWN  # nobody knows; what is asked of the network will say what it fails at
            return cls.of(model, batch.rows(slice(len(batch) // 2)))
        return cls(there, back, max(twice - there - back, 0.0))

    def seconds(self, passes: Passes) -> float:
        """How long so many passes take."""
        there, back = passes.forwards * self.forward, passes.backwards * self.backward
        return there + back + passes.differentiated * self.differentiation + passes.aside


UNKNOWN = Speed(0.0, 0.0, 0.0)


def _fastest(timed: Callable[[Batch], tuple[float, ...]], batch: Batch) -> tuple[float, ...]:
    """Seconds per image; after a pass that warms up, over as many images as leave time for several passes."""
    began = time.perf_counter()
    one = batch.rows(slice(1))
    seconds = timed(one)
    if time.perf_counter() - began > _PATIENCE:
        return seconds  # too slow to look twice
    seconds = timed(one)
    rows = max(1, min(len(batch), int(_PATIENCE / _TIMES / max(sum(seconds), 1e-9))))
    some, found = batch.rows(slice(rows)), list[tuple[float, ...]]()
    while len(found) < _TIMES and (not found or time.perf_counter() - began < _PATIENCE):
        found.append(timed(some))
    return tuple(min(times) / rows for times in zip(*found, strict=True))


def _passed(model: nn.Module, batch: Batch) -> tuple[float, float]:
    """Seconds of a pass, and of the way back."""
    probe = Probe(model, batch.at(batch.x.detach().clone()), second_order=False)
    began = time.perf_counter()
    logits = probe.logits
    _wait(logits.device)
    between = time.perf_counter()
    if logits.requires_grad:  # else the network is without gradients, and what needs them will say so
        probe.gradient("label-logit", detached=True)
        _wait(logits.device)
    return between - began, time.perf_counter() - between


def _differentiated(model: nn.Module, batch: Batch) -> tuple[float]:
    """Seconds of a pass there and back whose gradient is differentiated; 0 where it cannot be."""
    probe = Probe(model, batch.at(batch.x.detach().clone()), second_order=True)
    began = time.perf_counter()
    try:
        slope(probe.gradient("label-logit").flatten(1).square().sum(1), probe.x)
    except Exception as error:
        if out_of_memory(error):
            raise
        return (0.0,)  # its gradients have none; what needs them will say so
    _wait(batch.x.device)
    return (time.perf_counter() - began,)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

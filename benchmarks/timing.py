"""Timing things against each other in one process, so that a slow minute of the machine slows them all."""

import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"
Work = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """How many times as long one thing takes as another: the median over rounds, and its quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f}x ({self.low:.2f} to {self.high:.2f})"


def alternate(works: Mapping[str, Work], rounds: int, *, warm: bool = True) -> dict[str, list[float]]:
    """The seconds that each work takes in each round; a first round warms up and is not counted.

    Works of minutes need no warming up (`warm=False`).
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + warm):
        # every other round runs backwards, so that none always profits from coming after another
        for name in list(works) if number % 2 else reversed(list(works)):
            started = time.perf_counter()
            works[name]()
            seconds[name].append(time.perf_counter() - started)
    return {name: times[int(warm) :] for name, times in seconds.items()}


def ratio(times: list[float], base: list[float]) -> Ratio:
    """One against the other, round by round."""
    ratios = [one / other for one, other in zip(times, base, strict=True)]
    if len(ratios) == 1:
        return Ratio(ratios[0], ratios[0], ratios[0])
    low, median, high = statistics.quantiles(ratios, n=4)
    return Ratio(median, low, high)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def record(name: str, content: Mapping[str, Any]) -> None:
    """Keep a benchmark's figures with the machine that they were measured on."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **content}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n")


def peak_memory() -> int:
    """The most bytes that this process has held, without the peak that it inherits from its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor()
    lines = [line for line in information.read_text().splitlines() if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.machine()

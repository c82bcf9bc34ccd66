"""Cells of a study on a Ray cluster, each a task of its own.

Ray alone decides where and when they run, and does again what was lost with a machine. Results come back to the
process that asked for them, which keeps them; trainings lie in a folder of the same path on each machine, which need
not be shared. Where it is, tasks find the teachers that others trained, and go on where lost ones were stopped.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import ConfigError, MissingExtra
from pellucid.ledger import Numbered, Progress
from pellucid.studies.cell import Cell, Measured, Watch

_RETRIES = 5  # of a cell whose machine is lost
_LOOK_AGAIN = 0.5  # seconds between looks at what is said of cells in work


@dataclass(frozen=True)
class OnRay:
    """Carries cells out on the cluster at `address`, or on the one that runs here at "auto".

    Each takes so many processors, and one accelerator where the device is one.
    """

    address: str = "auto"
    processors: float = 1.0

    def __call__(
        self, cells: Sequence[Cell], numbers: Iterator[int], out: Path, device: str, watch: Watch
    ) -> Iterator[Numbered[Measured] | Progress]:
        """What each cell came to, as it is done."""
        taken = list(numbers)
        if not taken:
            return
        ray = self._connected()
        try:
            board = ray.remote(num_cpus=0)(_Board).remote()
            accelerators = 1 if device.startswith("cuda") else 0
            task = ray.remote(num_cpus=self.processors, num_gpus=accelerators, max_retries=_RETRIES)(_carried_out)
            place = out.resolve()
            pending = {task.remote(cells[number], number, place, device, board): number for number in taken}
            while pending:
                done, _ = ray.wait(list(pending), timeout=_LOOK_AGAIN)
                for step in _heard(ray, board):
                    watch(step)
                for one in done:
                    number = pending.pop(one)
                    yield Numbered(number, _result(ray, one, cells[number]))
        finally:
            ray.shutdown()  # which also ends the tasks of this process, where it is stopped

    def _connected(self) -> Any:
        try:
            import ray
        except ImportError as error:
            raise MissingExtra("--ray needs an extra: pip install 'pellucid[ray]'") from error
        try:
            ray.init(address=self.address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # of many kinds, with pages of text
            words = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"no Ray cluster answers at '{self.address}' ({words}); start one with 'ray start --head', or leave "
                "--ray out"
            ) from error
        return ray


class _Board:
    """Where tasks write down how far they are: the last word of each."""

    def __init__(self) -> None:
        self._said: dict[int, Progress] = {}

    def say(self, number: int, step: Progress) -> None:
        self._said[number] = step

    def heard(self) -> list[Progress]:
        said, self._said = list(self._said.values()), {}
        return said


def _carried_out(cell: Cell, number: int, out: Path, device: str, board: Any) -> Measured:
    return cell.carried_out(out, device=device, watch=lambda step: board.say.remote(number, step))


def _heard(ray: Any, board: Any) -> list[Progress]:
    with suppress(Exception):  # the board is lost with its machine; nothing but words hangs on it
        return ray.get(board.heard.remote(), timeout=_LOOK_AGAIN)
    return []


def _result(ray: Any, done: Any, cell: Cell) -> Measured:
    try:
        return ray.get(done)
    except Exception as error:  # such as that its machine was lost once too often
        words = " ".join(str(error).split())[:300]
        return Measured(cell.row, cell.seed, failure=f"{type(error).__name__}: {words}")

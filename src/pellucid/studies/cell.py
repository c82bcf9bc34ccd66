"""A cell of a study: one network, trained and measured."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lightning_fabric import Fabric

from pellucid import files, runs
from pellucid.config import Table
from pellucid.data import Split, sample
from pellucid.errors import PellucidError, RunBusy
from pellucid.ledger import Job, Progress
from pellucid.metrics.estimates import Estimate
from pellucid.studies.column import Column, Looked
from pellucid.subjects import Subject
from pellucid.subjects.answer import device_of
from pellucid.train import Step

_LOOK_AGAIN = 0.5  # seconds, where another process trains the same teacher

Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Measured:
    """What a cell came to: its figures by `column` or `column/name`, and why others are missing.

    `failure` says why there is no network to measure, and `broken` are columns that ended in an error. `run` is the
    folder of its training.
    """

    row: str
    seed: int
    run: str = ""
    figures: Mapping[str, Estimate] = field(default_factory=dict[str, Estimate])
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    broken: tuple[str, ...] = ()
    failure: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Cell:
    """What is to be done for a row and a seed: train by `settings`, then take the columns.

    `images` and `few` are how many test images are looked at, or all at 0.
    """

    row: str
    seed: int
    settings: Table
    columns: Mapping[str, Column]
    images: int = 0
    few: int = 0

    def __str__(self) -> str:
        return f"{self.row}, seed {self.seed}"

    @property
    def file(self) -> str:
        """The name of its file, without the ending; no other row's is the same."""
        plain = filed(self.row)
        other = "" if plain == self.row else f"-{hashlib.sha256(self.row.encode()).hexdigest()[:6]}"
        return f"{plain}{other}-{self.seed}"

    def carried_out(self, out: Path, *, device: str = "auto", watch: Watch = lambda _: None) -> Measured:
        """Train and measure, in folders inside `out` that other cells share; what goes wrong is said in the result.

        A cell that is carried out again goes on where it was stopped.
        """
        began = time.perf_counter()
        try:
            looked, few = self._trained(out, device, watch)
        except Exception as error:  # one network that cannot be trained takes none of the others with it
            return Measured(self.row, self.seed, failure=_reason(error), seconds=time.perf_counter() - began)
        figures: dict[str, Estimate] = {}
        missing: dict[str, str] = {}
        broken: list[str] = []
        for name, column in self.columns.items():
            watch(Progress("measuring", len(figures), len(self.columns), f"{self}: {name}"))
            try:
                found = column.figures(few if column.dear else looked)
            except Exception as error:  # nor does a column that cannot be taken
                found = {"": _reason(error)}
                broken.append(name)
            for own, figure in found.items():
                place = f"{name}/{own}" if own else name
                if isinstance(figure, str):
                    missing[place] = figure
                else:
                    figures[place] = figure
        seconds = time.perf_counter() - began
        run = looked.run.path.name
        return Measured(self.row, self.seed, run, figures, missing, tuple(broken), seconds=seconds)

    def _trained(self, out: Path, device: str, watch: Watch) -> tuple[Looked, Looked]:
        """The network with the images to look at, and with few of them."""
        place = device_of(device)
        spec, source = runs.prepare(self.settings)
        run = runs.RunFolder(files.make_folder(out / "runs") / spec.folder)
        fabric = Fabric(accelerator=place.type, devices=1, precision=spec.precision)
        while True:
            try:
                for event in runs.execute(spec, source, run, fabric):
                    if isinstance(event, Step):
                        watch(Progress("training", event.step, event.steps, f"{self}: epoch {event.epoch}"))
                break
            except RunBusy as error:  # cells of one seed have a teacher in common, which one of them trains
                watch(Progress("training", 0, 0, f"{self}: {error}"))
                time.sleep(_LOOK_AGAIN)
        network = run.network(spec).to(place).eval()

        def looked(count: int) -> Looked:
            images = _some(source.test, count).to(place)
            subject = Subject(str(run.path), network, source.name, images, source.train)
            return Looked(subject, run, spec, source, self.seed, out / "measured", Job())

        return looked(self.images), looked(self.few)


def filed(name: str) -> str:
    """A name as a part of the name of a file, which leads nowhere else."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)


def _some(split: Split, count: int) -> Split:
    """The same images for every row and seed."""
    return sample(split, count, seed=0) if 0 < count < len(split) else split


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split()) or "no reason was given"
    return words if isinstance(error, PellucidError) else f"{type(error).__name__}: {words}"

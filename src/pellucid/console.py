"""What a person sees while a command works, and tables at the end.

Progress goes to standard error and results to standard output, so that those can be piped.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from pellucid import config
from pellucid.data import Data
from pellucid.printable import all_printable, printable
from pellucid.runs import Event, Finished, RunFolder, Spec, Teaching, test_accuracy
from pellucid.terminal import Terminal
from pellucid.train import Epoch, Resumed, Step
from pellucid.train.references import Mapped

COLLAPSED = (
    "warning: robust accuracy has collapsed against its best so far: training has overfitted to its own attack; "
    "lower its eps, or give it more steps"
)


class Console:
    """A terminal, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet)
        self.err = Terminal(quiet=quiet, stderr=True)

    def reading(self, what: str, done: int, total: int) -> None:
        """Say how far the fetching or reading of data is."""
        if self.err.is_terminal:
            self.err.print(f"{what}: {done / max(total, 1):.0%}", end="\n" if done >= total else "\r")

    def begin(self, spec: Spec, images: Data, folder: RunFolder) -> None:
        """Say what is about to happen."""
        what = printable(f": {spec.model.name} on {images.name}, {len(images.train)} images")
        self.err.print(Text.assemble((printable(spec.method), "bold"), what))
        self.err.print(printable(f"run: {folder.path}"))
        if images.skipped:
            self.err.print(
                printable(
                    f"left out {len(images.skipped)} images that cannot be read: {', '.join(images.skipped[:5])}"
                )
            )

    @contextmanager
    def progress(self) -> Generator[Callable[[Event], None]]:
        """A bar over all steps, and a line for each epoch."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task("training", total=None)

            def watch(event: Event) -> None:
                match event:
                    case Step():
                        bar.update(task, description=f"epoch {event.epoch}", completed=event.step, total=event.steps)
                    case Epoch():
                        self.err.print(str(event))
                        if event.overfitted:
                            self.err.print(COLLAPSED, style="bold yellow")
                    case Resumed():
                        for reason in event.rejected:
                            self.err.print(printable(reason), style="yellow")
                        self.err.print(f"going on after epoch {len(event.history)}")
                    case Teaching():
                        self.err.print(printable(f"its teacher first: {event.folder.path}"))
                    case Mapped():
                        bar.update(task, description="maps", completed=event.done, total=event.total)
                    case Finished():
                        pass

            yield watch

    def end(self, folder: RunFolder) -> None:
        """The result as a table, and where it lies."""
        test = test_accuracy(folder)
        table = Table("measure", "value", "95 % interval", "images", title="test images")
        table.add_row("accuracy", f"{test.value:.4f}", f"{test.low:.4f} to {test.high:.4f}", str(test.n))
        self.out.print(table)
        self.out.print(printable(f"weights, settings and epochs: {folder.path}"))

    def run(self, folder: RunFolder) -> None:
        """A run in full."""
        self.out.print(config.toml(folder.settings()))
        for epoch in folder.epochs():
            self.out.print(str(epoch))
        if folder.complete:
            self.end(folder)
        else:
            self.out.print("this run is not complete; the command that began it goes on with it")

    def lists(self, found: Mapping[str, Mapping[str, Any]]) -> None:
        """Names and what they stand for, a table per kind."""
        for kind, entries in all_printable(found).items():
            # names are there to be copied, so they are never cut
            table = Table(Column("name", no_wrap=True), "what it is", title=kind, title_justify="left", box=SIMPLE)
            for name, what in entries.items():
                table.add_row(name, what)
            self.out.print(table)

"""What a person sees of the making of reference maps."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from pellucid.printable import all_printable
from pellucid.terminal import Terminal
from pellucid.train.references import Mapped


class ReferencesConsole:
    """A terminal, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet)
        self.err = Terminal(quiet=quiet, stderr=True)

    @contextmanager
    def progress(self, explainer: str) -> Generator[Callable[[Mapped], None]]:
        """A bar over the images."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(explainer, total=None)

            def watch(mapped: Mapped) -> None:
                bar.update(task, completed=mapped.done, total=mapped.total)

            yield watch

    def report(self, content: Mapping[str, Any]) -> None:
        """What there is now, and how to train with it."""
        content = all_printable(content)
        title = f"{content['teacher']} on {content['data']}, {content['images']} images"
        # a path that is cut cannot be copied
        table = Table("explainer", "of", "type", Column("folder", no_wrap=True), box=SIMPLE, title=title)
        for maps in content["maps"]:
            table.add_row(maps["explainer"]["kind"], str(maps["of"]), maps["dtype"], maps["path"])
        self.out.print(table)
        self.out.print("to train with them: pellucid train RECIPE --reference FOLDER")

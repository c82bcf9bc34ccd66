"""What a person sees of class importance: a bar over the images, and a table of what matters most."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from pellucid.evaluate import Explained
from pellucid.printable import all_printable
from pellucid.terminal import Terminal

_SHOWN = 10  # classes that are missing, by name


class NormLimeConsole:
    """A terminal, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet)
        self.err = Terminal(quiet=quiet, stderr=True)

    @contextmanager
    def progress(self) -> Generator[Callable[[Explained], None]]:
        """A bar over the images."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task("explaining", total=None)

            def watch(explained: Explained) -> None:
                bar.update(task, completed=explained.done, total=explained.total)

            yield watch

    def report(self, content: Mapping[str, Any]) -> None:
        """The most important features of each class, with how many images use them."""
        content = all_printable(content)
        rule = content["rule"]
        images = f"{content['images']} images by their {content['labels']} class"
        title = f"{content['model']} on {content['data']}, {images}"
        # numbers are never cut, or a narrow window would show none
        numbers = (Column(name, no_wrap=True) for name in (rule["kind"], "95 % interval", "used by"))
        features = ["word"] if content["words"] else ["feature", "rows, columns"]
        table = Table("class", *features, *numbers, box=SIMPLE, title=title)
        times = " times in" if rule["compat"] == "interpretdl" else " of"
        last = ""
        for row in content["features"]:
            name = row["class"] if row["class"] != last else ""
            last = row["class"]
            sure = row["note"] if row["low"] is None else f"{row['low']:.4g} to {row['high']:.4g}"
            used = f"{row['count']}{times} {row['explanations']}"
            feature = [str(row["feature"])] if content["words"] else [str(row["feature"]), row["place"]]
            table.add_row(name, *feature, f"{row['value']:.4g}", sure, used)
        self.out.print(table)
        if content["skipped"]:
            self.out.print(
                f"{content['skipped']} images were skipped: no feature of theirs had any effect on the network"
            )
        if content["missing"]:
            names, why = list(content["missing"]), next(iter(content["missing"].values()))
            shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            self.out.print(f"nothing is known of class {shown}: {why}")
        for note in content["notes"]:
            self.out.print(note)
        self.out.print(
            content["adjusted_r2_note"]
            or f"the linear models account for {content['adjusted_r2']:.0%} of what the network says "
            "(mean adjusted R²)"
        )
        self.out.print(f"all features, and maps of the classes: {content['path']}")

"""What a person sees of metrics of explanations: how far it is, and a table of what came out."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from pellucid.evaluate.explanations import Judging
from pellucid.printable import all_printable
from pellucid.reasons import Reasons
from pellucid.terminal import Terminal

_GOOD = {"higher": "higher is better", "lower": "lower is better", "neither": "neither end is better"}


class JudgeConsole:
    """A terminal, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet)
        self.err = Terminal(quiet=quiet, stderr=True)

    @contextmanager
    def progress(self) -> Generator[Callable[[str, Judging], None]]:
        """A bar over the images of each explainer."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            tasks: dict[str, Any] = {}

            def watch(explainer: str, step: Judging) -> None:
                if explainer not in tasks:
                    tasks[explainer] = bar.add_task(explainer, total=step.total)
                bar.update(tasks[explainer], completed=step.done)

            yield watch

    def report(self, content: Mapping[str, Any]) -> None:
        """Metric by metric the explainers, and what no value could be given to."""
        content = all_printable(content)
        title = f"{content['model']} on {content['data']}, {content['images']} images, explained for: {content['of']}"
        columns = (Column(name, no_wrap=True) for name in ("metric", "explainer", "mean", "95 % interval", "passes"))
        table = Table(*columns, box=SIMPLE, title=title)
        readings, reasons = dict[str, str](), Reasons()
        for figures in sorted(content["metrics"], key=lambda figures: _order(content, figures)):
            name = "" if figures["metric"] in readings else figures["metric"]
            passes = f"{figures['forwards']:.0f} + {figures['backwards']:.0f}"
            table.add_row(name, figures["explainer"], *_cells(figures, reasons), passes)
            readings[figures["metric"]] = _reading(figures)
        self.out.print(table)
        for line in reasons.lines():
            self.out.print(line)
        for name, reading in readings.items():
            self.out.print(f"{name}: {reading}")
        for figures in content["metrics"]:
            if figures["undefined"] and figures["mean"]:
                self.out.print(_lost(figures))
            if figures["note"]:
                self.out.print(f"{figures['metric']} of {figures['explainer']}: {figures['note']}")
        for figures in content["metrics"]:
            self.out.print(f"image by image: {figures['path']}")


def _cells(figures: Mapping[str, Any], reasons: Reasons) -> tuple[str, str]:
    mean = figures["mean"]
    if mean is None:
        return reasons.cell(_lost(figures)), ""
    return f"{mean['value']:.4f}", f"{mean['low']:.4f} to {mean['high']:.4f}"


def _lost(figures: Mapping[str, Any]) -> str:
    who = f"{figures['metric']} of {figures['explainer']}"
    return f"{who}: {figures['undefined']} of {figures['images']} images have no value: {figures['why']}"


def _order(content: Mapping[str, Any], figures: Mapping[str, Any]) -> int:
    """Metrics in the order in which they were asked for."""
    return [one["metric"] for one in content["metrics"]].index(figures["metric"])


def _reading(figures: Mapping[str, Any]) -> str:
    low, high = ("" if end is None else f"{end:g}" for end in (figures["low"], figures["high"]))
    bounds = f"{low} to {high}, " if low and high else f"from {low}, " if low else ""
    return bounds + _GOOD[figures["better"]]

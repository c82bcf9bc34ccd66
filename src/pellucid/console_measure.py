"""What a person sees of measurements: running figures, a table, and what the checks found."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from pellucid import config
from pellucid.attacks import Attack
from pellucid.evaluate import Measured
from pellucid.printable import all_printable
from pellucid.reasons import Reasons
from pellucid.terminal import Terminal


class MeasureConsole:
    """A terminal, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet)
        self.err = Terminal(quiet=quiet, stderr=True)

    @contextmanager
    def progress(self, attack: Attack) -> Generator[Callable[[Measured], None]]:
        """A bar over the images, with the share that stands so far."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        name = _kind(config.dump(attack))
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(f"{name}: accuracy ...", total=None)

            def watch(measured: Measured) -> None:
                bar.update(
                    task,
                    description=f"{name}: accuracy {measured.survived:.3f}",
                    completed=measured.done,
                    total=measured.total,
                )

            yield watch

    def report(self, content: Mapping[str, Any]) -> None:
        """Figures in a table, then the verdicts."""
        content = all_printable(content)
        title = f"{content['model']} on {content['data']}, {content['images']} images"
        # numbers are never cut, or a narrow window would show none
        numbers = (Column(name, no_wrap=True) for name in ("measure", "value", "95 % interval", "passes"))
        table = Table("attack", *numbers, box=SIMPLE, title=title)
        reasons = Reasons()
        table.add_row("no attack", "accuracy", *_cells(content["accuracy"]), "1")
        for figures in [*content["attacks"], *([content["worst"]] if "worst" in content else [])]:
            name, passes = _name(figures), f"{figures['forwards']:.0f} + {figures['backwards']:.0f}"
            for measure, estimate in _measures(figures):
                cells = _cells(estimate) if isinstance(estimate, Mapping) else (reasons.cell(estimate), "")
                table.add_row(name, measure, *cells, passes)
                name = passes = ""
        self.out.print(table)
        for line in reasons.lines():
            self.out.print(line)
        if "worst" in content["missing"]:
            self.out.print(f"no worst of all: {content['missing']['worst']}")
        for figures in content["attacks"]:
            if "median_distance" in figures and 0 < figures["unreached"] < figures["images"]:
                self.out.print(
                    f"{_name(figures)} never reached its goal for {figures['unreached']} of "
                    f"{figures['images']} images; they count as standing at every distance that was measured"
                )
        self._verdicts(content.get("verdicts", ()))
        for figures in content["attacks"]:
            self.out.print(f"image by image: {figures['path']}")

    def _verdicts(self, verdicts: Any) -> None:
        failed = [verdict for verdict in verdicts if not verdict["passed"]]
        if verdicts and not failed:
            self.out.print(f"all {len(verdicts)} checks hold: nothing found that speaks against these figures")
        for verdict in failed:
            self.out.print(Text.assemble((verdict["check"], "bold red"), f": {verdict['finding']}"))
            self.out.print(f"  {verdict['remedy']}")


def _cells(estimate: Mapping[str, Any]) -> tuple[str, str]:
    return f"{estimate['value']:.4f}", f"{estimate['low']:.4f} to {estimate['high']:.4f}"


def _measures(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    """What was measured, and its estimate or the reason why there is none."""
    norm = figures["norm"]["kind"]
    if not figures["robust_accuracy"] and "area" not in figures:
        yield "survived", figures["survived"]
    for eps, estimate in figures["robust_accuracy"].items():
        yield f"robust accuracy at {norm} {eps}", estimate
    for name in ("area", "median_distance"):
        if name in figures:
            yield f"{name.replace('_', ' ')} ({norm})", figures[name] or figures["missing"][name]


def _name(figures: Mapping[str, Any]) -> str:
    goal = figures["goal"]["kind"]
    return _kind(figures["attack"]) + ("" if goal == "misclassified" else f", {goal}")


def _kind(attack: Any) -> str:
    """An attack's name; of a wrapper, what it wraps."""
    match attack:
        case list():
            return "worst of all"
        case {"kind": "ladder", "parts": [first, *_]}:
            return _kind(first)
        case {"kind": "repeat", "attack": inner, "times": times}:
            return f"{_kind(inner)}, {times} times"
        case {"kind": kind}:
            return str(kind)
        case _:
            return str(attack)

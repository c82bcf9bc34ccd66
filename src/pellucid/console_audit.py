"""What a person sees of an audit: the plan, how far it is, and what it found."""

import textwrap
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.console import Console as Terminal
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column, Table
from rich.text import Text

from pellucid.audit import Began, Done, Event, Planned, short_names
from pellucid.audit.pace import Pace, in_words

_ROWS = 8  # of a part's figures that the main table has; the page has all
_CELL, _INTERVAL = 22, 16  # characters of a figure with its interval, and of the interval alone

Estimate = Mapping[str, Any] | None


class _Left(ProgressColumn):
    """The time that the whole audit has left."""

    def __init__(self, left: Callable[[], float]) -> None:
        super().__init__()
        self.left = left

    def render(self, task: Task) -> Text:
        return Text(f"{in_words(self.left())} left")


class AuditConsole:
    """A terminal, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet, highlight=False, soft_wrap=True)
        self.err = Terminal(quiet=quiet, highlight=False, stderr=True, soft_wrap=True)

    def plan(self, planned: Sequence[Planned], models: Sequence[str], complete: int) -> None:
        """The parts that are to be carried out, and about how long each takes."""
        if complete:
            self.err.print(f"{complete} parts are done already")
        if not planned:
            return
        table = _table("part", models)
        cells: dict[str, dict[int, float]] = {}
        for entry in planned:
            cells.setdefault(entry.part, {})[entry.model] = entry.seconds
        for part, own in cells.items():
            table.add_row(escape(part), *(_expected(own.get(number)) for number in range(len(models))))
        self.err.print(table)
        total = sum(entry.seconds for entry in planned)
        self.err.print(f"about {in_words(total)} in all; stop it whenever you like, the same command goes on")

    @contextmanager
    def progress(
        self, planned: Sequence[Planned], models: Sequence[str]
    ) -> Generator[tuple[Callable[[int, int, str], None], Callable[[Event], None]]]:
        """A bar over the part that is being carried out, and a line for each that has been."""
        pace, short = Pace(planned), short_names(models)
        now: dict[str, Any] = {"model": None, "part": "", "began": 0.0}

        def left() -> float:
            return pace.left(now["model"], now["part"], time.monotonic() - now["began"])

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), _Left(left))
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task("", total=None, words="", visible=False)

            def watch(done: int, total: int, words: str) -> None:
                bar.update(task, completed=done, total=total, words=escape(words))

            def hear(event: Event) -> None:
                name = escape(f"{short[event.model]}, {event.part}")
                match event:
                    case Began():
                        now.update(model=event.model, part=event.part, began=time.monotonic())
                        bar.reset(task, description=name, total=None, words="", visible=True)
                    case Done():
                        pace.done(event.model, event.part, event.outcome.seconds)
                        now.update(model=None, part="")
                        failure = escape(event.outcome.failure)
                        if event.outcome.skipped:
                            bar.console.print(f"{name}: {failure}")
                        elif failure:
                            bar.console.print(f"{name}: [bold red]failed[/]: {failure}")
                        else:
                            bar.console.print(f"{name}: done in {in_words(event.outcome.seconds)}")

            yield watch, hear

    def stopped(self, done: int, planned: int, path: object) -> None:
        """Say what is kept."""
        self.err.print(f"{done} of {planned} parts are done and kept in {escape(str(path))}")

    def report(self, content: Mapping[str, Any]) -> None:
        """The main figures of every network, what failed, and where the page lies."""
        self.out.print(_figures(content, self.out.width))
        short = dict(zip(content["models"], short_names(content["models"]), strict=True))
        for entry in content["verdicts"]:
            verdict, name = entry["verdict"], short[entry["model"]]
            self.out.print(f"[bold red]{escape(verdict['check'])}[/] of {escape(name)}: {escape(verdict['finding'])}")
            self.out.print(f"  {verdict['remedy']}", markup=False)
        for entry in content["failures"]:
            words = "" if entry["skipped"] else "[bold red]failed[/]: "
            self.out.print(
                f"{escape(short[entry['model']])}, {escape(entry['part'])}: {words}{escape(entry['failure'])}"
            )
        for entry in content["requirements"]:
            model = escape(short[entry["model"]])
            required, found = (escape(entry[name]) for name in ("requirement", "found"))
            self.out.print(f"[bold red]required[/]: {required}; {model}: {found}")
        if content["page"]:
            self.out.print(f"the page: {content['page']}", markup=False)


def _figures(content: Mapping[str, Any], width: int) -> Table:
    models: Sequence[str] = content["models"]
    title = f"{content['data']['source']}, {content['data']['images']} images"
    cells: dict[str, dict[str, dict[int, Estimate]]] = {}
    for entry in content["figures"]:
        arguments = f"({', '.join(entry['arguments'])})" if entry["arguments"] else ""
        row = cells.setdefault(entry["part"], {}).setdefault(entry["name"] + arguments, {})
        row[entry["network"]] = entry["estimate"]
    longest = max((len(name) for rows in cells.values() for name in rows), default=0)
    wide = longest + 3 + (_CELL + 2) * len(models) <= width
    table = _table("figure", models, title, _CELL if wide else _INTERVAL)
    for rows in cells.values():
        for name, row in list(rows.items())[:_ROWS]:
            table.add_row(
                escape(name), *(_estimate(row, number, " " if wide else "\n") for number in range(len(models)))
            )
        if len(rows) > _ROWS:
            table.add_row(f"... and {len(rows) - _ROWS} more on the page", *[""] * len(models))
    return table


def _table(first: str, models: Sequence[str], title: str = "", width: int = _CELL) -> Table:
    """A column of each network; where there is too little room, they are folded and the first is not."""
    heads = ("\n".join(textwrap.wrap(escape(name), width)) for name in short_names(models))
    columns = (Column(head, justify="right", overflow="fold") for head in heads)
    return Table(Column(first, no_wrap=True), *columns, box=SIMPLE, title=escape(title) or None)


def _estimate(row: Mapping[int, Estimate], number: int, between: str) -> str:
    if number not in row:
        return ""
    estimate = row[number]
    if estimate is None:
        return "none"
    return f"{estimate['value']:.3f}{between}({estimate['low']:.3f} to {estimate['high']:.3f})"


def _expected(seconds: float | None) -> str:
    if seconds is None:
        return "done"
    return in_words(seconds) if seconds else "unknown"

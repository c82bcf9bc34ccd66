"""What a person sees of an audit: the plan, how far it is, and what it found."""

import textwrap
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.box import SIMPLE
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column, Table
from rich.text import Text

from pellucid.audits import Began, Done, Event, Lightened, Listener, Planned, Waiting
from pellucid.audits.carrying_out import Watch
from pellucid.audits.fitting import span_of
from pellucid.audits.planning import Pace
from pellucid.cli.screens.lines import Lines
from pellucid.cli.screens.screen import Screen
from pellucid.durations import time_in_words
from pellucid.errors import Damaged, count_of
from pellucid.ledger import Progress
from pellucid.metrics import Estimate
from pellucid.page import letter, short_names
from pellucid.printable import all_printable, printable
from pellucid.reasons import Reasons
from pellucid.subjects import Subject, untrained_words

_BAD = "bold red"
_ROWS = 8  # of a part's figures that the main table has; the page has all

Found = Mapping[str, Any]


class _Form(NamedTuple):
    """How a network's figures are written: in so many characters, under its name or a letter that stands for it."""

    width: int
    cell: str
    lettered: bool = False


_INTERVAL = "({low:.{decimals}f} to {high:.{decimals}f})"
# from the fullest to the briefest; the last is taken even where it does not fit
_FORMS = (
    _Form(25, "{value:.{decimals}f} " + _INTERVAL),
    _Form(18, "{value:.{decimals}f}\n" + _INTERVAL),
    _Form(5, "{value:.3f}", lettered=True),
)


class _Left(ProgressColumn):
    """The time that the whole audit has left."""

    def __init__(self, left: Callable[[], float]) -> None:
        super().__init__()
        self.left = left

    def render(self, task: Task) -> Text:
        return Text(f"{time_in_words(self.left())} left")


class OnScreen(Listener):
    """An audit of `models` as a person sees it; `part` is that of the images, `out` where the audit lies.

    So many `processes` share the work.
    """

    def __init__(
        self, screen: Screen, models: Sequence[str], part: str, out: object, command: str = "", processes: int = 1
    ) -> None:
        self.screen, self.models, self.part, self.out, self.command = screen, models, part, out, command
        self.processes, self.helps = processes, False
        self.reading = screen.reading
        self.shown = False

    def begins(self, subjects: Sequence[Subject]) -> None:
        """What has to be said before the work, which the report says again, and which images are looked at."""
        names = list(dict.fromkeys(subject.name for subject in subjects if subject.untrained))
        if names:
            self.screen.err.print(printable(untrained_words(names)))
        # of a file that nobody has divided, the test part is a fraction
        part, images = self.part, count_of(len(subjects[0].split), "image")
        which = "all images" if part == "all" else f"the {part} images"
        self.screen.err.print(printable(f"{images}: {which} of {subjects[0].source}; a few passes are timed"))

    def fitted(self, budget: float, lines: Sequence[str]) -> None:
        """What is left out, and how to have it all the same."""
        if lines:
            self.screen.err.print(printable(f"to keep to {time_in_words(budget)} (--budget):"))
            for line in lines:
                self.screen.err.print(printable(f"  {line}"))

    def planned(self, planned: Sequence[Planned], complete: int) -> None:
        """The parts that are to be carried out, and about how long each takes."""
        err = self.screen.err
        if complete:
            err.print(f"{complete} parts are done already")
        if not planned:
            return
        cells: dict[str, dict[int, float]] = {}
        for entry in planned:
            cells.setdefault(entry.part, {})[entry.model] = entry.seconds
        table = _table("part", self.models, _form(cells, self.models, err.width))
        for part, own in cells.items():
            table.add_row(part, *(_expected(own.get(number)) for number in range(len(self.models))))
        err.print(table)
        total = span_of((entry.seconds for entry in planned), self.processes)
        err.print(f"about {time_in_words(total)} in all; stop it whenever you like, the same command goes on")

    @contextmanager
    def progress(self, planned: Sequence[Planned]) -> Generator[tuple[Watch, Callable[[Event], None]]]:
        """A bar over the part that is being carried out, and a line for each that has been."""
        pace, short = Pace(planned), short_names(self.models)
        now: dict[str, Any] = {"model": None, "part": "", "began": 0.0, "name": ""}

        def left() -> float:
            return pace.left(now["model"], now["part"], time.monotonic() - now["began"]) / self.processes

        with self._shown(left) as show:

            def watch(done: int, total: int, words: str) -> None:
                show(Progress(now["name"], done, total, words))

            def hear(event: Event) -> None:
                say = self.screen.err.print
                if isinstance(event, Lightened):
                    for line in event.lines:
                        say(printable(f"too little time is left; {line}"))
                    return
                if isinstance(event, Waiting):
                    others = count_of(event.parts, "part")
                    show(Progress(f"waiting for {others} that other processes have in hand", 0, 0))
                    return
                name = printable(f"{short[event.model]}, {event.part}")
                match event:
                    case Began():
                        now.update(model=event.model, part=event.part, began=time.monotonic(), name=name)
                        show(Progress(name, 0, 0))
                    case Done():
                        pace.done(event.model, event.part, event.outcome.seconds)
                        now.update(model=None, part="")
                        failure = printable(event.outcome.failure)
                        if event.outcome.skipped:
                            say(f"{name}: {failure}")
                        elif failure:
                            say(Text.assemble(f"{name}: ", ("failed", _BAD), f": {failure}"))
                        else:
                            say(f"{name}: done in {time_in_words(event.outcome.seconds)}")

            yield watch, hear

    @contextmanager
    def _shown(self, left: Callable[[], float]) -> Generator[Callable[[Progress], None]]:
        """Shows how far a part is, and the time that the whole audit has left."""
        if not self.screen.err.is_terminal:
            with Lines(self.screen.err) as lines:

                def told(step: Progress) -> None:
                    words = filter(None, [step.words, f"{time_in_words(left())} left"])
                    lines(replace(step, words=", ".join(words)))

                yield told
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            _Left(left),
        )
        with Bars(*columns, console=self.screen.err, transient=True) as bars:
            task = bars.add_task("", total=None, words="", visible=False)

            def drawn(step: Progress) -> None:
                if not step.total:
                    bars.reset(task, total=None, visible=True)
                total = step.total or None
                bars.update(task, description=step.doing, completed=step.done, total=total, words=step.words)

            yield drawn

    def drawn(self, page: Path) -> None:
        """Where to look meanwhile."""
        if not self.shown:
            self.screen.err.print(printable(f"the page so far: {page}"))
        self.shown = True

    def stopped(self, done: int, planned: int) -> None:
        """What is kept."""
        self.screen.err.print(f"{done} of {planned} parts are done and kept in {printable(str(self.out))}")


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """The main figures of every network, what failed, and where the page lies."""
    content = all_printable(content)
    if content["untrained"]:
        screen.out.print(untrained_words(content["untrained"]))
    reasons = Reasons()
    screen.out.print(_figures(content, screen.out.width, reasons))
    for line in reasons.lines():
        screen.out.print(line)
    short = dict(zip(content["models"], short_names(content["models"]), strict=True))
    for entry in content["verdicts"]:
        verdict, name = entry["verdict"], short[entry["model"]]
        screen.out.print(Text.assemble((verdict["check"], _BAD), f" of {name}: {verdict['finding']}"))
        screen.out.print(f"  {verdict['remedy']}")
    for entry in content["failures"]:
        words = [] if entry["skipped"] else [("failed", _BAD), ": "]
        place = f"{short[entry['model']]}, {entry['part']}: "
        screen.out.print(Text.assemble(place, *words, entry["failure"]))
    for entry in content["requirements"]:
        model = short[entry["model"]]
        required, found = (entry[name] for name in ("requirement", "found"))
        screen.out.print(Text.assemble(("required", _BAD), f": {required}; {model}: {found}"))
    for entry in content["overruled"]:
        holds = f": {entry['requirement']} of {short[entry['model']]} holds, but {entry['found']}; "
        screen.out.print(Text.assemble(("overruled", _BAD), holds, "--allow-failed-checks lets it pass"))
    for entry in content["unchecked"]:
        screen.out.print(f"{entry['requirement']} of {short[entry['model']]} holds; {entry['found']}")
    if content["page"]:
        screen.out.print(f"the page: {content['page']}")


def end_if_damaged(content: Mapping[str, Any]) -> None:
    """End with an error where files of an audit are damaged, after what could be read was shown."""
    *others, last = content["damaged"] or [""]
    for line in others:
        click.echo(f"damaged: {printable(line)}", err=True)
    if last:
        raise Damaged(last)


def _figures(content: Mapping[str, Any], width: int, reasons: Reasons) -> Table:
    models: Sequence[str] = content["models"]
    cells: dict[str, dict[str, dict[int, Found]]] = {}
    for entry in content["figures"]:
        arguments = f"({', '.join(entry['arguments'])})" if entry["arguments"] else ""
        row = cells.setdefault(entry["part"], {}).setdefault(entry["name"] + arguments, {})
        row[entry["network"]] = entry
    form = _form([name for rows in cells.values() for name in list(rows)[:_ROWS]], models, width)
    table = _table("figure", models, form, f"{content['data']['source']}, {content['data']['images']} images")
    for rows in cells.values():
        for name, row in list(rows.items())[:_ROWS]:
            table.add_row(name, *(_estimate(row, number, form.cell, reasons) for number in range(len(models))))
        if len(rows) > _ROWS:
            table.add_row(f"... and {len(rows) - _ROWS} more on the page", *[""] * len(models))
    return table


def _form(rows: Iterable[str], models: Sequence[str], width: int) -> _Form:
    """The fullest form in which a table of these rows fits."""
    room = width - max(map(len, rows), default=0) - 4
    return next((form for form in _FORMS if (form.width + 2) * len(models) <= room), _FORMS[-1])


def _table(first: str, models: Sequence[str], form: _Form, title: str = "") -> Table:
    """A column of each network; where there is too little room, they are folded and the first is not."""
    names = all_printable(short_names(models))
    heads = names
    if form.lettered:
        heads = [letter(number) for number in range(len(models))]
        title = "\n".join([title, *map(" ".join, zip(heads, names, strict=True))]).strip()
    wrapped = ("\n".join(textwrap.wrap(name, form.width)) for name in heads)
    columns = (Column(head, justify="right", overflow="fold") for head in wrapped)
    return Table(
        Column(first, no_wrap=True),
        *columns,
        box=SIMPLE,
        padding=(0, 1, 0, 0),
        title=title or None,
        title_justify="left" if form.lettered else "center",
    )


def _estimate(row: Mapping[int, Found], number: int, cell: str, reasons: Reasons) -> str:
    if number not in row:
        return ""
    estimate = row[number]["estimate"]
    if estimate is None:
        return reasons.cell(row[number]["note"])
    return cell.format(**estimate, decimals=min(Estimate(**estimate).decimals, 4))


def _expected(seconds: float | None) -> str:
    if seconds is None:
        return "done"
    if not seconds:
        return "?"
    return time_in_words(seconds) if seconds >= 1 else "< 1 s"

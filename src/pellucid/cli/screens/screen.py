"""Where commands speak, in plain text, and how they say how far they are."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.segment import Segment
from rich.text import Text

from pellucid.cli.screens.lines import Lines
from pellucid.ledger import Progress
from pellucid.printable import printable, printable_lines
from pellucid.subjects.untrained import untrained_words


class Terminal(Console):
    """Lines and tables without markup, on standard output or standard error; nothing at all where `quiet`.

    Styles are given by `rich.text.Text`, never by words in brackets, which any name could have.
    """

    def __init__(self, *, quiet: bool = False, stderr: bool = False) -> None:
        super().__init__(quiet=quiet, stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def render_str(self, text: str, **how: Any) -> Text:
        """The text as it is laid out: signs that do something have been replaced before they are counted."""
        return super().render_str(printable_lines(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is written: the cursor is moved by bars and tables, not by what stands in them."""
        for segment in super().render(renderable, options):
            known = segment.control or segment.text == "\r"  # which ends a line that is written again
            yield segment if known else Segment(printable_lines(segment.text), segment.style)


class Bar:
    """A bar of each thing that is done; what is done again goes on with its own. A total of 0 nobody knows."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: Progress) -> None:
        """Say how far it is, and in words what came of it so far."""
        if step.doing not in self._tasks:
            self._tasks[step.doing] = self._bars.add_task("", total=step.total or None)
        said = printable(f"{step.doing}: {step.words}" if step.words else step.doing)
        self._bars.update(self._tasks[step.doing], description=said, completed=step.done, total=step.total or None)


class Screen:
    """Standard output and standard error, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet)
        self.err = Terminal(quiet=quiet, stderr=True)

    def reading(self, what: str, done: int, total: int) -> None:
        """Say how far the fetching or reading of data is."""
        if self.err.is_terminal:
            self.err.print(f"{what}: {done / max(total, 1):.0%}", end="\n" if done >= total else "\r")

    def foreseen(self, lines: Iterable[str]) -> None:
        """Say before it begins what something will take."""
        for line in lines:
            self.err.print(printable(line))

    def untrained(self, networks: Sequence[Any]) -> None:
        """The first line of what is printed, where networks have learned nothing."""
        names = list(dict.fromkeys(network.name for network in networks if network.untrained))
        if names:
            self.out.print(printable(untrained_words(names)))

    @contextmanager
    def progress(self) -> Generator[Callable[[Progress], None]]:
        """Bars while something lasts, or a line every ten seconds where there is no terminal to draw them on."""
        if not self.err.is_terminal:
            with Lines(self.err) as lines:
                yield lines
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self.err, transient=True) as bars:
            yield Bar(bars)

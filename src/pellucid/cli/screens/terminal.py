"""A terminal on which names and messages from elsewhere are text and nothing else."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from pellucid.printable import printable_lines


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

"""What a person sees of lists."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.printable import all_printable


def report(screen: Screen, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Names and what they stand for, a table for each kind."""
    for kind, entries in all_printable(found).items():
        # names are there to be copied, so they are never cut
        table = Table(Column("name", no_wrap=True), "what it is", title=kind, title_justify="left", box=SIMPLE)
        for name, what in entries.items():
            table.add_row(name, what)
        screen.out.print(table)

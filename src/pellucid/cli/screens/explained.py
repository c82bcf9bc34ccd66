"""What a person sees of explanations: the classes that were explained, and where the pictures lie."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.errors import count_of
from pellucid.explainers.explanation import notes_in_words
from pellucid.printable import all_printable


def drawn(screen: Screen, count: int, part: str) -> None:
    """Say which images are explained where nobody has."""
    screen.err.print(f"explaining {count} of the {part} images, drawn at random; --n draws more")


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """Each picture, the classes that were explained, what has to be known of the maps, and the sheet."""
    content = all_printable(content)
    numbers = Column("probability", justify="right", no_wrap=True)
    table = Table("picture", "class", numbers, "explained by", box=SIMPLE, title=content["model"])
    rows: dict[tuple[str, str, float], list[str]] = {}
    for entry in content["explanations"]:
        key = (entry["picture"], entry["of"], entry["probability"])
        methods = rows.setdefault(key, [])
        if entry["explainer"] not in methods:
            methods.append(entry["explainer"])
    for (picture, of, probability), methods in rows.items():
        table.add_row(picture, of, f"{probability:.1%}", ", ".join(methods))
    screen.out.print(table)
    for method in content["explainers"]:
        own = [entry for entry in content["explanations"] if entry["explainer"] == method]
        for line in notes_in_words([entry["notes"] for entry in own], [entry["lost"] for entry in own]):
            screen.out.print(f"{method}, {line}")
        ends = [entry["leads_to"] for entry in own if entry["leads_to"]]
        if ends:
            screen.out.print(f"{method}, {_reached(ends)}")
    first, *more = content["sheets"]
    behind = f"; the other classes: {more[0]}{f' to {more[-1]}' if len(more) > 1 else ''}" if more else ""
    screen.out.print(f"all of them side by side: {first}{behind}")


def _reached(ends: Sequence[Mapping[str, Any]]) -> str:
    """How often an image was found at which the class is the likeliest, and how sure the network is of it there."""
    reached = [end["probability"] for end in ends if end["reached"]]
    words = f"{len(reached)} of {count_of(len(ends), 'image')} lead to their class"
    if reached:
        words += f", sure of it by {min(reached):.1%}" + (f" to {max(reached):.1%}" if len(reached) > 1 else "")
    return words + ("" if len(reached) == len(ends) else "; the others do not reach it")

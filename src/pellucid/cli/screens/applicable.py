"""What a person sees of which explainers apply to a network."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.durations import measured_time, time_in_words
from pellucid.printable import all_printable


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """Those that apply with what they take, what they go by, and of the others why not."""
    content = all_printable(content)
    passes, time = (Column(name, justify="right", no_wrap=True) for name in ("passes", "time"))
    title = f"{content['model']}: what applies, and what a map of an image takes"
    table = Table(Column("explainer", no_wrap=True), passes, time, "goes by", box=SIMPLE, title=title)
    rows: Sequence[Mapping[str, Any]] = content["explainers"]
    for one in rows:
        if one["applies"]:
            table.add_row(one["explainer"], _passes(one), _time(one), "; ".join(_goes_by(one)))
        else:
            table.add_row(one["explainer"], "", "", "does not apply, see below")
    screen.out.print(table)
    for one in rows:
        for note in one["notes"]:
            screen.out.print(f"{one['explainer']}: {note}")
        if one["learning"]:
            said = f"{one['learning']:,} passes, about {time_in_words(one['learning_seconds'])}"
            screen.out.print(f"{one['explainer']} learns from training images first: {said}")
    reasons: dict[str, list[str]] = {}
    for one in rows:
        if not one["applies"]:
            reasons.setdefault(one["why"], []).append(one["explainer"])
    for why, names in reasons.items():
        screen.out.print(f"not {', '.join(names)}: {why}")


def _passes(one: Mapping[str, Any]) -> str:
    return "" if one["forwards"] is None else f"{one['forwards']:,} + {one['backwards']:,}"


def _time(one: Mapping[str, Any]) -> str:
    return "not known" if one["seconds"] is None else measured_time(one["seconds"])


def _goes_by(one: Mapping[str, Any]) -> list[str]:
    return [*filter(None, [one["reads"]]), *one["settings"]]

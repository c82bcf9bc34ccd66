"""What a person sees of retraining: curves as tables."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.printable import all_printable
from pellucid.reasons import Reasons

_SAID = {"roar": "these shares removed: lower is better", "kar": "these shares alone kept: higher is better"}


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """For each protocol the accuracies, then which ranking is better than which."""
    content = all_printable(content)
    for found in content["protocols"]:
        _curves(screen, content, found)
        if found["comparisons"]:
            _comparisons(screen, content, found)
    one = "each accuracy is of one network, so there are no intervals; give 2 seeds or more"
    several = f"means of {content['seeds']} networks each, with 95 % intervals over them"
    screen.out.print(
        f"the network as it is: {content['original']['value']:.4f} on {content['images']} test images; "
        f"{one if content['seeds'] == 1 else several}"
    )
    screen.out.print(f"rankings are those of {content['model']}; every network: {content['path']}")


def _curves(screen: Screen, content: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    title = f"{found['protocol'].upper()}: accuracy with {_SAID[found['protocol']]}"
    numbers = (Column(name, no_wrap=True) for name in (*(f"{f:g}" for f in content["fractions"]), "mean height"))
    table = Table(Column("ranking", no_wrap=True), *numbers, box=SIMPLE, title=title)
    for name, curve in found["rankings"].items():
        table.add_row(name, *map(_shown, (*curve["accuracy"], curve["area"])))
    screen.out.print(table)


def _comparisons(screen: Screen, content: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    title = f"{found['protocol'].upper()}: difference of mean heights, seed by seed"
    table = Table("ranking", "less", "difference", "95 % interval", "p", box=SIMPLE, title=title)
    reasons = Reasons()
    for pair in found["comparisons"]:
        sure = reasons.cell(pair["note"]) if pair["low"] is None else f"{pair['low']:+.4f} to {pair['high']:+.4f}"
        names = (pair["first"], pair["second"])
        table.add_row(*names, f"{pair['value']:+.4f}", sure, f"{pair['p']:.4f}")
    screen.out.print(table)
    for line in reasons.lines():
        screen.out.print(line)
    least = 2 / 2 ** content["seeds"]
    if least > 0.05:
        screen.out.print(
            f"with {content['seeds']} seeds no p is below {min(1.0, least):.4f}; take more to show a difference"
        )


def _shown(estimate: Mapping[str, Any]) -> str:
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} ± {(estimate['high'] - estimate['low']) / 2:.3f}"

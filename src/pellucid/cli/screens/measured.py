"""What a person sees of measurements: a table, and what the checks found."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table
from rich.text import Text

from pellucid.cli.screens.screen import Screen
from pellucid.errors import count_of
from pellucid.printable import all_printable
from pellucid.reasons import Reasons


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """Figures in a table, then the verdicts."""
    content = all_printable(content)
    title = f"{content['model']} on {content['data']}, {count_of(content['images'], 'image')}"
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
    screen.out.print(table)
    for line in reasons.lines():
        screen.out.print(line)
    if "worst" in content["missing"]:
        screen.out.print(f"no worst of all: {content['missing']['worst']}")
    for figures in content["attacks"]:
        if "median_distance" in figures and 0 < figures["unreached"] < figures["images"]:
            screen.out.print(
                f"{_name(figures)} never reached its goal for {figures['unreached']} of "
                f"{figures['images']} images; they count as surviving every distance that was measured"
            )
    _verdicts(screen, content.get("verdicts", ()))
    for figures in content["attacks"]:
        screen.out.print(f"image by image: {figures['path']}")


def _verdicts(screen: Screen, verdicts: Any) -> None:
    failed = [verdict for verdict in verdicts if not verdict["passed"]]
    if verdicts and not failed:
        screen.out.print(f"all {len(verdicts)} checks hold: nothing found that speaks against these figures")
    for verdict in failed:
        screen.out.print(Text.assemble((verdict["check"], "bold red"), f": {verdict['finding']}"))
        screen.out.print(f"  {verdict['remedy']}")


def _cells(estimate: Mapping[str, Any]) -> tuple[str, str]:
    return f"{estimate['value']:.4f}", f"{estimate['low']:.4f} to {estimate['high']:.4f}"


def _measures(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    """What was measured, and its estimate or the reason why there is none."""
    norm = figures["norm"]["kind"]
    if not figures["robust_accuracy"] and "area" not in figures:
        yield "survived", figures["survived"]
    for estimate in figures["robust_accuracy"].values():
        yield f"robust accuracy at {norm} {estimate['typed']}", estimate
    for name in ("area", "median_distance"):
        if name in figures:
            yield f"{name.replace('_', ' ')} ({norm})", figures[name] or figures["missing"][name]


def _name(figures: Mapping[str, Any]) -> str:
    goal = figures["goal"]["kind"]
    return attack_name(figures["attack"]) + ("" if goal == "misclassified" else f", {goal}")


def attack_name(attack: Any) -> str:
    """An attack's name; of a wrapper, what it wraps."""
    match attack:
        case list():
            return "worst of all"
        case {"kind": "ladder", "parts": [first, *_]}:
            return attack_name(first)
        case {"kind": "repeat", "attack": inner, "restarts": restarts}:
            return f"{attack_name(inner)}, {restarts} restarts"
        case {"kind": kind}:
            return str(kind)
        case _:
            return str(attack)

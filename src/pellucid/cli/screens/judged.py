"""What a person sees of metrics of explanations."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.printable import all_printable
from pellucid.reasons import Reasons

_GOOD = {"higher": "higher is better", "lower": "lower is better", "neither": "neither end is better"}


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """Metric by metric the explainers, and what no value could be given to."""
    content = all_printable(content)
    title = f"{content['model']} on {content['data']}, {content['images']} images, explained for: {content['of']}"
    columns = (Column(name, no_wrap=True) for name in ("metric", "explainer", "mean", "95 % interval", "passes"))
    table = Table(*columns, box=SIMPLE, title=title)
    readings, reasons = dict[str, str](), Reasons()
    for figures in sorted(content["metrics"], key=lambda figures: _order(content, figures)):
        name = "" if figures["metric"] in readings else figures["metric"]
        passes = f"{figures['forwards']:.0f} + {figures['backwards']:.0f}"
        table.add_row(name, figures["explainer"], *_cells(figures, reasons), passes)
        readings[figures["metric"]] = _reading(figures)
    screen.out.print(table)
    for line in reasons.lines():
        screen.out.print(line)
    for name, reading in readings.items():
        screen.out.print(f"{name}: {reading}")
    for figures in content["metrics"]:
        if figures["undefined"] and figures["mean"]:
            screen.out.print(_lost(figures))
        if figures["note"]:
            screen.out.print(f"{figures['metric']} of {figures['explainer']}: {figures['note']}")
    for figures in content["metrics"]:
        screen.out.print(f"image by image: {figures['path']}")


def _cells(figures: Mapping[str, Any], reasons: Reasons) -> tuple[str, str]:
    mean = figures["mean"]
    if mean is None:
        return reasons.cell(_lost(figures)), ""
    return f"{mean['value']:.4f}", f"{mean['low']:.4f} to {mean['high']:.4f}"


def _lost(figures: Mapping[str, Any]) -> str:
    who = f"{figures['metric']} of {figures['explainer']}"
    return f"{who}: {figures['undefined']} of {figures['images']} images have no value: {figures['why']}"


def _order(content: Mapping[str, Any], figures: Mapping[str, Any]) -> int:
    """Metrics in the order in which they were asked for."""
    return [one["metric"] for one in content["metrics"]].index(figures["metric"])


def _reading(figures: Mapping[str, Any]) -> str:
    low, high = ("" if end is None else f"{end:g}" for end in (figures["low"], figures["high"]))
    bounds = f"{low} to {high}, " if low and high else f"from {low}, " if low else ""
    return bounds + _GOOD[figures["better"]]

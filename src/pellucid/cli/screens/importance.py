"""What a person sees of class importance: a table of what matters most."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.printable import all_printable

_SHOWN = 10  # classes that are missing, by name


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """The most important features of each class, with how many images use them."""
    content = all_printable(content)
    rule = content["rule"]
    images = f"{content['images']} images by their {content['labels']} class"
    title = f"{content['model']} on {content['data']}, {images}"
    # numbers are never cut, or a narrow window would show none
    numbers = (Column(name, no_wrap=True) for name in (rule["kind"], "95 % interval", "used by"))
    features = ["word"] if content["words"] else ["feature", "rows, columns"]
    table = Table("class", *features, *numbers, box=SIMPLE, title=title)
    times = " times in" if rule["compat"] == "interpretdl" else " of"
    last = ""
    for row in content["features"]:
        name = row["class"] if row["class"] != last else ""
        last = row["class"]
        sure = row["note"] if row["low"] is None else f"{row['low']:.4g} to {row['high']:.4g}"
        used = f"{row['count']}{times} {row['explanations']}"
        feature = [str(row["feature"])] if content["words"] else [str(row["feature"]), row["place"]]
        table.add_row(name, *feature, f"{row['value']:.4g}", sure, used)
    screen.out.print(table)
    if content["skipped"]:
        screen.out.print(
            f"{content['skipped']} images were skipped: no feature of theirs had any effect on the network"
        )
    if content["missing"]:
        names, why = list(content["missing"]), next(iter(content["missing"].values()))
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        screen.out.print(f"nothing is known of class {shown}: {why}")
    for note in content["notes"]:
        screen.out.print(note)
    screen.out.print(
        content["adjusted_r2_note"]
        or f"the linear models account for {content['adjusted_r2']:.0%} of what the network says (mean adjusted R²)"
    )
    screen.out.print(f"all features, and maps of the classes: {content['path']}")

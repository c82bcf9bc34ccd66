"""What a person sees of reference maps."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.printable import all_printable


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """What there is now, and how to train with it."""
    content = all_printable(content)
    title = f"{content['teacher']} on {content['data']}, {content['images']} images"
    # a path that is cut cannot be copied
    table = Table("explainer", "of", "type", Column("folder", no_wrap=True), box=SIMPLE, title=title)
    for maps in content["maps"]:
        table.add_row(maps["explainer"]["kind"], str(maps["of"]), maps["dtype"], maps["path"])
    screen.out.print(table)
    if content["whole"]:
        screen.out.print("to train with them: pellucid train RECIPE --reference FOLDER")
    else:
        screen.out.print("these are maps of some images; training takes maps of all its images, made without --n")

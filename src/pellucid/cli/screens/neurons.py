"""What a person sees of neurons: tables layer by layer."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from pellucid.cli.screens.screen import Screen
from pellucid.printable import all_printable

_FIGURES = {
    "identity": "level, classes unlike each other",
    "identity_corrected": "  with chance at 0",
    "level": "level, {similarity}",
    "corrected": "  with chance at 0",
    "beyond": "neurons beyond permuted labels (p <= .05)",
    "content": "CS1: stays with the content",
    "content_above": "  above permuted labels",
    "target": "CS2: goes with the target",
    "target_above": "  above permuted labels",
    "difference": "CS1 - CS2",
    "r_mean": "r_mean: nearer to the target above 1",
    "r_inst": "r_inst: nearer to the target above 1",
    "auroc_errors": "support foretells errors (AUROC)",
    "auroc_attacks": "support foretells attacks (AUROC)",
}

# beneath another's row the name is short; alone it says all
_SPELLED = {
    "identity_corrected": "the same with chance at 0",
    "corrected": "level, {similarity}, with chance at 0",
    "content_above": "CS1 above permuted labels",
    "target_above": "CS2 above permuted labels",
}


def report(screen: Screen, content: Mapping[str, Any]) -> None:
    """Each layer's figures, then its neurons from both ends."""
    content = all_printable(content)
    kind = content["similarity"]["kind"]
    for layer in content["layers"]:
        _figures(screen, layer, content, kind)
        _neurons(screen, layer)
        if layer["support_unknown"]:
            unknown = layer["support_unknown"]
            screen.out.print(f"{unknown} predictions rest on no neuron that means anything; they have no support")
        screen.out.print(f"all neurons: {layer['table']}")
        if layer["layer"] in content["pictures"]:
            screen.out.print(f"their images: {content['pictures'][layer['layer']]}")


def _figures(screen: Screen, layer: Mapping[str, Any], content: Mapping[str, Any], kind: str) -> None:
    alive, dead = layer["neurons"] - layer["dead"], layer["dead"]
    images = f"{layer['count']} of {layer['images']} images activate a neuron"
    title = f"{content['model']} on {content['data']}, layer {layer['layer']}: {alive} neurons, {dead} dead; {images}"
    # numbers are never cut, or a narrow window would show none
    numbers = (Column(name, no_wrap=True) for name in ("value", "95 % interval", "chance"))
    table = Table("measure", *numbers, box=SIMPLE, title=title)
    chances = {"identity": layer["identity_chance"], "level": layer["chance"], "beyond": 0.05}
    lacking: dict[str, list[str]] = {}
    for name, words in _FIGURES.items():
        found = layer[name]
        if kind == "identity" and name in ("level", "corrected"):
            continue
        if found is None:
            label = _SPELLED.get(name, words.partition(":")[0]).format(similarity=kind)
            lacking.setdefault(layer["missing"][name], []).append(label)
            continue
        chance = f"{chances[name]:.4f}" if name in chances else ""
        interval = f"{found['low']:.4f} to {found['high']:.4f}"
        table.add_row(words.format(similarity=kind), f"{found['value']:.4f}", interval, chance)
    if table.row_count:
        screen.out.print(table)
    else:
        screen.out.print(title)
    for reason, labels in lacking.items():
        screen.out.print(f"no value of {'; '.join(labels)}: {reason}")
    if layer["tried"]:
        within = content["budget"]["typed"]
        screen.out.print(
            f"{layer['succeeded']} of {layer['tried']} attacks led an image to the class wanted, within {within}"
        )


def _neurons(screen: Screen, layer: Mapping[str, Any]) -> None:
    numbers = (Column(name, no_wrap=True) for name in ("level", "p"))
    if not layer["most"]:
        return
    table = Table("", "neuron", *numbers, "classes of its images", box=SIMPLE)
    for end in ("most", "least"):
        name = f"{end} consistent"
        for row in layer[end]:
            classes = ", ".join(f"{one} {share:.0%}" for one, share in row["classes"])
            table.add_row(name, str(row["neuron"]), f"{row['level']:.4f}", f"{row['p']:.3f}", classes)
            name = ""
    screen.out.print(table)

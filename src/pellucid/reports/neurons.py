"""The images that activate neurons most, as pictures."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from pellucid.data import Split
from pellucid.drawing import Cell, Sheet, photograph, save


def write_top_images(content: Mapping[str, Any], split: Split) -> dict[str, str]:
    """Draw the images that activate a layer's most and least consistent neurons most; where each sheet lies.

    `content` is what `write_findings` says, of the images of `split`.
    """
    folder, paths = Path(content["path"]), dict[str, str]()
    for layer in content["layers"]:
        rows: list[Sequence[Mapping[str, Any]]] = [layer["most"], layer["least"]]
        neurons = list({row["neuron"]: row for end in rows for row in end}.values())
        if not neurons:
            continue
        wanted = sorted({number for row in neurons for number in row["top_images"]})
        pictures = _pictures(split, wanted)
        path = folder / f"top-{re.sub(r'[^A-Za-z0-9._-]+', '_', layer['layer'])}.png"
        across = max(len(row["top_images"]) for row in neurons)
        nothing = Image.new("RGB", (1, 1), "white")
        cells = [
            [
                Cell(
                    nothing,
                    (f"neuron {row['neuron']}", f"level {row['level']:.3f}", f"{row['class']} {row['share']:.0%}"),
                ),
                *(Cell(*pictures[number]) for number in row["top_images"]),
            ]
            for row in neurons
        ]
        note = "the images that activate each neuron most, the strongest first, with their classes"
        save(Sheet(["neuron", *[""] * across], cells, note).drawn(), path)
        paths[layer["layer"]] = str(path)
    return paths


def _pictures(split: Split, numbers: Sequence[int]) -> dict[int, tuple[Image.Image, tuple[str]]]:
    """The images with these numbers, and their classes; one batch after the other, until all are found."""
    found: dict[int, tuple[Image.Image, tuple[str]]] = {}
    wanted = set(numbers)
    for batch in split.batches(list(torch.arange(len(split)).split(256))):
        for row, number in enumerate(batch.index.tolist()):
            if number in wanted:
                found[number] = (photograph(batch.x[row]), (split.classes[int(batch.y[row])],))
        if len(found) == len(wanted):
            break
    return found

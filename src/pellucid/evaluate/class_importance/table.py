"""Importance as rows for tables, files and programs, and as maps."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid import config, files
from pellucid.data import Split
from pellucid.evaluate.class_importance.folder import ImportanceFolder
from pellucid.explainers.normlime import Importance, NormLime, small
from pellucid.ledger import checksums
from pellucid.printable import cell

_COLUMNS = (
    "class",
    "rank",
    "feature",
    "place",
    "value",
    "low",
    "high",
    "standard_error",
    "count",
    "explanations",
    "note",
)


def write_importance(folder: ImportanceFolder, split: Split, explainer: NormLime, *, top: int = 5) -> dict[str, Any]:
    """What a folder's explanations come to by the explainer's rule, with the `top` features of each class.

    All features are written to `importance.csv`, what they are of to `importance.json` and, where images share
    features, a map for each class and how many explanations `used` each place to `maps.npz`, in a folder of the
    rule's own inside.
    """
    about, rule = folder.about, explainer.rule
    importance = folder.importance(rule)
    segments = None if about["words"] else shared_segments(explainer, about["shape"])
    names = names_of(folder, split, importance)
    every = rows(importance, names, segments, top=about["features"])
    shown = [row for row in every if row["rank"] <= top]
    words = [rule.kind, rule.sign, rule.by, *([rule.compat] if rule.compat != "none" else [])]
    path, fit = folder.path / "-".join(words), folder.fit()
    content: dict[str, Any] = {
        "images": about["images"],
        "labels": about["labels"],
        "rule": config.dump(rule),
        "lime": about["lime"],
        "words": about["words"],
        "skipped": importance.skipped,
        "missing": missing(folder, importance, names),
        "adjusted_r2": fit,
        "adjusted_r2_note": "" if fit is not None else _unfitted(importance.skipped == about["images"]),
        "idle": folder.idle(),
        "notes": notes_of(folder, explainer),
        "path": str(path),
        "features": shown,
    }
    files.inner_folder(path)
    files.write_text(path / "importance.csv", _csv(every))
    files.write_text(path / "importance.json", files.json_text(content | {"features": every}) + "\n")
    if segments is not None:
        maps, used = class_maps(importance, segments).numpy(), importance.counts[:, segments.flatten()]
        used = used.unflatten(1, segments.shape).int().numpy()
        checksums.write_arrays(path / "maps.npz", {"maps": maps, "used": used, "classes": numpy.array(names)})
    return content


def _unfitted(nothing: bool) -> str:
    """Why it cannot be told how far the linear models can be trusted."""
    if nothing:
        return "no linear model says anything: nothing that was hidden had any effect"
    return "how much the linear models account for cannot be told from so few masks; give more with --masks"


def names_of(folder: ImportanceFolder, split: Split, importance: Importance) -> list[str]:
    """What the rows of an importance are called; a network may know more classes than the images have."""
    classes = [*split.classes, *map(str, range(len(split.classes), folder.about["classes"]))]
    return classes if importance.rule.by == "class" else ["all"]


def missing(folder: ImportanceFolder, importance: Importance, names: Sequence[str]) -> dict[str, str]:
    """The classes of which nothing is known, and why."""
    why = "no image was predicted as it" if folder.about["labels"] == "predicted" else "no image has this label"
    if importance.skipped:
        why += ", or only such on which nothing that was hidden had any effect"
    return {name: why for name, n in zip(names, importance.explanations.tolist(), strict=True) if not n}


def notes_of(folder: ImportanceFolder, explainer: NormLime) -> list[str]:
    """What has to be known about what was hidden."""
    lime, share, notes = explainer.lime, folder.idle(), list[str]()
    if small(lime.segmentation, tuple(folder.about["shape"])):
        notes.append(
            f"cells are less than 2 x 2 pixels, whose own mean would hide little: the baseline is '{lime.baseline}'"
        )
    if share:
        notes.append(
            f"{share:.0%} of an image's parts, on average, hide nothing: they are as the baseline '{lime.baseline}' "
            f"already, and count for nothing{_MOST if share >= _HALF else ''}"
        )
    return notes


_HALF = 0.5
_MOST = "; with so many, give larger cells or another baseline"


def rows(
    importance: Importance, names: Sequence[str], segments: Int[Tensor, "h w"] | None, *, top: int
) -> list[dict[str, Any]]:
    """The `top` features of each class that anything is known of, the most important first.

    `segments` says where shared features lie; words lie nowhere. An interval that nothing is known of is None, and
    the note says why.
    """
    places = {} if segments is None else _places(segments)
    low, high = importance.interval()
    found: list[dict[str, Any]] = []
    for row, name in enumerate(names):
        for rank, feature in enumerate(importance.top(row, top).tolist(), 1):
            what = (name, rank, feature, places.get(feature, ""), float(importance.values[row, feature]))
            sure = [float(bounds[row, feature]) for bounds in (low, high, importance.standard_errors)]
            known = sure if math.isfinite(sure[-1]) else [None] * 3
            counted = (int(importance.counts[row, feature]), int(importance.explanations[row]))
            note = "one image, so no interval" if known[0] is None else ""
            found.append(dict(zip(_COLUMNS, (*what, *known, *counted, note), strict=True)))
    return found


def class_maps(importance: Importance, segments: Int[Tensor, "h w"]) -> Float[Tensor, "rows h w"]:
    """The importance of each pixel's feature, a map for each class."""
    return importance.values[:, segments.flatten()].unflatten(1, segments.shape)


def shared_segments(explainer: NormLime, shape: Sequence[int]) -> Int[Tensor, "h w"]:
    """The segment of every pixel, in any image of this shape."""
    return explainer.lime.segmentation(torch.zeros(1, *shape))[0]


def _csv(found: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows(map(cell, row.values()) for row in found)
    return text.getvalue()


def _places(segments: Tensor) -> dict[int, str]:
    """Where each feature lies: its rows and columns, from 0."""
    found: dict[int, str] = {}
    for feature in segments.unique().tolist():
        down, across = (segments == feature).nonzero(as_tuple=True)
        found[int(feature)] = f"{_span(down)}, {_span(across)}"
    return found


def _span(numbers: Tensor) -> str:
    first, last = (int(bound) for bound in torch.aminmax(numbers))
    return str(first) if first == last else f"{first}-{last}"

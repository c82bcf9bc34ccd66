"""Which image files a folder has, in which classes and splits."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from pellucid.errors import DataError

_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def is_image(path: Path) -> bool:
    """Whether a file that is not hidden ends as images do."""
    return path.suffix.lower() in _EXTENSIONS and not path.name.startswith(".")


_PARTS = {"train": "train", "test": "test", "validation": "validation", "valid": "validation", "val": "validation"}


@final
@dataclass(frozen=True)
class Listing:
    """Image files, as paths below the folder, and the class of each; their class folders are in `place`."""

    place: Path
    names: tuple[str, ...]
    labels: Int[Tensor, " n"]

    def where(self, mask: Bool[Tensor, " n"]) -> "Listing":
        """Some of the files, in the same order."""
        kept = mask.nonzero()[:, 0].tolist()
        return Listing(self.place, tuple(self.names[number] for number in kept), self.labels[mask])

    def among(self, names: Container[str]) -> "Listing":
        """Those of the files that are in `names`."""
        return self.where(torch.tensor([name in names for name in self.names], dtype=torch.bool))


def listings(folder: Path) -> tuple[tuple[str, ...], Mapping[str, Listing]]:
    """The classes, and the files of `train`, `test` and `validation`; or those of `all`, where nothing divides them.

    Hidden files are passed over, and so is whatever does not end like an image. Classes are sorted by name.
    """
    inside = _folders(folder)
    divided = "train" in inside and len(inside) > 1 and all(name in _PARTS for name in inside)
    places = {_PARTS[name]: inside[name] for name in inside} if divided else {"all": folder}
    classes = {part: tuple(_folders(place)) for part, place in places.items()}
    known = classes["train" if divided else "all"]
    for part, present in classes.items():
        if present != known:
            raise DataError(
                f"'{places[part]}' has the class folders {_listed(present)} and '{places['train']}' has "
                f"{_listed(known)}; make them the same"
            )
    found = {part: _listing(folder, place) for part, place in places.items()}
    if not any(listing.names for listing in found.values()):
        raise DataError(f"'{folder}' has no images in class folders; put them into '{folder}/<class>/'")
    return known, found


def _listing(folder: Path, place: Path) -> Listing:
    names: list[str] = []
    labels: list[int] = []
    for label, home in enumerate(_folders(place).values()):
        if nested := _folders(home):
            raise DataError(
                f"'{home}' is a class and has the folder '{next(iter(nested))}' in it; move its images up"
            )
        files = [path.relative_to(folder).as_posix() for path in _visible(home) if is_image(path)]
        names += files
        labels += [label] * len(files)
    return Listing(place, tuple(names), torch.tensor(labels, dtype=torch.int64))


def _folders(place: Path) -> dict[str, Path]:
    return {path.name: path for path in _visible(place) if path.is_dir()}


def _visible(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if not path.name.startswith("."))


def _listed(classes: tuple[str, ...]) -> str:
    return ", ".join(classes) or "none"

"""Your own image files, one folder per class."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from pellucid import limits
from pellucid.data.datasets import Data, Request
from pellucid.data.images import ImageFiles, is_image
from pellucid.data.split import Split, held_out
from pellucid.data.streamed import StreamedSplit
from pellucid.data.survey import Seen, survey
from pellucid.errors import DataError, ShapeError, suggestion
from pellucid.intake import Intake
from pellucid.ledger import digest

_AS_THEY_ARE = Intake()
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
        """The listed files that are in `names`."""
        return self.where(torch.tensor([name in names for name in self.names], dtype=torch.bool))


def places_of(folder: Path) -> Mapping[str, Path]:
    """The folders of `train`, `test` and `validation`; or `all`, the folder itself, where nothing divides it."""
    inside = folders_in(folder)
    parts = bool(inside) and all(name in _PARTS for name in inside)
    divided = parts and (("train" in inside and len(inside) > 1) or any(map(folders_in, inside.values())))
    return {_PARTS[name]: inside[name] for name in inside} if divided else {"all": folder}


def listings(folder: Path, only: Sequence[str] = ()) -> tuple[tuple[str, ...], Mapping[str, Listing]]:
    """The classes, and the files of `train`, `test` and `validation`; or those of `all`, where nothing divides them.

    Hidden files are passed over, and so is whatever does not end like an image. Classes are sorted by name; `only`
    some of them are looked at, where it names any.
    """
    places = places_of(folder)
    if "all" not in places:
        _check_parts(folder, places)
    classes = {part: _chosen(place, only) for part, place in places.items()}
    known = classes["all" if "all" in places else "train"]
    for part, present in classes.items():
        if present != known:
            raise DataError(
                f"'{places[part]}' has the class folders {_listed(present)} and '{places['train']}' has "
                f"{_listed(known)}; make them the same"
            )
    found = {part: listing_of(folder, place, known) for part, place in places.items()}
    if not any(listing.names for listing in found.values()):
        raise DataError(f"'{folder}' has no images in class folders; put them into '{folder}/<class>/'")
    return known, found


def _check_parts(folder: Path, places: Mapping[str, Path]) -> None:
    """Refuse parts of which networks cannot both learn and be tested."""
    if "train" not in places:
        raise DataError(
            f"'{folder}' has images to test with alone, and networks learn from others; "
            f"put those into '{folder}/train/<class>/'"
        )
    if len(places) == 1:
        raise DataError(
            f"'{folder}' has images to learn from alone; add '{folder}/test/<class>/', "
            f"or put the class folders into '{folder}' itself"
        )


def _chosen(place: Path, only: Sequence[str]) -> tuple[str, ...]:
    """The class folders, or those of them that are wanted, all of which have to be there."""
    present = folders_in(place)
    for name in only:
        if name not in present:
            raise DataError(
                f"the class folder '{name}' is asked for, and '{place}' has none of that name"
                f"{suggestion(name, present)}; add it, or take it off the list"
            )
    wanted = set(only)
    return tuple(name for name in present if not only or name in wanted)


def listing_of(folder: Path, place: Path, classes: Sequence[str]) -> Listing:
    """The image files in the class folders of `place`, as paths below `folder`; labels count along `classes`."""
    names: list[str] = []
    labels: list[int] = []
    numbers = {name: number for number, name in enumerate(classes)}
    for name, home in folders_in(place).items():
        if name not in numbers:
            continue
        if nested := folders_in(home):
            raise DataError(
                f"'{home}' is a class and has the folder '{next(iter(nested))}' in it; move its images up"
            )
        files = [path.relative_to(folder).as_posix() for path in _visible(home) if is_image(path)]
        names += files
        labels += [numbers[name]] * len(files)
    return Listing(place, tuple(names), torch.tensor(labels, dtype=torch.int64))


def folders_in(place: Path) -> dict[str, Path]:
    """The folders in a folder by name, sorted; hidden ones are passed over."""
    return {path.name: path for path in _visible(place) if path.is_dir()}


def _visible(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if not path.name.startswith("."))


def _listed(classes: tuple[str, ...]) -> str:
    return ", ".join(classes) or "none"


_SHARE = 0.15  # of each class for testing, and as much for validation
_CHUNK = 64
_DIVIDED = 3  # images of a class that is divided, at least


def load_folder(request: Request) -> Data:
    """A folder of your own images: train/<class>/, test/<class>/ and perhaps val/<class>/, or <class>/ alone.

    Without a test folder the validation images are the test set; without either, 15 % of each class become the test
    set and as many the validation set. If every image is gray there is one channel, else three.
    """
    folder = request.given("folder")
    classes, parts = listings(folder, request.only)
    names = tuple(name for listing in parts.values() for name in listing.names)
    looks = survey(folder, names, decode=request.skip_bad, workers=request.decoding.workers, report=request.report)
    seen = {name: look for name, look in looks.items() if isinstance(look, Seen)}
    bad = {name: look for name, look in looks.items() if isinstance(look, DataError)}
    if bad and not request.skip_bad:
        raise next(iter(bad.values()))

    parts = {part: listing.among(seen) for part, listing in parts.items()}
    for listing in parts.values():
        _check_counts(listing, classes, least=_DIVIDED if "all" in parts else 1)
    undivided = parts.get("all")
    if "all" in parts:
        parts = _divided(parts["all"], request.split_seed)
    shape = common_shape(folder, seen, request.size, request.decoding.intake)
    intake = scaling(request.decoding.intake, request.size)
    fits = len(seen) * shape[0] * shape[1] * shape[2] <= request.decoding.memory

    def streamed(listing: Listing) -> StreamedSplit:
        images = ImageFiles(folder, listing.names, shape, intake)
        origin = origin_of(images, seen)
        return StreamedSplit(images, listing.labels, classes, origin, workers=request.decoding.workers)

    splits: dict[str, Split] = {
        part: streamed(listing).held(request.report) if fits else streamed(listing) for part, listing in parts.items()
    }
    test = splits.pop("test") if "test" in splits else splits.pop("validation")
    return Data(
        folder.resolve().name,
        splits["train"],
        test,
        splits.get("validation"),
        skipped=tuple(bad),
        whole=None if undivided is None else streamed(undivided),
    )


def can_be_divided(folder: Path) -> bool:
    """Whether each class of an undivided folder has images for all parts."""
    return all(sum(map(is_image, _visible(home))) >= _DIVIDED for home in folders_in(folder).values())


def _check_counts(listing: Listing, classes: tuple[str, ...], *, least: int) -> None:
    counts = listing.labels.bincount(minlength=len(classes)).tolist()
    for name, count in zip(classes, counts, strict=True):
        if count == 0:
            raise DataError(
                f"the class folder '{listing.place / name}' has no readable images; add some, or remove the folder"
            )
        if count < least:
            raise DataError(
                f"the class folder '{listing.place / name}' has too few images to divide ({count}); "
                f"add some until there are {least}, or make train and test folders; "
                "to look at a network and train none, take --split all"
            )


def _divided(listing: Listing, seed: int) -> dict[str, Listing]:
    test = held_out(listing.labels, _SHARE, seed)
    rest = listing.where(~test)
    validation = held_out(rest.labels, _SHARE / (1 - _SHARE), seed)
    return {"train": rest.where(~validation), "test": listing.where(test), "validation": rest.where(validation)}


def common_shape(
    folder: Path, seen: Mapping[str, Seen], size: int | None, intake: Intake = _AS_THEY_ARE
) -> tuple[int, int, int]:
    """The one shape of images that were looked at, or that they are scaled to."""
    said = intake.shape
    channels = (1 if all(look.gray for look in seen.values()) else 3) if said is None else said[0]
    if channels not in (1, 3):
        raise ShapeError(
            f"the network takes images of {channels} channels, which no image file has; give a .npz file"
        )
    if size is not None:
        return channels, size, size
    if said is not None:
        return said
    (first, like), *others = seen.items()
    if like.height * like.width > limits.PIXELS:
        raise ShapeError(
            f"images in '{folder}' have {like.height}x{like.width} pixels, more than {limits.PIXELS:,}; "
            "scale and crop them to squares with size= (--set data.size=)"
        )
    for name, look in others:
        if (look.height, look.width) != (like.height, like.width):
            raise ShapeError(
                f"images in '{folder}' differ in size: '{first}' is {like.height}x{like.width} and '{name}' is "
                f"{look.height}x{look.width}; scale and crop them to squares with size= (--set data.size=)"
            )
    return channels, like.height, like.width


def scaling(intake: Intake, size: int | None) -> Intake:
    """How images are scaled: as a network says; only the way between pixels, where somebody says the size."""
    if size is not None:
        return Intake(interpolation=intake.interpolation)
    return Intake(crop=intake.crop, interpolation=intake.interpolation, stretched=intake.stretched)


def origin_of(images: ImageFiles, seen: Mapping[str, Seen]) -> str:
    """What identifies the pixels of files: their names and sizes, and how they are scaled."""
    files = [(name, seen[name].weight) for name in images.names]
    if images.intake == _AS_THEY_ARE:
        return digest("files", files)
    return digest("files", files, images.intake.crop, images.intake.interpolation, images.intake.stretched)

"""Images for a network that was trained elsewhere and knows its classes by name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import torch

from pellucid.class_names import ClassFinder, shown_names
from pellucid.data.datasets import Data
from pellucid.data.download import Report, silent
from pellucid.data.folder import common_shape, folders_in, listing_of, origin_of, places_of, scaling
from pellucid.data.images import ImageFiles
from pellucid.data.split import Split
from pellucid.data.streamed import StreamedSplit
from pellucid.data.survey import Seen, survey
from pellucid.data.tensors import TensorSplit
from pellucid.errors import DataError
from pellucid.intake import Intake

_FEW = 5  # names in a message
_NO_MAP: Mapping[str, str] = MappingProxyType({})


def load_for(
    folder: Path,
    intake: Intake,
    mapping: Mapping[str, str] = _NO_MAP,
    *,
    size: int | None = None,
    skip_bad: bool = False,
    workers: int = 2,
    report: Report = silent,
) -> Mapping[str, StreamedSplit]:
    """The images of a folder of class folders, scaled and labeled as a network says: by its own classes, all of them.

    A class folder is called as a class is, or by the number of its output; `mapping` says what others stand for. A
    folder of `train`, `test` or `val` gives these parts, as many as there are; any other is one part, `all`. Nothing
    is held out and a class may have a single image, since nothing is trained. Where the network has no classes, the
    folders are the classes.
    """
    places = places_of(folder)
    names = sorted({name for place in places.values() for name in folders_in(place)})
    classes = shown_names(intake.classes) if intake.classes else tuple(names)
    where = _outputs(folder, names, intake.classes, mapping)
    found = {part: listing_of(folder, place, names) for part, place in places.items()}
    if not intake.classes:  # a folder without images would be one
        for part, listing in found.items():
            for name, home in folders_in(places[part]).items():
                if not listing.labels.eq(names.index(name)).any():
                    raise DataError(
                        f"the class folder '{home}' has no readable images; add some, or remove the folder"
                    )
    kept = torch.tensor([where[name] is not None for name in names], dtype=torch.bool)
    found = {part: listing.where(kept[listing.labels]) for part, listing in found.items()}
    files = tuple(name for listing in found.values() for name in listing.names)
    if not files:
        raise DataError(f"'{folder}' has no images in class folders; put them into '{folder}/<class>/'")
    looks = survey(folder, files, decode=skip_bad, workers=workers, report=report)
    seen = {name: look for name, look in looks.items() if isinstance(look, Seen)}
    bad = [look for look in looks.values() if isinstance(look, DataError)]
    if bad and not (skip_bad and seen):
        raise bad[0]
    shape, scaled = common_shape(folder, seen, size, intake), scaling(intake, size)
    outputs = torch.tensor([where[name] or 0 for name in names], dtype=torch.int64)
    parts: dict[str, StreamedSplit] = {}
    for part, listing in found.items():
        readable = listing.among(seen)
        if readable.names:
            images = ImageFiles(folder, readable.names, shape, scaled)
            labels = outputs[readable.labels]
            parts[part] = StreamedSplit(images, labels, classes, origin_of(images, seen), workers=workers)
    return parts


def relabeled_for(known: Data, intake: Intake, mapping: Mapping[str, str] = _NO_MAP) -> Data:
    """Data that have classes of their own, labeled by those of a network: classes are matched by their names.

    Classes that are numbers only are outputs of the network by their number.
    """
    parts = {"train": known.train, "test": known.test, "validation": known.validation, "whole": known.whole}
    there = {name: part for name, part in parts.items() if part is not None}
    return replace(known, **relabeled_parts(there, known.name, intake, mapping))


def relabeled_parts(
    parts: Mapping[str, Split], name: str, intake: Intake, mapping: Mapping[str, str] = _NO_MAP
) -> Mapping[str, Split]:
    """The same of the parts of data that are called so."""
    own, shown = next(iter(parts.values())).classes, shown_names(intake.classes)
    if own == tuple(map(str, range(len(own)))) and not mapping:
        if len(own) != len(shown):  # which is said where the network has been asked
            return parts
        where = torch.arange(len(own))
    else:
        found = _outputs(Path(name), own, intake.classes, mapping)
        if left_out := [one for one in own if found[one] is None]:
            raise DataError(f"the class '{left_out[0]}' of '{name}' cannot be left out; say what it stands for")
        where = torch.tensor([found[one] or 0 for one in own], dtype=torch.int64)

    def relabeled(split: Split) -> Split:
        assert isinstance(split, TensorSplit | StreamedSplit), "data are loaded as one of these"
        return replace(split, labels=where.to(split.labels.device)[split.labels], classes=shown)

    return {part: relabeled(split) for part, split in parts.items()}


def _outputs(
    folder: Path, names: Sequence[str], classes: tuple[str, ...], mapping: Mapping[str, str]
) -> Mapping[str, int | None]:
    """The output that each name stands for; none where it is left out."""
    if strangers := [name for name in mapping if name not in names]:
        raise DataError(f"'{folder}' has no class '{strangers[0]}', which the map of classes names; leave it out")
    if not classes:
        if mapping:
            raise DataError("nobody says what the classes of the network are called; give --classes along with --map")
        return {name: number for number, name in enumerate(names)}
    finder = ClassFinder(classes)
    found: dict[str, int | None] = {}
    unknown: list[str] = []
    for name in names:
        word = mapping.get(name, name)
        # several names of one class may stand in one word, with commas between them
        places = finder.places(word) or sorted(
            {place for one in word.split(",") for place in finder.places(one.strip())}
        )
        if len(places) > 1:
            shown = shown_names(classes)
            several = " or ".join(f"'{shown[place]}'" for place in places[:_FEW])
            raise DataError(f"'{word}' of '{folder}' may be {several}; say which by --map FILE, a line {name},CLASS")
        if not places and word:
            unknown.append(name if word == name else f"{name} (mapped to {word})")
        found[name] = places[0] if places else None
    if unknown:
        more = len(unknown) - _FEW
        listed = ", ".join(unknown[:_FEW]) + (f" and {more:,} more" if more > 0 else "")
        raise DataError(
            f"'{folder}' has classes that the network does not know by name or number: {listed}; "
            "rename them, or give --map FILE with a line for each: folder,class"
        )
    return found

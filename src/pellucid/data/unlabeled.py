"""Images that nobody has labeled: a folder with pictures in it and no folders of classes."""

from pathlib import Path

import torch

from pellucid.data.download import Report, silent
from pellucid.data.folder import common_shape, origin_of, scaling
from pellucid.data.images import ImageFiles, is_image
from pellucid.data.streamed import StreamedSplit
from pellucid.data.survey import Seen, survey
from pellucid.errors import DataError
from pellucid.intake import Intake

UNLABELED = "unlabeled"
_AS_THEY_ARE = Intake()


def is_flat(place: Path) -> bool:
    """Whether a path is an image file, or a folder that has some in it, and no folder that is not hidden."""
    if not place.is_dir():
        return place.is_file() and is_image(place)
    inside = [path for path in place.iterdir() if not path.name.startswith(".")]
    return any(map(is_image, inside)) and not any(path.is_dir() for path in inside)


def load_unlabeled(
    place: Path,
    intake: Intake = _AS_THEY_ARE,
    *,
    size: int | None = None,
    skip_bad: bool = False,
    workers: int = 2,
    report: Report = silent,
) -> StreamedSplit:
    """The images of a flat folder, sorted by name, or a single image file; all are of one class, "unlabeled".

    `intake` says how a network wants them scaled and cropped; the other parameters are those of `load`.
    """
    folder, names = place.parent, (place.name,)
    if place.is_dir():
        folder, names = place, tuple(sorted(path.name for path in place.iterdir() if is_image(path)))
    looks = survey(folder, names, decode=skip_bad, workers=workers, report=report)
    seen = {name: look for name, look in looks.items() if isinstance(look, Seen)}
    bad = [look for look in looks.values() if isinstance(look, DataError)]
    if bad and not skip_bad:
        raise bad[0]
    if not seen:
        raise DataError(f"'{place}' holds no images that can be read; give some")
    images = ImageFiles(folder, tuple(seen), common_shape(folder, seen, size, intake), scaling(intake, size))
    labels = torch.zeros(len(seen), dtype=torch.int64)
    return StreamedSplit(images, labels, (UNLABELED,), origin_of(images, seen), workers=workers)

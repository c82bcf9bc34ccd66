"""Images that nobody has labeled: a folder with pictures in it and no folders of classes."""

from pathlib import Path

import torch

from pellucid.data.download import Report, silent
from pellucid.data.folder import common_shape
from pellucid.data.images import ImageFiles, is_image
from pellucid.data.streamed import StreamedSplit
from pellucid.data.survey import Seen, survey
from pellucid.errors import DataError
from pellucid.ledger import digest

UNLABELED = "unlabeled"


def is_flat(place: Path) -> bool:
    """Whether a path is a folder that has images in it, and no folder that is not hidden."""
    if not place.is_dir():
        return False
    inside = [path for path in place.iterdir() if not path.name.startswith(".")]
    return any(map(is_image, inside)) and not any(path.is_dir() for path in inside)


def load_unlabeled(
    folder: Path, *, size: int | None = None, skip_bad: bool = False, workers: int = 2, report: Report = silent
) -> StreamedSplit:
    """The images of a flat folder, sorted by name and all of one class, "unlabeled".

    The parameters are those of `load`.
    """
    names = tuple(sorted(path.name for path in folder.iterdir() if is_image(path)))
    looks = survey(folder, names, decode=skip_bad, workers=workers, report=report)
    seen = {name: look for name, look in looks.items() if isinstance(look, Seen)}
    bad = [look for look in looks.values() if isinstance(look, DataError)]
    if bad and not skip_bad:
        raise bad[0]
    if not seen:
        raise DataError(f"the folder '{folder}' holds no images that can be read; give some")
    images = ImageFiles(folder, tuple(seen), common_shape(folder, seen, size))
    origin = digest("files", [(name, look.weight) for name, look in seen.items()])
    labels = torch.zeros(len(seen), dtype=torch.int64)
    return StreamedSplit(images, labels, (UNLABELED,), origin, workers=workers)

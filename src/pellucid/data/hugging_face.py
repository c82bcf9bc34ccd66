"""Labeled images of Hugging Face's datasets, from the Hub, or from a folder that lies here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import UInt8
from torch import Tensor

from pellucid.data.datasets import Data, Decoding, Request
from pellucid.data.download import Report, silent
from pellucid.data.folder import common_shape, scaling
from pellucid.data.images import pixels_of, reduce, unpacked
from pellucid.data.split import Split, holdout
from pellucid.data.streamed import StreamedSplit
from pellucid.data.survey import GRAY, Seen
from pellucid.errors import DataError, UnknownName, suggestion
from pellucid.extras import extra
from pellucid.intake import Intake
from pellucid.ledger import digest

HUGGING_FACE = "hf:"
"""What names of such data sets begin with."""

_PARTS = {"train": "train", "test": "test", "validation": "validation", "valid": "validation", "val": "validation"}
_SHARE = 0.15  # that becomes the test set of what comes undivided, and as much for validation
_LABELS = ("label", "labels", "class", "target")
_EVERY = 1000  # rows between two words about how far it is


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """The images of a table's rows, each of which is decoded to the same shape when it is asked for.

    They are files in the table; a row that has no more than the name of a file elsewhere is refused.
    """

    table: Any
    column: str
    folder: Path
    shape: tuple[int, int, int]
    intake: Intake

    @property
    def names(self) -> Sequence[str]:
        """The rows by their numbers."""
        return tuple(map(str, range(len(self))))

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.table)

    def decode(self, number: int) -> UInt8[Tensor, "c h w"]:
        """The pixels of one row."""
        name = f"row {number}"
        with unpacked(_content(self.table, self.column, number, self.folder), self.folder, name) as image:
            return pixels_of(image, name, self.folder, self.shape, self.intake)


def load_hugging_face(request: Request) -> Data:
    """A data set of Hugging Face's datasets: `hf:OWNER/NAME`, `hf:OWNER/NAME/CONFIG` or `hf:/path/to/folder`.

    After a colon the column of labels may follow, where there are several. What comes undivided is divided as folders
    are: 15 % of each class become the test set, and as many the validation set.
    """
    source = "" if request.path is None else str(request.path)
    if not source.startswith(HUGGING_FACE):
        raise DataError("'hf' is a kind of data, not a data set; name one, as hf:OWNER/NAME")
    parts = hugging_face_parts(
        source,
        request.decoding.intake,
        size=request.size,
        skip_bad=request.skip_bad,
        decoding=request.decoding,
        report=request.report,
    )
    name = source.removeprefix(HUGGING_FACE).rstrip("/").rpartition("/")[2]
    if "train" not in parts and "all" not in parts:
        raise DataError(f"'{source}' has no part to train on, only {' and '.join(parts)}; give one that has train")
    if len(parts) == 1:
        (whole,) = parts.values()
        rest, test = holdout(whole, _SHARE, request.split_seed)
        train, validation = holdout(rest, _SHARE / (1 - _SHARE), request.split_seed)
        return Data(name, train, test, validation, whole=whole)
    test = parts["test"] if "test" in parts else parts["validation"]
    return Data(name, parts["train"], test, parts.get("validation") if "test" in parts else None)


def hugging_face_parts(
    source: str,
    intake: Intake,
    *,
    size: int | None = None,
    skip_bad: bool = False,
    decoding: Decoding = Decoding(),  # noqa: B008, a frozen value
    report: Report = silent,
) -> Mapping[str, Split]:
    """The parts that there are of train, validation and test, scaled as a network says; of others all are one, `all`.

    No code of a data set runs. Images that fit into the memory of `decoding` are held there.
    """
    tables, owner = _tables(source)
    some = next(iter(tables.values()))
    image, label = _columns(some, owner, source)
    found: dict[str, Split] = {}
    looks = {
        part: dict(_looked_at(table, image, owner, decode=skip_bad, report=report))
        for part, table in tables.items()
        if skip_bad or (size is None and intake.shape is None)
    }
    seen = {
        f"row {number} of {part}": look
        for part, own in looks.items()
        for number, look in own.items()
        if isinstance(look, Seen)
    }
    bad = [look for own in looks.values() for look in own.values() if isinstance(look, DataError)]
    if bad and not (skip_bad and seen):
        raise bad[0]
    like = seen or {"": Seen(gray=False, height=1, width=1, weight=0)}
    shape, scaled = common_shape(Path(owner), like, size, intake), scaling(intake, size)
    if skip_bad:
        tables = {
            part: table.select([number for number, look in looks[part].items() if isinstance(look, Seen)])
            for part, table in tables.items()
        }
    labels, classes = _labels(tables, label, owner)
    how = (scaled.crop, scaled.interpolation, scaled.stretched)
    for part, table in tables.items():
        images = Rows(table.cast_column(image, _undecoded()), image, Path(owner), shape, scaled)
        origin = digest("hugging face", getattr(table, "_fingerprint", ""), _lengths(images), *how)
        split = StreamedSplit(images, labels[part], classes, origin, workers=decoding.workers)
        fits = len(split) * shape[0] * shape[1] * shape[2] <= decoding.memory
        # what is held is told from others by its pixels
        found[part] = replace(split.held(report), origin="") if fits else split
    return found


def _tables(source: str) -> tuple[Mapping[str, Any], str]:
    """The tables by their parts, and what the data set is called without a column of labels."""
    owner, _ = _named(source)
    datasets = extra("datasets", source, "huggingface")
    try:
        if owner[0] in "/.~":
            place = Path(owner).expanduser()
            if not place.is_dir():
                raise DataError(f"'{owner}' is no folder; give one with a data set of Hugging Face's datasets")
            saved = (place / "dataset_dict.json").is_file() or (place / "state.json").is_file()
            found = datasets.load_from_disk(str(place)) if saved else datasets.load_dataset(str(place))
        else:
            first, *others = owner.split("/")
            name = "/".join([first, *others[:1]])
            found = datasets.load_dataset(name, *others[1:2])
    except DataError:
        raise
    except Exception as error:  # as many kinds as there are ways to fail
        told = " ".join(f"{type(error).__name__}: {error}".split())[:400]
        raise DataError(f"'{source}' cannot be read by datasets: {told}; give another") from error
    tables: dict[str, Any] = dict(found) if isinstance(found, dict) else {"all": found}
    known = {_PARTS[name]: table for name, table in tables.items() if name in _PARTS}
    if not known and len(tables) != 1:
        raise DataError(f"'{source}' has the parts {', '.join(tables)}, of which none is train, validation or test")
    named = known or {"all": next(iter(tables.values()))}
    if empty := [name for name, table in named.items() if not len(table)]:
        raise DataError(f"the part {empty[0]} of '{source}' has no rows; take another data set")
    return named, owner


def _named(source: str) -> tuple[str, str]:
    """What the data set is called, and the column of labels where one is asked for."""
    owner, _, label = source.removeprefix(HUGGING_FACE).partition(":")
    if not owner:
        raise DataError(f"'{source}' names no data set; give hf:OWNER/NAME or hf:/path/to/folder")
    return owner, label


def _undecoded() -> Any:
    return extra("datasets", HUGGING_FACE, "huggingface").Image(decode=False)


def _columns(table: Any, owner: str, source: str) -> tuple[str, str]:
    """The columns of images and of labels."""
    _, asked = _named(source)
    datasets = extra("datasets", source, "huggingface")
    features: Mapping[str, Any] = table.features
    images = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    if len(images) != 1:
        raise DataError(f"'{owner}' has {len(images)} columns of images ({', '.join(features)}); one is needed")
    if asked:
        if asked not in features:
            raise UnknownName(f"'{owner}' has no column '{asked}'{suggestion(asked, features)}")
        return images[0], asked
    labels = [name for name, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    labels = labels or [name for name in _LABELS if name in features]
    if len(labels) != 1:
        what = f"has several columns of labels: {', '.join(labels)}" if labels else "has no column of labels"
        raise DataError(f"'{owner}' {what}; name one of {', '.join(features)} after a colon: {source}:COLUMN")
    return images[0], labels[0]


def _labels(tables: Mapping[str, Any], column: str, owner: str) -> tuple[Mapping[str, Tensor], tuple[str, ...]]:
    """Labels by their parts, and the names of classes: those of the data set, else the labels themselves."""
    values = {part: list(table[column]) for part, table in tables.items()}
    names = getattr(next(iter(tables.values())).features[column], "names", None)
    if names is None:
        every = {value for own in values.values() for value in own}
        if any(not isinstance(value, str | int) for value in every):
            raise DataError(f"the column '{column}' of '{owner}' holds neither numbers nor words; name another")
        words = any(isinstance(value, str) for value in every)
        names = sorted(map(str, every)) if words else [str(number) for number in sorted(every)]
        where = {name: number for number, name in enumerate(names)}
        values = {part: [where[str(value)] for value in own] for part, own in values.items()}
    elif any(number is None or number < 0 for own in values.values() for number in own):
        raise DataError(f"'{owner}' has images that nobody has labeled; take another data set")
    labels = {part: torch.tensor(own, dtype=torch.int64) for part, own in values.items()}
    return labels, tuple(map(str, names))


def _looked_at(
    table: Any, column: str, owner: str, *, decode: bool, report: Report
) -> Iterator[tuple[int, Seen | DataError]]:
    undecoded = table.cast_column(column, _undecoded())
    for number in range(len(undecoded)):
        if not number % _EVERY:
            report(f"looking through {owner}", number, len(undecoded))
        yield number, _look_at(undecoded, column, number, Path(owner), decode)
    report(f"looking through {owner}", len(undecoded), len(undecoded))


def _look_at(table: Any, column: str, number: int, folder: Path, decode: bool) -> Seen | DataError:
    try:
        content = _content(table, column, number, folder)
        with unpacked(content, folder, f"row {number}") as image:
            reduce(image, f"row {number}", folder)
            if decode:
                image.load()
            return Seen(image.mode in GRAY, image.height, image.width, len(content))
    except DataError as error:
        return error


def _content(table: Any, column: str, number: int, folder: Path) -> bytes:
    value = table[number][column]
    if value and value.get("bytes") is not None:
        return value["bytes"]
    place = Path(value["path"]) if value and value.get("path") else None
    # a file may be named that is none of the data set's
    if place is not None and folder.expanduser().is_dir():
        inside = place.resolve().is_relative_to(folder.expanduser().resolve())
        if inside and place.is_file():
            return place.read_bytes()
    raise DataError(f"row {number} of '{folder}' has no image in it; leave it out with skip_bad=True (--skip-bad)")


def _lengths(images: Rows) -> Iterable[int]:
    """How long the files of the rows are, which with their number tells a data set from another one."""
    arrow = images.table.with_format("arrow")
    compute = extra("pyarrow.compute", HUGGING_FACE, "huggingface")
    lengths: list[int] = []
    for start in range(0, len(images), _EVERY):
        column = arrow[start : start + _EVERY][images.column]
        lengths += [
            length or 0 for length in compute.binary_length(compute.struct_field(column, "bytes")).to_pylist()
        ]
    return lengths

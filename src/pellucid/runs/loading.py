"""From settings to images."""

from dataclasses import replace
from pathlib import Path

from pellucid import data
from pellucid.data import Data, Decoding, Report, Split, silent
from pellucid.errors import ConfigError
from pellucid.runs.spec import DataSpec


def load_data(spec: DataSpec, report: Report = silent) -> Data:
    """The images that a specification names."""
    found = data.load(
        spec.source,
        root=Path(spec.root) if spec.root else None,
        download=spec.download,
        size=spec.size or None,
        skip_bad=spec.skip_bad,
        decoding=Decoding(spec.memory, spec.workers),
        split_seed=spec.split_seed,
        only=folders_of(spec),
        report=report,
    )
    found = shortened(found, spec)
    if not spec.random_labels:
        return found
    return replace(found, train=data.with_random_labels(found.train, spec.split_seed))


def folders_of(spec: DataSpec) -> tuple[str, ...]:
    """The class folders that alone are read; none where all are."""
    return data.read_folders(spec.only) if spec.only else ()


def shortened(found: Data, spec: DataSpec) -> Data:
    """The data with no more images, of each class and of all, than the specification asks for."""
    train = found.train
    if spec.limit:
        most = int(train.labels.bincount().max()) if len(train) else 0
        if spec.limit > most:
            raise ConfigError(
                f"limit is {spec.limit}, and no class of '{found.name}' has more than {most} training images; "
                "give less, or 0 for all"
            )
        train = data.few_of_each(train, spec.limit, seed=spec.split_seed)
    train = _first(train, spec.first, "first", found.name, "training")
    return replace(found, train=train, test=_first(found.test, spec.tested, "tested", found.name, "test"))


def _first(split: Split, count: int, setting: str, name: str, kind: str) -> Split:
    if count > len(split):
        raise ConfigError(
            f"{setting} is {count}, and '{name}' has {len(split)} {kind} images; give less, or 0 for all"
        )
    return split.take(count) if count else split

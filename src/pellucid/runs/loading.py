"""From settings to images."""

from dataclasses import replace
from pathlib import Path

from pellucid import data
from pellucid.data import Data, Decoding, Report, silent
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
    """The data with no more training images than the specification asks for, of each class and of all."""
    train = found.train
    if spec.limit:
        most = int(train.labels.bincount().max()) if len(train) else 0
        if spec.limit > most:
            raise ConfigError(
                f"limit is {spec.limit}, and no class of '{found.name}' has more than {most} training images; "
                "give less, or 0 for all"
            )
        train = data.few_of_each(train, spec.limit, seed=spec.split_seed)
    if spec.first > len(train):
        raise ConfigError(
            f"first is {spec.first}, and '{found.name}' has {len(train)} training images; give less, or 0 for all"
        )
    return replace(found, train=train.take(spec.first) if spec.first else train)

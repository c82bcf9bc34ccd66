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
        report=report,
    )
    found = shortened(found, spec)
    if not spec.random_labels:
        return found
    return replace(found, train=data.with_random_labels(found.train, spec.split_seed))


def shortened(found: Data, spec: DataSpec) -> Data:
    """The data with no more training images than the specification asks for."""
    if not spec.first:
        return found
    if spec.first > len(found.train):
        raise ConfigError(
            f"first is {spec.first}, and '{found.name}' has {len(found.train)} training images; "
            "give less, or 0 for all"
        )
    return replace(found, train=found.train.take(spec.first))

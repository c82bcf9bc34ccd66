"""From settings to images."""

from pathlib import Path

from pellucid import data
from pellucid.data import Data, Report, silent
from pellucid.runs.spec import DataSpec


def load_data(spec: DataSpec, report: Report = silent) -> Data:
    """The images that a specification names."""
    return data.load(
        spec.source,
        root=Path(spec.root) if spec.root else None,
        download=spec.download,
        memory=spec.memory,
        size=spec.size or None,
        skip_bad=spec.skip_bad,
        workers=spec.workers,
        split_seed=spec.split_seed,
        report=report,
    )
